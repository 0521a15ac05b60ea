"""Scene cuts: where a stream's past stops to mean anything for its next frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL = (32, 18)  # pixels; motion between neighbours nearly vanishes at this size, a cut does not
BINS = 16  # of each channel's histogram
NOISE = 4.0  # grey levels; below this contrast a thumbnail has no layout to compare
# A cut changes both where things are and which colours there are; motion changes the first, light the second.
LAYOUT_THRESHOLD = 0.5  # one less the correlation of the thumbnails
COLOUR_THRESHOLD = 0.18  # total variation distance of the colour histograms, 0..1


class CutDetector:
    """Tells for each frame of one stream whether it begins a new scene."""

    def __init__(self) -> None:
        self._before: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def is_cut(self, frame: NDArray[np.uint8]) -> bool:
        """True for the first frame and for one unlike its predecessor; frame (H, W, 3)."""
        if self._before is None:
            self._before = _summary(frame)
            return True
        layout, colours = self.change(frame)
        return layout > LAYOUT_THRESHOLD and colours > COLOUR_THRESHOLD

    def change(self, frame: NDArray[np.uint8]) -> tuple[float, float]:
        """How much layout and colours differ from the frame before this one."""
        before, self._before = self._before or _summary(frame), _summary(frame)
        (old, old_histogram), (new, new_histogram) = before, self._before
        scale = np.sqrt(((old**2).mean() + NOISE**2) * ((new**2).mean() + NOISE**2))
        return 1.0 - float((old * new).mean() / scale), float(np.abs(old_histogram - new_histogram).sum()) / 2


def _summary(frame: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The grey thumbnail with its mean removed, and the share of each level of each channel, summing to 1."""
    thumbnail = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)
    layout = thumbnail.astype(np.float32).mean(axis=2)
    levels = (thumbnail.reshape(-1, 3) // (256 // BINS)) + np.arange(3) * BINS
    counts = np.bincount(levels.ravel(), minlength=3 * BINS).astype(np.float32)
    return layout - layout.mean(), counts / counts.sum()
