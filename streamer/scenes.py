"""Scene cuts: where a stream's past stops to mean anything for its next frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL = (32, 18)  # pixels; motion between neighbours nearly vanishes at this size, a cut does not
BINS = 16  # of each channel's histogram
# A cut changes both where things are and which colours there are; motion changes the first, light the second.
LAYOUT_THRESHOLD = 0.09  # mean absolute difference of thumbnails with their means removed, of 1
COLOUR_THRESHOLD = 0.25  # total variation distance of colour histograms, 0..1


class CutDetector:
    """Tells for each frame of one stream whether it begins a new scene."""

    def __init__(self) -> None:
        self._thumbnail: NDArray[np.float32] | None = None
        self._histogram: NDArray[np.float32] | None = None

    def is_cut(self, frame: NDArray[np.uint8]) -> bool:
        """True for the first frame and for one unlike its predecessor; frame (H, W, 3)."""
        thumbnail = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)
        histogram = _histogram(thumbnail)
        layout = thumbnail.astype(np.float32).mean(axis=2) / 255.0
        layout -= layout.mean()
        before, colours = self._thumbnail, self._histogram
        self._thumbnail, self._histogram = layout, histogram
        if before is None or colours is None:
            return True
        moved = float(np.abs(layout - before).mean())
        recoloured = float(np.abs(histogram - colours).sum()) / 2
        return moved > LAYOUT_THRESHOLD and recoloured > COLOUR_THRESHOLD


def _histogram(thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Share of each level of each channel, (3 * BINS,), summing to 1."""
    levels = (thumbnail.reshape(-1, 3) // (256 // BINS)) + np.arange(3) * BINS
    counts = np.bincount(levels.ravel(), minlength=3 * BINS).astype(np.float32)
    return counts / counts.sum()
