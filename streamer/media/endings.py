"""Whether an input ended where it said it would."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.errors import TruncatedMedia
from streamer.media.problems import is_url, shown
from streamer.media.wholeness import is_missing_bytes

# Containers that write their length down; elsewhere it is an estimate from the bit rate.
_ANNOUNCING = {"mov", "matroska", "avi", "flv", "asf"}
_ROUNDING = 0.25  # seconds that may be missing of a file that is cut short, when only its index is
_STILL = 2.0  # seconds, and
_STILL_GAPS = 60  # times the longest frame: a last frame may be shown so long without anything being missing


class Ending:
    """Watches packets and frames go by and judges at the end whether some are missing."""

    def __init__(self, source: str, container: InputContainer, video: VideoStream) -> None:
        self._source = source
        self._formats = set(container.format.name.split(","))
        self._video = video
        self._announced = _announced_end(container, video) if self._formats & _ANNOUNCING else None
        self._furthest = Fraction(0)
        self._longest = Fraction(0)
        self._error: Exception | None = None
        self.damaged = 0  # frames that could not be decoded, or only in part
        self.last_time: Fraction | None = None  # of the last decoded frame, in output time
        self.truncated: TruncatedMedia | None = None

    def saw(self, packet: Packet[Stream]) -> None:
        """Note how far in time a packet reaches; call before moving it."""
        if packet.pts is not None and packet.size:
            self._furthest = max(self._furthest, (packet.pts + (packet.duration or 0)) * packet.time_base)

    def is_cut_off(self, packet: Packet[Stream]) -> bool:
        """Whether a packet is only the beginning of one: what a truncated file ends in."""
        return packet.is_corrupt and "mpegts" not in self._formats  # which marks lost bytes in the middle so

    def broke(self, error: Exception) -> None:
        """Reading failed for good."""
        self._error = error

    def count(self, frames: Sequence[VideoFrame]) -> None:
        """Note decoded frames."""
        for frame in frames:
            self.damaged += frame.is_corrupt
            if frame.pts is None or self._video.time_base is None:
                continue
            now = frame.pts * self._video.time_base
            if self.last_time is not None:
                self._longest = max(self._longest, now - self.last_time)
            self.last_time = now

    def judge(self) -> None:
        """After the last packet: set `truncated` if reading failed or what was announced did not come."""
        end = float(self._furthest)
        if not self._is_truncated(end):
            return
        of = f" of {self._announced:.1f} s" if self._announced else ""
        self.truncated = TruncatedMedia(
            f"{shown(self._source)!r} breaks off at {end:.1f} s{of}: it is truncated or damaged there;"
            f" --keep-partial keeps what can be read."
        )

    def _is_truncated(self, end: float) -> bool:
        if self._error is not None:
            return True
        short = is_missing_bytes(Path(self._source), self._formats) if not is_url(self._source) else None
        if self._announced is None:
            return bool(short)
        slack = _ROUNDING if short else max(_STILL, _STILL_GAPS * float(self._longest))
        return end < self._announced - slack


def _announced_end(container: InputContainer, video: VideoStream) -> float | None:
    """Seconds at which the streams that are read should end."""
    ends = [_stream_end(stream) for stream in container.streams if stream.type in ("video", "audio")]
    known = [end for end in ends if end is not None]
    if _stream_end(video) is not None and known:
        return max(known)
    if container.duration and container.duration > 0:
        return (container.duration + (container.start_time or 0)) / av.time_base
    return None


def _stream_end(stream: Stream) -> float | None:
    if not stream.duration or not stream.time_base:
        return None
    return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
