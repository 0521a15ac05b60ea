"""How steady a clip is: the warping error of Lai et al. 2018, with optical flow of the *input* (DIS, Kroeger 2016).

Per pair of frames ``sum M (warp(o[t+g]) - o[t])^2 / sum M`` with frames in 0..1; M leaves out what is hidden in one of
the two frames and the borders of motion. The clip's own value is the floor: say it beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Flow = NDArray[np.float32]


def warping_error(inputs: Sequence[Picture], outputs: Sequence[Picture], gap: int = 1) -> float:
    """Mean squared error between each output and its successor, brought back along the input's motion."""
    errors = []
    for t in range(len(inputs) - gap):
        forward, mask = motion_and_mask(inputs[t], inputs[t + gap])
        back = _sample(outputs[t + gap].astype(np.float32), forward)
        difference = np.square((back - outputs[t]) / 255.0).mean(axis=2)
        errors.append(float((difference * mask).sum() / max(mask.sum(), 1.0)))
    return float(np.mean(errors))


def motion_and_mask(first: Picture, second: Picture) -> tuple[Flow, NDArray[np.float32]]:
    """Flow (H, W, 2) from first to second, and 1 where both frames show the same thing."""
    forward, backward = _flow(first, second), _flow(second, first)
    returned = _sample(backward, forward)
    mismatch = np.square(forward + returned).sum(axis=2)
    size = np.square(forward).sum(axis=2) + np.square(returned).sum(axis=2)
    hidden = mismatch > 0.01 * size + 0.5
    slopes = sum(np.square(np.gradient(forward[..., i], axis=a)) for i in (0, 1) for a in (0, 1))
    border = slopes > 0.01 * np.square(forward).sum(axis=2) + 0.002
    return forward, (~hidden & ~border).astype(np.float32)


def _flow(first: Picture, second: Picture) -> Flow:
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    return np.asarray(estimator.calc(grey[0], grey[1], None), np.float32)


def _sample(values: NDArray[np.float32], flow: Flow) -> NDArray[np.float32]:
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    where = (x + flow[..., 0], y + flow[..., 1])
    return np.asarray(cv2.remap(values, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
