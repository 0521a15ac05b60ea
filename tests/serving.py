"""A real server on a real port, in a thread of its own, with the tiny network behind it; and offers to send it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiortc import RTCPeerConnection

from streamer.engine import Engine
from streamer.jobs import JobLimits, JobStore
from streamer.live import LiveEngine
from streamer.metrics import Metrics
from streamer.rtc import PeerService, RtcOptions
from streamer.runtime import Runtime
from streamer.server import Parts
from streamer.server.run import listen, run
from streamer.settings import LiveOptions, ServeOptions
from streamer.shelf import KeptLibrary
from streamer.styles import StyleLibrary

PATIENCE = 20.0  # seconds


@dataclass
class Running:
    """A server that answers."""

    url: str
    parts: Parts
    peers: PeerService
    jobs: JobStore
    client: httpx.Client
    stop: threading.Event = field(default_factory=threading.Event)

    def until_ready(self) -> None:
        """Wait for the warm-up."""
        wait_for(lambda: self.client.get("/readyz").status_code == 200)


def wait_for(condition: Any, seconds: float = PATIENCE) -> None:
    """Look again and again until something is so."""
    ended = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        ended.wait(0.02)
    raise AssertionError(f"it did not happen within {seconds} s")


def kept(library: StyleLibrary) -> KeptLibrary:
    """The tiny library as a service has it."""
    return KeptLibrary(library.folders, library.trunk_path)


@contextlib.contextmanager
def serving(
    library: StyleLibrary,
    options: ServeOptions | None = None,
    *,
    limits: JobLimits | None = None,
    live_options: LiveOptions | None = None,
    runtime: Runtime | None = None,
    handshake_within: float = 10.0,
    **parts_more: Any,
) -> Iterator[Running]:
    """Serve on a free port; ends with the block. Everything behind it is real but the size of the network."""
    options = options or ServeOptions(port=0, rate=1e6)
    made: dict[str, Any] = {}

    def remember(name: str, thing: Any) -> Any:
        made[name] = thing
        return thing

    shelf, metrics, answers = kept(library), Metrics(), threading.Event()
    with Engine(shelf, runtime=runtime) as engine, listen(options) as listener:
        live = LiveEngine(engine, metrics=metrics, options=live_options or LiveOptions(max_sessions=8))
        rtc = RtcOptions(ice_servers=tuple(options.ice_servers), handshake_within=handshake_within)
        parts = Parts(
            options=options,
            library=shelf,
            engine=engine,
            live=live,
            make_peers=lambda: remember("peers", PeerService(live, rtc, metrics)),
            make_jobs=lambda: remember("jobs", JobStore(shelf, limits or JobLimits.of(options))),
            metrics=metrics,
            **parts_more,
        )
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(parts, listener, stop, answers.set), name="server")
        thread.start()
        try:
            assert answers.wait(PATIENCE)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=30) as client:
                yield Running(url, parts, made["peers"], made["jobs"], client, stop)
        finally:
            stop.set()
            thread.join(PATIENCE)
            live.close()
        assert not thread.is_alive()


def offer(*videos: str, audio: str | None = None, channel: bool = False) -> str:
    """An SDP offer of a peer of aiortc. videos, audio: directions."""

    async def make() -> str:
        connection = RTCPeerConnection()
        for direction in videos:
            connection.addTransceiver("video", direction=direction)
        if audio:
            connection.addTransceiver("audio", direction=audio)
        if channel:
            connection.createDataChannel("figures")
        await connection.setLocalDescription(await connection.createOffer())
        sdp: str = connection.localDescription.sdp
        await connection.close()
        return sdp

    return asyncio.run(make())
