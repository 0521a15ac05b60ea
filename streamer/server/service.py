"""What runs behind the routes, from the start of the event loop to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable

from streamer.errors import UnknownStream
from streamer.jobs import JobStore
from streamer.server.health import keep_beating
from streamer.server.measures import Measures
from streamer.server.parts import Parts, Peer, Peers
from streamer.server.replies import Refusal, retry_header
from streamer.shelf import Watch

CLOSE_TIME = 10.0  # seconds for all sessions, and again for all jobs
_log = logging.getLogger(__name__)


class Service:
    """The parts, and what has an owner only while the event loop runs: peers, jobs, the heartbeat and the warm-up."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.health = parts.health
        self.measures = Measures(parts.metrics)
        self._peers: Peers | None = None
        self._jobs: JobStore | None = None
        self._watch: Watch | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, inside the event loop."""
        self._peers, self._jobs = self.parts.make_peers(), self.parts.make_jobs()
        self._watch = Watch(self.parts.library)
        beat = keep_beating(self.health, lambda: self.parts.engine.on_device(lambda _: None))
        self._tasks = [
            asyncio.create_task(beat, name="heartbeat"),
            asyncio.create_task(self._warm_up(), name="warm-up"),
        ]

    async def close(self) -> None:
        """Take nothing new, end all sessions and jobs. Bounded in time; may be called twice."""
        self.health.is_draining = True
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="close")
        await asyncio.shield(self._closing)

    @property
    def peers(self) -> Peers:
        """The peer connections. Raises Refusal where there can be no new ones yet, or no more."""
        if self._peers is None or self.health.is_draining or not self.health.is_warm:
            raise Refusal(503, self.health.unready() or "The service is starting.", **retry_header(2))
        return self._peers

    @property
    def known_peers(self) -> Peers:
        """For what is there already."""
        if self._peers is None:
            raise Refusal(503, "The service is starting.", **retry_header(2))
        return self._peers

    def peer(self, kind: str, name: str | None, id: str) -> Peer:
        """The session at an address, which has to be the whole one. Raises UnknownStream."""
        peer = self.known_peers.peer(id)
        if (peer.kind, peer.name) != (kind, name):
            raise UnknownStream("There is no such session.")
        return peer

    @property
    def jobs(self) -> JobStore:
        """The jobs."""
        if self._jobs is None:
            raise Refusal(503, "The service is starting.", **retry_header(2))
        return self._jobs

    async def _warm_up(self) -> None:
        """Measure the machine. Without a figure for its capacity nobody is admitted, so a failure is told loudly."""
        try:
            await asyncio.to_thread(self.parts.live.warm_up)
        except Exception:  # noqa: BLE001  what a device may do wrong is unknown, and the log must have it
            _log.exception("warm-up failed; the service stays unready")
            return
        self.health.is_warm = True
        _log.info("ready capacity=%s runtime=%s", self.parts.live.capacity, self.parts.engine.runtime_name)

    async def _close(self) -> None:
        _log.info("closing sessions and jobs")
        closing = [part.close() for part in (self._peers, self._jobs) if part is not None]
        await asyncio.gather(*(_bounded(each) for each in closing))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watch is not None:
            await asyncio.to_thread(self._watch.close)
        _log.info("closed")


async def _bounded(closing: Awaitable[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIME):
            try:
                await closing
            except Exception:  # noqa: BLE001  the others are to be closed all the same
                _log.exception("closing failed")
