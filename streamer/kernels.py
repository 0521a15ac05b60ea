"""What of the network is fixed, not learnt: for whoever builds it, in Keras or elsewhere. Needs NumPy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.trunk import Trunk, Weights

EPSILON = 1e-3  # added to variances; inputs are scaled to [-1, 1]
SUBPIXELS = (3, 3, 12, 12)  # a 3x3 convolution of the 12 sub-pixel channels of an RGB frame at half resolution


def binomial_on_subpixels(shape: tuple[int, ...] = SUBPIXELS) -> NDArray[np.float32]:
    """A 3x3 binomial blur at full resolution, as a 3x3 convolution of the 12 sub-pixel channels (row, column, RGB).

    Dense at half resolution it costs a convolution of 12 channels, where a depthwise one over RGB at full
    resolution would leave most SIMD lanes empty. Shape (height, width, channels in, channels out).
    """
    kernel = np.zeros(shape, np.float32)
    taps = {-1: 0.25, 0: 0.5, 1: 0.25}
    for phase in np.ndindex(2, 2):
        for dy, wy in taps.items():
            for dx, wx in taps.items():
                y, x = phase[0] + dy, phase[1] + dx
                cell, source = (y // 2 + 1, x // 2 + 1), (y % 2) * 2 + x % 2
                for colour in range(3):
                    kernel[*cell, source * 3 + colour, (phase[0] * 2 + phase[1]) * 3 + colour] += wy * wx
    return kernel


def whole_weights(trunk: Trunk) -> Weights:
    """A trunk's weights and the fixed kernel, by layer name."""
    return trunk.weights | {"smooth/kernel": binomial_on_subpixels()}
