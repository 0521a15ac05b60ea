"""Temporal noise reduction of a stream's input: sensor noise is averaged away where nothing moves.

A style network amplifies the noise of a still wall into strokes that crawl. A recursive temporal filter with motion
detection (Dubois and Sabri 1984, IEEE Trans. Communications 32(7)) removes most of it before the network sees it: each
pixel moves a fifth of the way to the new frame where the scene stands still, and all the way where it moves. It
filters what goes into the network; what comes out of it is never mixed with earlier output.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Float32 = NDArray[np.float32]

STILL_GAIN = 0.2  # of a new frame where nothing moves: noise falls to sqrt(0.2 / 1.8) = 1/3 of itself
# Motion is looked for in means over 4x4 pixels, in which noise of sigma 2 has one of 0.5 and what moves stands out.
CELL = 4
STILL, MOVING = 1.5, 4.0  # grey levels that a cell's mean differs by; in between, the gain rises linearly
_NEIGHBOURS = np.ones((3, 3), np.uint8)


class TemporalDenoiser:
    """The filter of one stream. About 0.5 ms a frame of 640x360 on one core."""

    def __init__(self) -> None:
        self._mean: Float32 | None = None  # (H, W, 3), the filtered frame before it is rounded
        self._seen = 0  # frames averaged since the scene began

    def __call__(self, frame: Frame, *, cut: bool) -> Frame:
        """The frame (H, W, 3), filtered. At a cut, and when frames change their size, it starts anew."""
        if cut or self._mean is None or self._mean.shape != frame.shape:
            self._mean, self._seen = frame.astype(np.float32), 1
            return frame
        self._seen += 1
        change = cv2.subtract(frame, self._mean, dtype=cv2.CV_32F)
        gain = _gain(change, max(STILL_GAIN, 1 / self._seen))  # at first, the plain mean of what was seen
        cv2.multiply(change, cv2.merge([gain, gain, gain]), dst=change)
        cv2.add(self._mean, change, dst=self._mean)
        return np.asarray(cv2.convertScaleAbs(self._mean), np.uint8)  # rounds; nothing here is below 0


def _gain(change: Float32, still: float) -> Float32:
    """How far each pixel moves to the new frame, (H, W): `still` where nothing moves, to 1 where something does."""
    height, width = change.shape[:2]
    cells = np.abs(cv2.resize(change, (max(width // CELL, 1), max(height // CELL, 1)), interpolation=cv2.INTER_AREA))
    motion = cv2.max(cv2.max(cells[..., 0], cells[..., 1]), cells[..., 2])
    motion = cv2.dilate(cv2.blur(motion, (3, 3)), _NEIGHBOURS)  # the rim of what moves belongs to it
    gain = np.clip(still + (motion - STILL) * ((1 - still) / (MOVING - STILL)), still, 1.0)
    return np.asarray(cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
