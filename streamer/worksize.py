"""`--work-size auto`: the largest size that a video can be styled at as fast as it plays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.pacing import Size, levels_of, work_size

# Seconds of one core for a pixel of a frame, measured on 720p to 1080p (docs/large-frames.md).
CODED = 24e-9  # decoding and encoding H.264 with the default preset, RGB and back
RESTORED = 9e-9  # shrinking a frame and bringing what was painted back to its size
MEMORY_SHARE = 0.5  # of what is available, for the network
SPARE = 0.9  # of what is reckoned is promised: other programs want their share too


@dataclass(frozen=True)
class Pace:
    """A working size (height, width) and the frames a second that are to be expected of it, everything included."""

    size: Size
    fps: float


def available_memory() -> float:
    """Bytes that the network may take; without end where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    known = dict(line.split(":", 1) for line in lines)
    return MEMORY_SHARE * 1024 * int(known["MemAvailable"].split()[0]) if "MemAvailable" in known else math.inf


def keep_pace(
    size: Size,
    rate: float,
    seconds_at: Callable[[Size], float],
    *,
    cores: int,
    shares_cores: bool,
    most_pixels: float,
) -> Pace:
    """The largest working size for frames of `size` that keeps `rate` frames a second, or else the smallest there is.

    seconds_at: device seconds for a frame of a size; not asked for sizes of more than `most_pixels`, which there is no
    memory for, unless nothing smaller is left. shares_cores: the device *is* the `cores`, so that a second of it is a
    second of them all.
    """
    sizes = list(dict.fromkeys(work_size(size, level) for level in levels_of(size, 0.0)))
    able = [each for each in sizes if each[0] * each[1] <= most_pixels] or sizes[-1:]
    best = Pace(able[-1], 0.0)
    for each in able:
        outside = size[0] * size[1] * (CODED + (RESTORED if each != size else 0.0))
        seconds = max(seconds_at(each), 1e-9)
        fps = cores / (seconds * cores + outside) if shares_cores else min(1 / seconds, cores / outside)
        best = Pace(each, SPARE * fps)
        if best.fps >= rate:
            break
    return best
