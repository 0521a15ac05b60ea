"""A visitor's clip, painted as `streamer transcode` does, with a look at the newest frame while it is under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.engine import Frame, StyleStream
from streamer.media import Selection, VideoInfo, VideoReader, style_label
from streamer.settings import Look, TranscodeOptions
from streamer.transcode import Progress, transcode
from web.demo.parts import Parts

BEFORE_SIZE = 480  # pixels of the shorter side, at most: of the clip as it came, to be played beside the painted one
QUICK = "veryfast"  # the encoder's preset


@dataclass
class Latest:
    """How far a clip is, written by the thread that paints it."""

    progress: Progress | None = None
    pair: tuple[Frame, Frame] | None = None  # a frame as it came, and painted

    @property
    def share(self) -> float | None:
        """From 0 to 1; None while it is not known."""
        now = self.progress
        if now is None or not (now.total or now.total_seconds):
            return None
        return min(1.0, now.frames / now.total if now.total else now.seconds / (now.total_seconds or 1))


class Watched:
    """A style stream that notes the last frame of each batch, before and after."""

    def __init__(self, stream: StyleStream, latest: Latest) -> None:
        self._stream, self._latest = stream, latest

    @property
    def batch_size(self) -> int:
        """That of the stream."""
        return self._stream.batch_size

    def __call__(self, frames: Sequence[Frame], times: Sequence[float]) -> list[Frame]:
        """Style frames (H, W, 3) shown at `times` in seconds."""
        return self.begin(frames, times)()

    def begin(self, frames: Sequence[Frame], times: Sequence[float]) -> Callable[[], list[Frame]]:
        """Queue frames; the callable that is returned waits for them."""
        styled = self._stream.begin(frames, times)

        def finished() -> list[Frame]:
            pictures = styled()
            self._latest.pair = frames[-1], pictures[-1]
            return pictures

        return finished


def look_at(parts: Parts, source: Path) -> VideoInfo:
    """What a clip says of itself. Raises BadMedia for what is none, or is larger than a clip may be."""
    parts.limits.check_file(source)
    with VideoReader(str(source), Selection(limits=parts.limits.video)) as reader:
        return reader.info


def paint(
    parts: Parts,
    source: Path,
    look: Look,
    start: float,
    seconds: float | None,
    stop: threading.Event,
    latest: Latest | None = None,
) -> Path:
    """Paint a part of a clip, or all of it, as an MP4 in a place of its own; returns where.

    Raises BadMedia, BadOption, UnknownStyle or BadStyle, and Interrupted when `stop` is set.
    """
    info = look_at(parts, source)
    parts.limits.check_part(start, seconds, info.duration)
    latest = latest or Latest()
    output = parts.scratch.place(f"{source.stem}.{style_label(look.style)}.mp4")

    def note(progress: Progress) -> None:
        latest.progress = progress

    # Also of a clip that does not say how long it is, no more than the limit is painted.
    options = TranscodeOptions(start=start or None, duration=seconds or parts.limits.seconds)
    stream = Watched(parts.engine.stream(look), latest)
    transcode(str(source), output, stream, options, progress=note, stop=stop, limits=parts.limits.video)
    return output


def as_it_came(
    parts: Parts, source: Path, painted: Path, start: float, seconds: float | None, stop: threading.Event
) -> Path:
    """The same part of a clip, unpainted and small, for browsers that may not play what the visitor has."""
    info = look_at(parts, source)
    size = f"{BEFORE_SIZE}p" if min(info.width, info.height) > BEFORE_SIZE else None
    options = TranscodeOptions(size=size, start=start or None, duration=seconds or parts.limits.seconds, preset=QUICK)
    output = painted.with_name("before.mp4")
    stream = parts.engine.stream(Look(style=parts.default_style(), strength=0))
    transcode(str(source), output, stream, options, stop=stop, limits=parts.limits.video)
    return output
