"""Videos to train with: moments of them, each two neighbouring frames, and how the scene moved from one to the other.

Synthetic motion is exact but is not how things move: in front of one another, out of focus, in changing light.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadMedia
from streamer.media import Selection, VideoReader
from training.losses import LUMINANCE
from training.motion import Array, Pair, compensate
from training.stability import motion_and_mask

Picture = NDArray[np.uint8]
Moment = tuple[Picture, ...]  # a frame and the next; or the frame alone, at the end of a clip

VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".y4m"}
# All moments are kept in memory, some 500 MB at most: 200 moments of two frames of 480 x 854 pixels.
MOMENTS, SHORT_SIDE = 200, 480
SECONDS_APART = 1.0  # between the moments of a clip, at least
MISFIT = 32.0  # levels of 255 by which the same thing may look different, beyond the change of light
LIGHT_REACH = 16  # a change of light is smooth: it is looked for at this share of a frame's side


def read_moments(paths: Sequence[Path], short_side: int = SHORT_SIDE, limit: int = MOMENTS) -> list[Moment]:
    """At most `limit` moments of all the clips together, evenly spread, no frame larger than `short_side`.

    Raises BadMedia for a clip that cannot be read.
    """
    clips = paths if len(paths) <= limit else [paths[i * len(paths) // limit] for i in range(limit)]
    each = limit // max(1, len(clips))
    return [moment for path in clips for moment in _moments_of(path, each, short_side)]


def _moments_of(path: Path, count: int, short_side: int) -> list[Moment]:
    with VideoReader(str(path), Selection(keep_partial=True)) as reader:
        seconds = reader.expected_seconds or 0.0
    count = max(1, min(count, int(seconds / SECONDS_APART)))
    # In the middle of equal parts: clips tend to begin and end with nothing.
    found = [read_neighbours(path, seconds * (i + 0.5) / count, short_side) for i in range(count)]
    return [moment for moment in found if moment]


def read_neighbours(path: Path, start: float, short_side: int | None = None) -> Moment:
    """The frame at `start` seconds and the next one; fewer where the clip ends. Raises BadMedia."""
    try:
        with VideoReader(str(path), Selection(start=start or None, keep_partial=True)) as reader:
            side = min(reader.height, reader.width, short_side or reader.height)
            return tuple(_shrink(frame.pixels, side) for frame in itertools.islice(reader, 2))
    except BadMedia:
        raise
    except ValueError:  # a clip that is shorter than it says has nothing at this place
        return ()


def _shrink(frame: Picture, side: int) -> Picture:
    factor = side / min(frame.shape[:2])
    if factor >= 1:
        return frame
    size = (round(frame.shape[1] * factor), round(frame.shape[0] * factor))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def real_pair(first: Array, second: Array) -> Pair:
    """Two neighbouring frames (S, S, 3), 0..255, with the motion between them as optical flow sees it.

    The mask leaves out what only one of the two shows: hidden by something that moves, come in from outside, or there
    at once, which only its colours tell. The change of light is what motion leaves over of luminance,
    without what is finer than light: noise, and errors of the flow.
    """
    size = first.shape[0]
    motion, seen = motion_and_mask(_as_bytes(second), _as_bytes(first))  # from the second frame back to the first
    y, x = np.mgrid[:size, :size].astype(np.float32)
    flow = np.stack([x, y], axis=-1) + motion
    inside = ((flow >= 0) & (flow <= size - 1)).all(axis=-1)
    mask = (seen * inside)[..., None].astype(np.float32)
    left = second - compensate(first, flow)
    change = (left @ np.array(LUMINANCE, np.float32))[..., None] * mask
    blur = (0, 0), max(1.0, size / LIGHT_REACH)
    light = cv2.GaussianBlur(change, *blur) / (cv2.GaussianBlur(mask, *blur) + 1e-3)
    light = light.reshape(mask.shape).astype(np.float32)
    mask *= (np.abs(left - light) < MISFIT).all(axis=-1, keepdims=True)
    return Pair(first, second, flow.astype(np.float32), mask, light)


def _as_bytes(frame: Array) -> Picture:
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)
