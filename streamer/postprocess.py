"""What happens to a styled frame after the network: colours kept, and a smaller working size undone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


def preserve_color(styled: Frame, original: Frame) -> Frame:
    """Luminance of the styled frame, colour differences of the original (BT.601 YCbCr); both (H, W, 3) RGB."""
    painted = cv2.cvtColor(styled, cv2.COLOR_RGB2YCrCb)
    colours = cv2.cvtColor(original, cv2.COLOR_RGB2YCrCb)
    colours[..., 0] = painted[..., 0]
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_YCrCb2RGB), np.uint8)


def shrink(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame at (width, height), averaged over areas; the frame itself when it has that size already."""
    if (frame.shape[1], frame.shape[0]) == size:
        return frame
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def restore(styled: Frame, small: Frame, original: Frame) -> Frame:
    """Bring a styled small frame back to the original's size with the luminance detail that shrinking took.

    styled and small (h, w, 3): the small frame after and before the network; original (H, W, 3).
    """
    size = (original.shape[1], original.shape[0])
    large = cv2.resize(styled, size, interpolation=cv2.INTER_CUBIC)
    coarse = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_CUBIC)
    detail = cv2.subtract(cv2.cvtColor(original, cv2.COLOR_RGB2GRAY), coarse, dtype=cv2.CV_16S)
    return np.asarray(cv2.add(large, cv2.merge([detail] * 3), dtype=cv2.CV_8U), np.uint8)


def finish(styled: Frame, small: Frame, original: Frame, *, preserve: bool) -> Frame:
    """A styled frame as it goes out: at the size of the original, and, to `preserve`, in its colours.

    styled and small (h, w, 3): after and before the network; original (H, W, 3).
    """
    if small.shape != original.shape:
        styled = restore(styled, small, original)
    return preserve_color(styled, original) if preserve else styled
