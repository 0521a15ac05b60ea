"""Video that goes out: pictures to H.264 or VP8, at bitrates fit for brush strokes. Off the event loop."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from streamer.media.colour import BT601, Colour, FromRgb
from streamer.rtc.decoding import VIDEO_RATE

# Painted pictures are all edges: twice what a camera's picture gets elsewhere. 640x360 at 30 fps: 1.2 Mb/s,
# 1280x720: 5 Mb/s.
_BITS_PER_PIXEL = 0.18
_NOMINAL_RATE = 30  # frames a second
MIN_BITRATE, MAX_BITRATE = 250_000, 8_000_000
_FIRST_LIMIT = 3_000_000  # until the far end has said what it can take
_SMALL = 640 * 360  # pixels up to which one thread is quick enough
_KEYFRAME_EVERY = 300  # frames; asked for sooner when anybody needs one
_COLOUR = Colour(BT601, False, 6, 6)  # what VP8 always means, and what browsers take untagged H.264 for


def wanted_bitrate(width: int, height: int, limit: int | None = None) -> int:
    """Bits a second for pictures of this size. limit: what the far end says that it can take."""
    wanted = int(width * height * _NOMINAL_RATE * _BITS_PER_PIXEL)
    return max(MIN_BITRATE, min(wanted, MAX_BITRATE, limit or _FIRST_LIMIT))


class VideoEncoder:
    """Encodes one stream's pictures, which may change their size. One thread at a time."""

    def __init__(self, codec: str) -> None:
        """codec: h264 or vp8."""
        self.codec = codec
        self.limit: int | None = None  # bits a second; may be set from any thread
        self._context: VideoCodecContext | None = None
        self._convert = FromRgb(_COLOUR, "yuv420p")
        self._last_ticks: int | None = None

    def encode(self, picture: NDArray[np.uint8], ticks: int, keyframe: bool) -> av.Packet[Any] | None:
        """Encode an RGB picture (H, W, 3) shown at `ticks` of 90 kHz, moved on where it is not after the last one.

        Raises av.FFmpegError; the next picture then begins with a fresh encoder.
        """
        height, width = picture.shape[0] & ~1, picture.shape[1] & ~1
        frame = self._convert(picture[:height, :width])
        self._last_ticks = ticks = ticks if self._last_ticks is None else max(ticks, self._last_ticks + 1)
        frame.pts, frame.time_base = ticks, Fraction(1, VIDEO_RATE)
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        context = self._fitting(width, height)
        try:
            packets = context.encode(frame)
        except av.FFmpegError:
            self._context = None
            raise
        if not packets:
            return None
        packet = av.Packet(b"".join(bytes(packet) for packet in packets))
        packet.pts, packet.time_base = ticks, frame.time_base
        packet.is_keyframe = packets[0].is_keyframe
        return packet

    def _fitting(self, width: int, height: int) -> VideoCodecContext:
        """The open encoder where it still fits, or a new one, which begins with a keyframe."""
        context, bitrate = self._context, wanted_bitrate(width, height, self.limit)
        if context is None or (context.width, context.height) != (width, height):
            context = self._open(width, height, bitrate)
        elif abs(bitrate - (now := context.bit_rate or 1)) > 0.1 * now:
            if self.codec == "h264":
                context.bit_rate = bitrate  # x264 follows without a new start
            elif not 0.6 * now < bitrate < 1.6 * now:
                context = self._open(width, height, bitrate)
        self._context = context
        return context

    def _open(self, width: int, height: int, bitrate: int) -> VideoCodecContext:
        name, options = _SETTINGS[self.codec]
        context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, VIDEO_RATE), Fraction(_NOMINAL_RATE)
        context.bit_rate = bitrate
        context.gop_size = _KEYFRAME_EVERY
        context.thread_count = 1 if width * height <= _SMALL else 2
        context.color_primaries, context.color_trc, context.colorspace = 6, 6, BT601
        if self.codec == "h264":
            context.profile = "Baseline"
        # Half a second of buffer: a keyframe is no larger than what the network can swallow.
        context.options = {**options, "maxrate": str(bitrate), "bufsize": str(bitrate // 2)}
        if self.codec == "vp8":
            context.options = {**context.options, "minrate": str(bitrate)}  # equal rates mean constant bitrate
        return context


_SETTINGS = {
    "h264": ("libx264", {"preset": "superfast", "tune": "zerolatency", "forced-idr": "1"}),
    "vp8": (
        "libvpx",
        {
            "deadline": "realtime",
            "cpu-used": "-6",
            "lag-in-frames": "0",
            "static-thresh": "1",
            "undershoot-pct": "100",
            "overshoot-pct": "15",
        },
    ),
}
