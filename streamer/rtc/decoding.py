"""Video that comes in: packets to pictures, off the event loop, and no more of them than anybody can use."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streamer.errors import BadMedia
from streamer.media.colour import BT601, UNSPECIFIED, Colour, ToRgb, colour_of
from streamer.rtc.arrivals import Arrivals, Encoded, Packet, is_keyframe
from streamer.rtc.strand import Strand

log = logging.getLogger(__name__)

VIDEO_RATE = 90_000  # RTP ticks a second, whatever the codec
MAX_PIXELS = 2560 * 1440
_PATIENCE = 0.25  # seconds that a lost packet's retransmission may take
_BACKLOG = 60  # encoded frames that may wait for the decoder: two seconds
_KEYFRAME_WAIT = 2.0  # seconds; some publishers never send one on request, and a poor picture is better than none
_DECODERS = {"h264": "h264", "vp8": "vp8"}


@dataclass(frozen=True)
class Picture:
    """A decoded frame. `ticks`: its unwrapped RTP timestamp; `arrived`, `decoded`: when, in seconds of the clock."""

    rgb: NDArray[np.uint8]  # (H, W, 3)
    ticks: int
    arrived: float
    decoded: float


class VideoIntake:
    """Decodes one incoming video on a shared pool. `take` belongs to the event loop, `sink` is called on the pool."""

    def __init__(
        self,
        pool: Executor,
        sink: Callable[[Picture], None],
        *,
        on_arrival: Callable[[int, float], None] = lambda ticks, at: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """on_arrival: told on the event loop of every whole frame's RTP timestamp and time of arrival."""
        self.codecs: Mapping[int, str] = {}  # payload type -> codec; known once the answer is
        self.ssrc: int | None = None
        self.last_packet: float | None = None
        self.last_picture: float | None = None
        self.frames = 0  # frames that arrived whole
        self.skipped = 0  # frames that were decoded, or could not be, and shown to nobody
        self._arrivals = Arrivals(_PATIENCE, clock=clock)
        self._strand = Strand(pool, _BACKLOG)
        self._sink = sink
        self._on_arrival = on_arrival
        self._clock = clock
        self._decoder = _Decoder()
        self._waits_for_key_since: float | None = None
        self._began = False

    def take(self, packet: Packet) -> bool:
        """A packet has come. Returns whether a keyframe is to be asked for. Never raises: aiortc would stop reading."""
        self.last_packet = self._clock()
        self.ssrc = packet.ssrc
        lost = self._arrivals.lost
        frames = self._arrivals.add(packet)
        has_gap = self._arrivals.lost > lost
        if has_gap or not self._began:
            self._began = True
            self._wait_for_keyframe()
        late = [frame for frame in frames if not self._queue(frame)]
        return has_gap or bool(late)

    def needs_keyframe(self, now: float, after: float) -> bool:
        """Whether packets come, and no picture has come of them for `after` seconds."""
        if self.last_packet is None or now - self.last_packet > after:
            return False
        since = self.last_picture if self.last_picture is not None else self._waits_for_key_since
        return since is not None and now - since > after

    def close(self) -> None:
        """Stop decoding."""
        self._strand.close()
        self._decoder = _Decoder()  # lets go of the old one's memory now, not at some collection

    def _wait_for_keyframe(self) -> None:
        if self._waits_for_key_since is None:
            self._waits_for_key_since = self._clock()

    def _queue(self, frame: Encoded) -> bool:
        """Whether the frame goes to the decoder; False asks for a keyframe."""
        self.frames += 1
        self._on_arrival(frame.ticks, frame.arrived)
        codec = self.codecs.get(frame.payload_type, "")
        if codec not in _DECODERS:
            return True
        if self._waits_for_key_since is not None:
            waited = self._clock() - self._waits_for_key_since
            if not is_keyframe(codec, frame.data) and waited < _KEYFRAME_WAIT:
                self.skipped += 1
                return True  # asked for already
            self._waits_for_key_since = None
        if self._strand.put(lambda: self._decode(codec, frame)):
            return True
        self.skipped += 1
        self._wait_for_keyframe()
        return False

    def _decode(self, codec: str, frame: Encoded) -> None:
        """On the pool."""
        try:
            pictures = self._decoder.decode(codec, frame)
        except (av.FFmpegError, BadMedia) as error:
            log.debug("a %s frame could not be decoded: %s", codec, error)
            self.skipped += 1
            return
        is_newest = len(self._strand) == 0
        self.skipped += len(pictures) - is_newest
        if not pictures or not is_newest:
            return
        rgb = self._decoder.to_rgb(pictures[-1])
        self.last_picture = now = self._clock()
        self._sink(Picture(rgb, frame.ticks, frame.arrived, now))


class _Decoder:
    """FFmpeg's decoder, and the way to RGB. A strand's work."""

    def __init__(self) -> None:
        self._codec = ""
        self._context: VideoCodecContext | None = None
        self._form: tuple[Any, ...] = ()
        self._convert: ToRgb | None = None

    def decode(self, codec: str, frame: Encoded) -> list[VideoFrame]:
        """Raises av.FFmpegError for what is not decodable."""
        if self._context is None or codec != self._codec:
            self._context, self._codec = _decoder_for(codec), codec
        packet = av.Packet(frame.data)
        packet.pts = frame.ticks
        packet.time_base = Fraction(1, VIDEO_RATE)
        return self._context.decode(packet)

    def to_rgb(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """Raises BadMedia for HDR."""
        colour = webrtc_colour(picture)
        form = (colour, picture.width, picture.height)
        if self._convert is None or form != self._form:
            self._convert, self._form = ToRgb(colour, picture.width, picture.height), form
        return self._convert(picture)


def _decoder_for(codec: str) -> VideoCodecContext:
    context = cast(VideoCodecContext, av.CodecContext.create(_DECODERS[codec], "r"))
    context.thread_count = 1  # streams share the cores; frames of one stream gain nothing from threads, only delay
    context.flags |= Flags.low_delay
    context.options = {"max_pixels": str(MAX_PIXELS)}
    return context


def webrtc_colour(picture: VideoFrame) -> Colour:
    """What a received frame's samples mean: BT.601 unless it says otherwise, as browsers have it at every size."""
    if int(picture.colorspace) == UNSPECIFIED and int(picture.color_primaries) == UNSPECIFIED:
        return replace(colour_of(picture), matrix=BT601)
    return colour_of(picture)
