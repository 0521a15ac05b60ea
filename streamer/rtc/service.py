"""The WebRTC service: browsers' loops, publishers and viewers. Knows a live engine, nothing of HTTP."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from streamer.errors import BadOption, NameTaken, Overloaded, UnknownStream
from streamer.rtc import memory
from streamer.rtc.offers import read_offer
from streamer.rtc.options import RtcOptions
from streamer.rtc.peer import Peer
from streamer.rtc.stream import Live, StyledStream
from streamer.settings import Look, cores

if TYPE_CHECKING:
    from streamer.metrics import Metrics

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RETRY_AFTER = 5.0  # seconds
_TIDY_AFTER = 1.0  # seconds after somebody has gone; whoever goes meanwhile is tidied up after with them


class PeerService:
    """All connections of one process. Belongs to one event loop; close it there."""

    def __init__(
        self,
        live: Live,
        options: RtcOptions | None = None,
        metrics: Metrics | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """live: a `streamer.live.LiveEngine`, or what is like one; it stays the caller's to close."""
        self.options = options or RtcOptions()
        self._live = live
        self._metrics = metrics
        self._clock = clock
        self._peers: dict[str, Peer] = {}
        self._names: dict[str, Peer | object] = {}  # no Peer: claimed by somebody whose offer is being answered
        self._pool = ThreadPoolExecutor(max(2, cores()), thread_name_prefix="codec")
        self._is_closed = False
        self._tidying: asyncio.TimerHandle | None = None

    async def loop(self, offer_sdp: str, look: Look) -> Peer:
        """A browser that sends its camera and gets it back styled, on one connection.

        Raises BadOffer or UnsupportedOffer, Overloaded, and for the look UnknownStyle, BadStyle or BadOption.
        """
        return await self._receive(offer_sdp, look)

    async def publish(self, name: str, offer_sdp: str, look: Look) -> Peer:
        """A publisher (WHIP) whose styled stream others may watch as `name`. Raises NameTaken, and as `loop` does."""
        if not _NAME.fullmatch(name):
            raise BadOption(
                f"A stream's name is 1 to 64 letters, digits, dots, dashes and underscores; received {name[:80]!r}."
            )
        if name in self._names:
            raise NameTaken(f"Somebody publishes as {name} already.")
        self._names[name] = claim = object()
        try:
            peer = await self._receive(offer_sdp, look, name)
            if not peer.closing:
                self._names[name] = peer
            return peer
        finally:
            self._release(name, claim)

    async def watch(self, name: str, offer_sdp: str) -> Peer:
        """A viewer (WHEP) of what is published under `name`. Raises UnknownStream, BadOffer, Overloaded."""
        publisher = self._names.get(name)
        if not isinstance(publisher, Peer):
            raise UnknownStream(f"Nobody publishes as {name[:64]}.")
        self._check_room()
        offer = read_offer(offer_sdp, receives=False, sends=True)
        peer = Peer(
            offer,
            publisher.stream,
            kind="whep",
            name=name,
            options=self.options,
            on_closed=self._forget,
            clock=self._clock,
        )
        return await self._answered(peer)

    def peer(self, id: str) -> Peer:
        """A connection by its id. Raises UnknownStream."""
        try:
            return self._peers[id]
        except KeyError:
            raise UnknownStream("There is no session of that id; it may have ended.") from None

    def streams(self) -> list[dict[str, Any]]:
        """What can be watched: names, and how each is doing."""
        published = sorted((name, peer) for name, peer in self._names.items() if isinstance(peer, Peer))
        return [{"name": name, **peer.figures()} for name, peer in published]

    def __len__(self) -> int:
        return len(self._peers)

    async def close(self) -> None:
        """End all connections, within bounds, and take no more."""
        self._is_closed = True
        if self._tidying is not None:
            self._tidying.cancel()
        await asyncio.gather(*(peer.close("the service is closing") for peer in list(self._peers.values())))
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _receive(self, offer_sdp: str, look: Look, name: str | None = None) -> Peer:
        """Somebody who gives us video. The offer is read before a place is taken for it."""
        self._check_open()
        offer = read_offer(offer_sdp, receives=True, sends=name is None)
        stream = StyledStream(self._live, look, self._pool, metrics=self._metrics, clock=self._clock)
        peer = Peer(
            offer,
            stream,
            kind="loop" if name is None else "whip",
            name=name,
            options=self.options,
            on_closed=self._forget,
            clock=self._clock,
        )
        return await self._answered(peer)

    async def _answered(self, peer: Peer) -> Peer:
        self._peers[peer.id] = peer
        await peer.answer()
        return peer

    def _forget(self, peer: Peer) -> None:
        """A peer has ended; those who watched it end with it."""
        self._peers.pop(peer.id, None)
        if peer.name is not None:
            self._release(peer.name, peer)
        if self._tidying is None and not self._is_closed:
            self._tidying = asyncio.get_running_loop().call_later(_TIDY_AFTER, self._tidy)
        if peer.receives:
            for viewer in [each for each in self._peers.values() if each.stream is peer.stream]:
                viewer.end("its publisher has gone")

    def _tidy(self) -> None:
        self._tidying = None
        if not self._is_closed:
            self._pool.submit(memory.give_back)

    def _release(self, name: str, holder: object) -> None:
        if self._names.get(name) is holder:
            del self._names[name]

    def _check_open(self) -> None:
        if self._is_closed:
            raise Overloaded("The service is closing.", _RETRY_AFTER)

    def _check_room(self) -> None:
        self._check_open()
        viewers = sum(not peer.receives for peer in self._peers.values())
        if viewers >= self.options.max_viewers:
            raise Overloaded(f"All {self.options.max_viewers} viewers' places are taken.", _RETRY_AFTER)
