"""Scene cuts: where a stream's past stops to mean anything for its next frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL = (32, 18)  # pixels; motion between neighbours nearly vanishes at this size, a cut does not
BINS = 16  # of each channel's histogram
NOISE = 4.0  # grey levels; below this contrast a thumbnail has no layout to compare
MEMORY = 8  # frames whose change is taken for this scene's usual motion

# Either a change much larger than the usual motion (of the clips measured: cuts 20 and more, motion 3 and less) ...
JUMP_RATIO = 6.0
JUMP_LEVELS = 10.0  # ... and not small in itself, in grey levels;
# or, in the midst of motion, both another layout and other colours: motion changes the first, light the second.
LAYOUT_THRESHOLD = 0.5  # one less the correlation of the thumbnails
COLOUR_THRESHOLD = 0.18  # total variation distance of the colour histograms, 0..1


@dataclass(frozen=True)
class _Summary:
    """A frame, small: colours with each channel's mean removed, since light may change within a scene; histogram."""

    colours: NDArray[np.float32]  # (18, 32, 3)
    histogram: NDArray[np.float32]  # (3 * BINS,), sums to 1

    @classmethod
    def of(cls, frame: NDArray[np.uint8]) -> _Summary:
        thumbnail = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)
        colours = thumbnail.astype(np.float32)
        levels = (thumbnail.reshape(-1, 3) // (256 // BINS)) + np.arange(3) * BINS
        counts = np.bincount(levels.ravel(), minlength=3 * BINS).astype(np.float32)
        return cls(colours - colours.mean(axis=(0, 1)), counts / counts.sum())


class CutDetector:
    """Tells for each frame of one stream whether it begins a new scene."""

    def __init__(self) -> None:
        self._before: _Summary | None = None
        self._changes: deque[float] = deque(maxlen=MEMORY)

    def is_cut(self, frame: NDArray[np.uint8]) -> bool:
        """True for the first frame and for one unlike its predecessor; frame (H, W, 3)."""
        before, now = self._before, _Summary.of(frame)
        self._before = now
        if before is None:
            return True
        change = float(np.abs(now.colours - before.colours).mean())
        usual = 1.0 + float(np.mean(self._changes)) if self._changes else float("inf")
        cut = (change > JUMP_LEVELS and change > JUMP_RATIO * usual) or _is_another_place(before, now)
        self._changes.append(change)
        if cut:
            self._changes.clear()
        return cut


def _is_another_place(before: _Summary, now: _Summary) -> bool:
    old, new = before.colours.mean(axis=2), now.colours.mean(axis=2)
    scale = np.sqrt(((old**2).mean() + NOISE**2) * ((new**2).mean() + NOISE**2))
    layout = 1.0 - float((old * new).mean() / scale)
    colour = float(np.abs(before.histogram - now.histogram).sum()) / 2
    return layout > LAYOUT_THRESHOLD and colour > COLOUR_THRESHOLD
