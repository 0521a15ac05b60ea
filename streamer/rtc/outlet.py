"""A styled stream in one codec: encoded once, on the shared pool, and relayed to everybody who watches it."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from statistics import median

import av
import numpy as np
from numpy.typing import NDArray

from streamer.rtc.decoding import VIDEO_RATE, Picture
from streamer.rtc.encoding import VideoEncoder
from streamer.rtc.ledger import BEYOND, Ledger, Rate
from streamer.rtc.relay import Parcel, Relay
from streamer.rtc.strand import Strand

log = logging.getLogger(__name__)
_KEYFRAME_GAP = 0.3  # seconds at least between keyframes, however many ask
_REPEAT_AFTER = 0.5  # seconds without a new picture after which the last one is sent again


@dataclass(frozen=True)
class Painted:
    """A styled picture on its way to an encoder. `source`: what it was made of; `style`: seconds that took."""

    rgb: NDArray[np.uint8]  # (H, W, 3)
    source: Picture
    style: float
    at: float  # when it was there, seconds


class Outlet:
    """Newest picture in, packets out. `offer` may be called from any thread, the rest belongs to the event loop."""

    def __init__(
        self,
        codec: str,
        pool: Executor,
        ledger: Ledger,
        *,
        on_sent: Callable[[Painted], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """codec: h264 or vp8. on_sent: told on the loop of each new picture that the first viewer's sender took."""
        self.relay = Relay("video", self.want_keyframe)
        self.codec = codec
        self.sent = Rate()
        self.dropped = 0  # pictures that the encoder was too busy for
        self._limits: dict[object, int] = {}
        self._encoder = VideoEncoder(codec)
        self._strand = Strand(pool, 1)
        self._ledger = ledger
        self._on_sent = on_sent
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._next: Painted | None = None
        self._last: Painted | None = None
        self._encoded_at = self._keyframe_at = -math.inf
        self._keyframe_wanted = True

    def offer(self, picture: Painted) -> None:
        """A newer picture. One that still waits for the encoder is dropped for it."""
        with self._lock:
            self.dropped += self._next is not None
            self._next = picture
        self._strand.put(self._encode)

    def want_keyframe(self) -> None:
        """The next picture begins anew: somebody has joined, or lost something."""
        self._keyframe_wanted = True

    def limit(self, viewer: object, bitrate: int | None) -> None:
        """A viewer can take so many bits a second (None: it has gone). All get what the slowest can take.

        Except one far slower than most, which would spoil everybody's picture.
        """
        if bitrate is None:
            self._limits.pop(viewer, None)
        else:
            self._limits[viewer] = bitrate
        usual = median(self._limits.values()) if self._limits else 0
        self._encoder.limit = min((each for each in self._limits.values() if each >= usual / 2), default=None)

    def tick(self, now: float) -> None:
        """Called now and then: while no new pictures come, the last is sent again, and viewers stay, or join."""
        wait = 0.1 if self._keyframe_wanted else _REPEAT_AFTER
        if self._last is not None and len(self.relay) and now - self._encoded_at > wait:
            self._strand.put(self._repeat)

    def close(self) -> None:
        """Stop encoding; viewers' tracks end."""
        self._strand.close()
        self.relay.close()
        self._encoder = VideoEncoder(self.codec)  # lets go of the old one's memory now, not at some collection
        self._next = self._last = None

    def _encode(self) -> None:
        """On the pool."""
        with self._lock:
            picture, self._next = self._next, None
        if picture is None or not len(self.relay):
            self._last = picture or self._last
            return
        self._last = picture
        self._send(picture, picture.source.ticks, is_new=True)

    def _repeat(self) -> None:
        """On the pool: the last picture again, as much later as it is."""
        if self._next is not None:
            self._encode()
        elif self._last is not None:
            elapsed = self._clock() - self._last.at
            self._send(self._last, self._last.source.ticks + int(elapsed * VIDEO_RATE), is_new=False)

    def _send(self, picture: Painted, ticks: int, *, is_new: bool) -> None:
        began = self._clock()
        keyframe = self._keyframe_wanted and began - self._keyframe_at > _KEYFRAME_GAP
        if keyframe:
            self._keyframe_wanted, self._keyframe_at = False, began
        try:
            packet = self._encoder.encode(picture.rgb, ticks, keyframe)
        except av.FFmpegError:
            log.exception("a picture could not be encoded; the stream goes on with the next")
            self._keyframe_wanted = True
            return
        self._encoded_at = now = self._clock()
        if is_new:
            self._ledger.note("encode", now - began)
        if packet is not None:
            sent = (lambda: self._sent_first(picture)) if is_new else None
            self._hop(Parcel(packet, packet.is_keyframe, _once(sent)))

    def _hop(self, parcel: Parcel) -> None:
        try:
            self._loop.call_soon_threadsafe(self.relay.send, parcel)
        except RuntimeError:  # the loop is closed
            self._strand.close()

    def _sent_first(self, picture: Painted) -> None:
        """On the loop, when the first viewer's sender takes the packet: the end of the server's part."""
        now = self._clock()
        self.sent.note(now)
        total = now - picture.source.arrived
        self._ledger.note("total", total)
        self._ledger.note(BEYOND, total - picture.style)
        if self._on_sent is not None:
            self._on_sent(picture)


def _once(call: Callable[[], None] | None) -> Callable[[], None] | None:
    """A packet goes to many viewers; the first to send it counts."""
    if call is None:
        return None
    calls = [call]

    def first() -> None:
        if calls:
            calls.pop()()

    return first
