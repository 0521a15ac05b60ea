"""Video in: upright RGB frames with exact timestamps from any file or URL, and the packets of the other streams."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import cast

import av.error
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from streamer.errors import BadMedia, BadOption
from streamer.geometry import resolve_size
from streamer.media.colour import ToRgb
from streamer.media.decoding import Decoder, Item
from streamer.media.endings import Ending
from streamer.media.form import Frame, VideoFormat
from streamer.media.info import VideoInfo, describe_video
from streamer.media.limits import Limits
from streamer.media.notices import Notice, Tell, silent
from streamer.media.opening import choose_video, is_cover, open_input, prepare
from streamer.media.problems import shown, without_file_url
from streamer.media.timeline import Timeline
from streamer.media.upright import Turn, turn_of

_FINEST_COARSE_TICK = Fraction(1, 1000)  # seconds


@dataclass(frozen=True)
class Selection:
    """What of an input is wanted, and how."""

    size: str | None = None  # as geometry.resolve_size takes it
    start: float | None = None  # seconds from its beginning
    duration: float | None = None  # seconds
    keep_partial: bool = False  # whether a truncated input is good for what could be read
    limits: Limits | None = None  # of an input from a stranger


class VideoReader:
    """Reads one video stream. Iterate for its frames, or `items()` for the other streams' packets as well.

    Raises BadMedia at once for what is not a readable video, and TruncatedMedia, after the last readable frame, for
    one that ends before its announced end (unless `keep_partial`, which sets `partial`). When `stop` is set it raises
    Interrupted at the next packet, which a silent server may keep it waiting for until READ_TIMEOUT.
    """

    def __init__(
        self,
        source: str,
        selection: Selection | None = None,
        tell: Tell = silent,
        stop: threading.Event | None = None,
    ) -> None:
        self.source = without_file_url(source)
        self.selection = selection or Selection()
        self._tell = tell
        self._stop = stop or threading.Event()
        self._is_left = False
        self.container = open_input(self.source, self.selection.limits)
        try:
            self._begin()
        except BaseException:
            self.container.close()
            raise

    def _begin(self) -> None:
        if self.selection.duration == 0:
            raise BadOption("--duration must be more than 0 seconds; received 0.")
        self.stream = choose_video(self.container, self.source)
        if self.selection.limits:
            self.selection.limits.check(self.container, self.stream)
        prepare(self.container, self.stream, self.source)
        self.timeline = Timeline(self.container, self.stream, self.selection.start, self.selection.duration)
        self.ending = Ending(self.source, self.container, self.stream)
        self._decoder = Decoder(self.container, self.stream, self.timeline, self.ending, self._stop)
        self._decoder.seek()
        base = cast(Fraction, self.stream.time_base)
        self._refined = _refinement(base)
        self.time_base = base / self._refined
        self._last_pts: int | None = None
        self._nudged = 0
        self._waiting, first = self._until_first_frame()
        self.info: VideoInfo = describe_video(self.container, self.stream, first)
        self._turn: Turn = turn_of(first)
        self.width, self.height = resolve_size(self.selection.size, self.info.width, self.info.height, name="--size")
        self._to_rgb = ToRgb(self.info.colour, *self._turn.size(self.width, self.height))
        if self.timeline.shift and not self.timeline.starts_late:
            moved = -float(self.timeline.shift)
            self._tell(Notice(f"All times were moved by {moved:+.3f} s, so that the video begins at zero.", "detail"))
        if self.info.bits > 8:
            self._tell(Notice(f"The video has {self.info.bits} bits per sample; the output has 8.", "detail"))

    def __enter__(self) -> VideoReader:
        """Use it with `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Free the decoder and the file."""
        if self._is_left:
            return
        self._decoder.close()
        self.container.close()

    def leave(self) -> None:
        """Never close it: another thread still waits for data, and all is freed when that thread lets go."""
        self._is_left = True

    @property
    def partial(self) -> bool:
        """Whether the input turned out to be truncated; known after the last frame."""
        return self.ending.truncated is not None

    @property
    def sample_aspect_ratio(self) -> Fraction | None:
        """Of the delivered frames: a --size of another shape keeps the displayed shape."""
        ratio = self.info.sample_aspect_ratio
        stretch = Fraction(self.info.width * self.height, self.info.height * self.width)
        if abs(stretch - 1) < Fraction(1, 50):  # rounding to whole pixels, not a wish
            return ratio
        return ((ratio or 1) * stretch).limit_denominator(1000)

    @property
    def form(self) -> VideoFormat:
        """What a writer has to know of the delivered frames."""
        info = self.info
        return VideoFormat(
            self.width,
            self.height,
            self.time_base,
            info.fps,
            info.is_steady,
            info.colour.for_output(),
            self.sample_aspect_ratio,
        )

    @property
    def expected_seconds(self) -> float | None:
        """How long the wanted part should be, or None."""
        wanted = self.selection.duration
        if self.info.duration is None:
            return wanted
        left = max(0.0, self.info.duration - (self.selection.start or 0))
        return left if wanted is None else min(left, wanted)

    @property
    def expected_frames(self) -> int | None:
        """How many frames the wanted part should have, or None."""
        seconds, whole = self.expected_seconds, self.info.duration
        if self.info.frames and whole and seconds is not None:
            return round(self.info.frames * seconds / whole)
        return self.info.frames

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in the order in which they are shown."""
        return (item for item in self.items() if isinstance(item, Frame))

    def items(self) -> Iterator[Frame | Packet[Stream]]:
        """Frames, and between them, about where they belong, the packets of all other streams, with output times."""
        waiting, self._waiting = self._waiting, []
        held: tuple[VideoFrame, int] | None = None  # until the next one tells how long it is shown
        gap = 0
        for item in itertools.chain(waiting, self._decoder):
            if isinstance(item, Packet):
                yield item
                continue
            if self.selection.limits:
                self.selection.limits.check_frame(item)
            pts = self._rising(cast(int, item.pts) * self._refined)
            if held is not None:
                gap = pts - held[1]
                yield self._delivered(*held, gap)
            held = item, pts
        if held is not None:
            yield self._delivered(*held, self._last_duration(*held, gap))
        self._close_report()

    def _delivered(self, frame: VideoFrame, pts: int, duration: int) -> Frame:
        try:
            picture = self._to_rgb(frame)
        except (av.error.FFmpegError, ValueError) as error:
            text = f"{shown(self.source)!r} has pixels in a form ({frame.format.name}) that cannot be converted."
            raise BadMedia(text) from error
        return Frame(self._turn(picture), pts, self.time_base, duration)

    def _last_duration(self, frame: VideoFrame, pts: int, gap: int) -> int:
        """Ticks until the announced end, else as long as the file says, else as the frame before.

        What an MP4 says is the time to the next packet, which with B-frames is not the next frame.
        """
        end = self.timeline.end(pts * self.time_base)
        if end is not None and not self.partial:
            return max(1, round(end / self.time_base) - pts)
        said = (frame.duration or 0) * self._refined
        return gap or said if "mov" in self.info.container and not self.info.is_steady else said or gap

    def _rising(self, pts: int) -> int:
        """Encoders insist on rising timestamps; a frame whose own does not rise is shown a tick after the last."""
        pts = max(0, pts)  # less than half a millisecond before a --start
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
            self._nudged += 1
        self._last_pts = pts
        return pts

    def covers(self) -> dict[int, bytes]:
        """The pictures on the front of the file, by the index of their streams."""
        packets = [item for item in self._waiting if isinstance(item, Packet) and is_cover(item.stream)]
        return {packet.stream.index: bytes(packet) for packet in packets}

    def _close_report(self) -> None:
        if self.ending.damaged:
            self._tell(Notice(f"{self.ending.damaged} damaged frames of {shown(self.source)!r} were passed over."))
        if self._nudged:
            self._tell(Notice(f"{self._nudged} frames had a timestamp that did not rise and were moved by a tick."))
        truncated = self.ending.truncated
        if truncated is None:
            return
        if not self.selection.keep_partial:
            raise truncated
        self._tell(Notice(f"{str(truncated).partition(';')[0]}; what could be read was kept."))

    def _until_first_frame(self) -> tuple[list[Item], VideoFrame]:
        """Items up to and with the first wanted frame, from which the rest is known."""
        items: list[Item] = []
        for item in self._decoder:
            items.append(item)
            if isinstance(item, VideoFrame):
                return items, item
        raise self._nothing_found()

    def _nothing_found(self) -> Exception:
        if self.ending.truncated is not None:
            return self.ending.truncated
        if self.selection.start and self.ending.last_time is not None:
            last = float(self.ending.last_time + self.timeline.shift - self.timeline.origin)
            return BadOption(
                f"--start must lie before the last frame of {shown(self.source)!r}, at {last:.3f} s;"
                f" received {self.selection.start:g}."
            )
        return BadMedia(f"No frame of {shown(self.source)!r} could be decoded; it is damaged or not a video.")


def _refinement(time_base: Fraction) -> int:
    """How many parts to divide a tick into: room to separate frames of one coarse tick (AVI counts frames)."""
    parts = 1
    while time_base > _FINEST_COARSE_TICK and time_base / parts > Fraction(1, 10000):
        parts *= 2
    return parts
