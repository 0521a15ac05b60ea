"""One WebRTC connection: an offer answered, watched over while it lasts, and closed within bounds."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from streamer.errors import BadOffer, StaleEtag, StreamerError, UnsupportedOffer
from streamer.rtc import inside
from streamer.rtc.fragments import read_fragment
from streamer.rtc.media import Media
from streamer.rtc.offers import MAX_CANDIDATES, Offer
from streamer.rtc.options import RtcOptions
from streamer.rtc.stream import StyledStream
from streamer.settings import Look

log = logging.getLogger(__name__)
_LOOK_EVERY = 0.1  # seconds between looks at a connection
_FIGURES_EVERY = 1.0
_MOST_BUFFERED = 65_536  # bytes in the data channel of a page that does not read


class Peer:
    """A connection that gives a stream its video (`receives`), is given it (`sends`), or both. Use `answer` once."""

    def __init__(
        self,
        offer: Offer,
        stream: StyledStream,
        *,
        kind: str,
        name: str | None = None,
        options: RtcOptions,
        on_closed: Callable[[Peer], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """kind: loop, whip or whep. The peer closes the stream at its end if it is the one who gives it its video."""
        self.id = secrets.token_urlsafe(24)
        self.kind, self.name = kind, name
        self.etag = secrets.token_urlsafe(12)  # of its only ICE state, without quotation marks
        self.answer_sdp = ""
        self.closed = asyncio.Event()
        self.reason = ""  # why it was closed
        self.receives, self.sends = kind != "whep", kind != "whip"
        self.stream = stream
        self._offer = offer
        self._options = options
        self._on_closed = on_closed
        self._clock = clock
        self._began = clock()
        self._candidates = offer.candidates
        self._connected_at: float | None = None
        self._asked_at = self._told_at = self._began
        self._channel: RTCDataChannel | None = None
        servers = [RTCIceServer(each.url, each.username, each.credential) for each in options.ice_servers]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._connection.on("datachannel", self._on_channel)
        self._media = Media(self._connection, stream, receives=self.receives, sends=self.sends, clock=clock)
        self._watch: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def answer(self) -> None:
        """Answer the offer, which starts connecting. Raises BadOffer or UnsupportedOffer, and is closed then."""
        try:
            async with asyncio.timeout(self._options.handshake_within):
                await self._answer()
        except asyncio.CancelledError:
            await self.close("the offer was withdrawn")
            raise
        except Exception as error:
            await self.close("the offer could not be answered")
            if isinstance(error, StreamerError):
                raise
            log.info("an offer could not be answered", exc_info=True)
            sentence = f"The offer cannot be answered: {type(error).__name__} {error}".strip()
            raise (UnsupportedOffer if _is_no_codec(error) else BadOffer)(sentence.rstrip(".") + ".") from None
        self._watch = asyncio.create_task(self._watch_over(), name=f"peer {self.id[:6]}")

    async def trickle(self, fragment: str, etag: str | None = None) -> None:
        """Add candidates. etag: of the ICE state that they belong to, if the caller says.

        Raises StaleEtag for another one, UnsupportedOffer for an ICE restart, BadOffer for what cannot be read.
        """
        if etag == "*":
            raise UnsupportedOffer("ICE restarts are not supported; connect anew.")
        if etag is not None and etag != self.etag:
            raise StaleEtag(f"The session's entity tag is {self.etag}; received {etag[:80]}.")
        found = read_fragment(fragment, self._offer)
        self._candidates += found.offered
        if self._candidates > MAX_CANDIDATES:
            raise BadOffer(f"A session may have {MAX_CANDIDATES} candidates; received {self._candidates}.")
        for text in found.candidates:
            candidate = candidate_from_sdp(text)
            candidate.sdpMid = self._offer.primary  # the one transport that all media share
            await self._connection.addIceCandidate(candidate)

    @property
    def look(self) -> Look:
        """How its stream is styled."""
        return self.stream.look

    def change(self, look: Look) -> None:
        """Style differently from the next frame on. Raises UnknownStyle, BadStyle or BadOption."""
        self.stream.change(look)

    def figures(self) -> dict[str, Any]:
        """How its stream is doing; see `StyledStream.figures`."""
        return self.stream.figures()

    @property
    def closing(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._closing is not None

    @property
    def state(self) -> str:
        """The connection's: new, connecting, connected, failed or closed."""
        return str(self._connection.connectionState)

    async def close(self, reason: str = "closed here") -> None:
        """End it, within bounds, and wait for that. May be called any number of times."""
        await asyncio.shield(self.end(reason))

    def end(self, reason: str) -> asyncio.Task[None]:
        """Begin to close, in a task of its own: whoever asks may be cancelled, and the watch asks, too."""
        if self._closing is None:
            self.reason = reason
            self._closing = asyncio.create_task(self._close(), name=f"close {self.id[:6]}")
        return self._closing

    async def _answer(self) -> None:
        connection = self._connection
        self._media.prefer(self._offer.media)
        await connection.setRemoteDescription(RTCSessionDescription(self._offer.text, "offer"))
        self._media.attach()
        inside.offer_loopback(connection)
        await connection.setLocalDescription(await connection.createAnswer())
        self.answer_sdp = connection.localDescription.sdp

    async def _close(self) -> None:
        log.info("peer %s: %s", self.id[:6], self.reason)
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        self._media.detach()
        if self.receives:
            self.stream.close()
        self._on_closed(self)
        await _bounded(self._connection.close(), self._options.close_within)
        self.closed.set()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == "figures" and self._channel is None:
            self._channel = channel

    async def _watch_over(self) -> None:
        while (reason := self._why_to_close(self._clock())) is None:
            if self.receives:
                self.stream.tick(self._clock())
                await self._ask_for_keyframe(self._clock())
            self._tell_figures(self._clock())
            await asyncio.sleep(_LOOK_EVERY)
        self.end(reason)

    def _why_to_close(self, now: float) -> str | None:
        """Whether the far end has gone, or never came."""
        state, options = self.state, self._options
        if state in ("failed", "closed"):
            return f"the connection has {state}"
        if state == "connected" and self._connected_at is None:
            self._connected_at = now
        if self._connected_at is None:
            late = now - self._began > options.handshake_within
            return f"the handshake was not finished in {options.handshake_within:g} s" if late else None
        heard = max(self._connected_at, self.stream.last_packet or 0.0)
        if self.receives and now - heard > options.silent_close:
            return f"nothing was received for {options.silent_close:g} s"
        if self.sends and not self.receives and self._media.deaf_for(now) > options.deaf_close:
            return f"nobody has said for {options.deaf_close:g} s that anything arrives"
        return None

    async def _ask_for_keyframe(self, now: float) -> None:
        wait = self._options.keyframe_after
        if self.stream.intake.needs_keyframe(now, wait) and now - self._asked_at > wait:
            self._asked_at = now
            await self._media.ask_for_keyframe()

    def _tell_figures(self, now: float) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open" or now - self._told_at < _FIGURES_EVERY:
            return
        self._told_at = now
        if channel.bufferedAmount < _MOST_BUFFERED:
            channel.send(json.dumps(self.figures()))


def _is_no_codec(error: Exception) -> bool:
    """Whether aiortc found no codec in common."""
    return type(error).__name__ == "OperationError"


async def _bounded(work: Awaitable[None], seconds: float) -> None:
    """Wait for work, but not forever; what it raises is logged."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        log.warning("a connection did not close within %g s and was left", seconds)
    elif task.exception() is not None:
        log.warning("a connection did not close cleanly", exc_info=task.exception())
