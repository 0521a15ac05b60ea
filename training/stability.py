"""How steady a clip is: the warping error of Lai et al. 2018, with optical flow of the *input* (DIS, Kroeger 2016).

Per pair of frames ``sum M (warp(o[t+g]) - o[t])^2 / sum M`` with frames in 0..1; M leaves out what is hidden in one of
the two frames and the borders of motion. The clip's own value is the floor: say it beside. Blur and low contrast lower
it too, so `contrast` and `sharpness` belong beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Flow = NDArray[np.float32]
Mask = NDArray[np.float32]
Motion = tuple[Flow, Mask]  # flow (H, W, 2) from one frame to another, and (H, W): 1 where both show the same thing


def warping_error(inputs: Sequence[Picture], outputs: Sequence[Picture], gap: int = 1) -> float:
    """Mean squared error between each output and its successor, brought back along the input's motion."""
    return error_along(outputs, motions(inputs, gap), gap)


def motions(inputs: Sequence[Picture], gap: int) -> list[Motion]:
    """The motion from each frame to the one `gap` later, as DIS sees it."""
    return [motion_and_mask(first, second) for first, second in zip(inputs, inputs[gap:], strict=False)]


def error_along(outputs: Sequence[Picture], known: Sequence[Motion], gap: int = 1) -> float:
    """Mean over the pairs of frames of the masked mean squared error along known motions; frames scaled to 0..1."""
    errors = []
    for first, second, (flow, mask) in zip(outputs, outputs[gap:], known, strict=False):
        difference = np.square((sample(second.astype(np.float32), flow) - first) / 255.0).mean(axis=2)
        errors.append(float((difference * mask).sum() / max(float(mask.sum()), 1.0)))
    return float(np.mean(errors))


def motion_and_mask(first: Picture, second: Picture) -> Motion:
    """Flow (H, W, 2) from first to second, and 1 where both frames show the same thing."""
    forward, backward = _flow(first, second), _flow(second, first)
    returned = sample(backward, forward)
    mismatch = np.square(forward + returned).sum(axis=2)
    size = np.square(forward).sum(axis=2) + np.square(returned).sum(axis=2)
    hidden = mismatch > 0.01 * size + 0.5
    slopes = np.sum([np.square(np.gradient(forward, axis=axis)).sum(axis=2) for axis in (0, 1)], axis=0)
    border = slopes > 0.01 * np.square(forward).sum(axis=2) + 0.002
    return forward, (~hidden & ~border).astype(np.float32)


def deviation(frames: Sequence[Picture]) -> float:
    """Mean over pixels and channels of the standard deviation over time, in 1/255."""
    return float(np.stack(frames).astype(np.float32).std(axis=0).mean())


def contrast(frames: Iterable[Picture]) -> float:
    """Standard deviation of luminance over a frame, in 1/255; mean over frames."""
    return float(np.mean([_luminance(frame).std() for frame in frames]))


def sharpness(frames: Iterable[Picture]) -> float:
    """Mean magnitude of the gradient of luminance, in 1/255 a pixel; mean over frames."""
    return float(np.mean([np.hypot(*np.gradient(_luminance(frame))).mean() for frame in frames]))


def sample(values: NDArray[np.float32], flow: Flow) -> NDArray[np.float32]:
    """values (H, W, C) at each pixel's place plus flow (H, W, 2), in pixels as (x, y); bilinear, edges repeated."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    where = (x + flow[..., 0], y + flow[..., 1])
    return np.asarray(cv2.remap(values, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _flow(first: Picture, second: Picture) -> Flow:
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    return np.asarray(estimator.calc(grey[0], grey[1], None), np.float32)


def _luminance(frame: Picture) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.float32)
