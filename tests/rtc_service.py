"""A WebRTC service in this process, and far ends of aiortc to meet it over the network stack."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from streamer.bench.live.client import Far
from streamer.engine import Engine
from streamer.live import LiveEngine
from streamer.metrics import Metrics
from streamer.rtc import Peer, PeerService, RtcOptions
from streamer.runtime import PassthroughRuntime, Runtime
from streamer.settings import LiveOptions, Look
from streamer.styles import StyleLibrary

Send = Callable[[bytes], Awaitable[None]]
PATIENCE = 30.0  # seconds; only a failing test waits so long
LOOK = Look("mosaic")
SMALL = (160, 96)


class Place:
    """A service, and how to meet it."""

    def __init__(self, service: PeerService, live: LiveEngine, metrics: Metrics, pool: ThreadPoolExecutor) -> None:
        self.service = service
        self.live = live
        self.metrics = metrics
        self._pool = pool
        self.ends: list[Far] = []

    def far(self, role: str, size: tuple[int, int] = SMALL, fps: float = 15, codec: str = "h264") -> Far:
        """A far end that is not connected yet."""
        end = Far(self._pool, role, *size, fps, codec)
        self.ends.append(end)
        return end

    async def meet(self, role: str, name: str = "room", look: Look = LOOK, **form: object) -> tuple[Far, Peer]:
        """Connect a far end: loop, publish or watch."""
        end = self.far(role, **form)
        offer = await end.offer()
        match role:
            case "loop":
                peer = await self.service.loop(offer, look)
            case "publish":
                peer = await self.service.publish(name, offer, look)
            case _:
                peer = await self.service.watch(name, offer)
        await end.connect(peer.answer_sdp)
        return end, peer


@contextlib.asynccontextmanager
async def place(
    options: RtcOptions | None = None, runtime: Runtime | None = None, limits: LiveOptions | None = None
) -> AsyncIterator[Place]:
    """A running service over the passthrough engine, or another runtime, with the shipped styles."""
    metrics = Metrics()
    with (
        ThreadPoolExecutor(2) as pool,
        Engine(StyleLibrary.default(), runtime=runtime or PassthroughRuntime()) as engine,
        LiveEngine(engine, metrics=metrics, options=limits or LiveOptions(max_sessions=100)) as live,
    ):
        service = PeerService(live, options, metrics)
        here = Place(service, live, metrics, pool)
        try:
            yield here
        finally:
            await service.close()
            await asyncio.gather(*(end.close() for end in here.ends))


def slack() -> float:
    """How many times longer things take here than on a machine with nothing else to do."""
    return max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


def through(end: Far, send: Callable[[Send, bytes], Awaitable[None]]) -> None:
    """Put `send` between a far end and the network; it is called with the way on and each packet."""
    transport: Any = end.connection.getTransceivers()[0].sender.transport
    on: Send = transport._send_rtp
    transport._send_rtp = lambda data: send(on, data)


async def eventually(holds: Callable[[], object], within: float = PATIENCE) -> float:
    """Wait until it holds; returns how long that took, in seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + within, "what was waited for did not come about"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
