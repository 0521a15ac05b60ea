"""One style for good: the modulation folded into the network, whose only input and output are then frames.

With statistics that are given, too, every conditional instance normalisation is an affine map of the convolution before
it, so it is folded into that convolution's kernel and bias, and none is left: the fastest form, and one that paints by
fixed statistics, whatever the frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.geometry import STRIDE
from streamer.kernels import EPSILON, whole_weights
from streamer.model import StyleNetwork, set_network_weights
from streamer.trunk import Trunk, TrunkConfig, Weights

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Folded:
    """A network in one style. `weights`: kernels, and the biases that came of the style, by layer name."""

    weights: Weights
    affine: tuple[tuple[Float32, Float32], ...]  # scale and shift of each normalisation that is left
    gate: Float32  # (12,): how much of each sub-pixel of the input is let through

    @property
    def biases(self) -> list[Float32]:
        """Those of the convolutions that were normalised, in the order in which they run."""
        return [values for name, values in self.weights.items() if name.endswith("/bias") and name != "smooth/bias"]


def layer_order(config: TrunkConfig) -> list[str]:
    """The convolutions, in the order in which the network runs them."""
    deep = [f"deep{block}_{half}" for block in range(len(config.deep_dilations)) for half in range(2)]
    body = [f"body{block}_{half}" for block in range(config.blocks) for half in range(2)]
    return ["stem", "down", *deep, "up", "fuse", *body, "rise", "head", "paint", "smooth"]


NOT_NORMALISED = ("up", "rise", "paint", "smooth")


def fold(trunk: Trunk, row: Float32, statistics: Float32 | None) -> Folded:
    """A trunk in the style of a modulation (modulation_size,).

    statistics: (statistics_size,) to normalise all frames by; None: each frame by its own.
    """
    weights = whole_weights(trunk)
    names = [name for name in layer_order(trunk.config) if name not in NOT_NORMALISED]
    affine = []
    at = 0
    for name, width in zip(names, trunk.config.norm_widths(), strict=True):
        gamma, beta = row[at : at + width], row[at + width : at + 2 * width]
        if statistics is None:
            affine.append((gamma, beta))
        else:
            mean, second = statistics[at : at + width], statistics[at + width : at + 2 * width]
            scale = gamma / np.sqrt(np.maximum(second - mean**2, 0) + np.float32(EPSILON))
            weights[f"{name}/kernel"] = weights[f"{name}/kernel"] * scale
            weights[f"{name}/bias"] = beta - mean * scale
        at += 2 * width
    gain, bias, gate = (np.tile(term, 4) for term in row[at:].reshape(3, 3))
    weights["smooth/kernel"] = weights["smooth/kernel"] * gain
    weights["smooth/bias"] = bias
    return Folded(weights, tuple(affine), gate)


class FrozenNetwork(StyleNetwork):
    """A style network for one style: call with a dict of `frames` alone, returns one of `frames` alone."""

    def __init__(self, trunk: Trunk, folded: Folded) -> None:
        super().__init__(trunk.config)
        self._folded = folded
        self({"frames": np.zeros((1, 4 * STRIDE, 4 * STRIDE, 3), np.float32)})
        set_network_weights(self, replace(trunk, weights=folded.weights))
        self.smooth.kernel.assign(folded.weights["smooth/kernel"])

    def conditioning(self, inputs: dict[str, Any]) -> Any:
        """What is left of it."""
        return _FixedStyle(self._folded)


class _FixedStyle:
    """Walks through the normalisations, of which a bias may be all that is left."""

    def __init__(self, folded: Folded) -> None:
        self._folded = folded
        self._affine = iter(folded.affine)
        self._biases = iter(folded.biases)

    def normalise(self, x: Any, _: int) -> Any:
        """Of (B, H, W, C): its own statistics for the given ones, or the bias of the convolution before."""
        if not self._folded.affine:
            return x + next(self._biases)
        gamma, beta = next(self._affine)
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        second = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        scale = gamma * ops.rsqrt(ops.maximum(second - ops.square(mean), 0.0) + EPSILON)
        return x * scale + (beta - mean * scale)

    def compose(self, painted: Any, half: Any) -> Any:
        """What was painted and, where some of it is let through, the input."""
        out = painted + self._folded.weights["smooth/bias"]
        return out + half * self._folded.gate if self._folded.gate.any() else out

    def statistics(self) -> dict[str, Any]:
        """Nothing that anybody could hand back."""
        return {}
