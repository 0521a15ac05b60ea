"""A larger network that paints what a smaller one paints, to be trained on from there.

In the manner of Net2Net (Chen et al. 2016, https://arxiv.org/abs/1511.05641), but the new channels are not copies of
old ones: they begin with kernels of chance, and no old channel reads them yet. New residual blocks begin with scales
of zero, so they add nothing yet. What ties either to the old ones (kernels that read new channels, scales) has
gradients from the first step on, the rest from the second.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadStyle
from streamer.model import build_network, network_weights
from streamer.trunk import OUTPUT_TERMS, Trunk, TrunkConfig, identity_modulation, neutral_modulation

Rows = dict[str, NDArray[np.float32]]  # modulations (modulation_size,) by name


def fits_inside(small: TrunkConfig, large: TrunkConfig) -> bool:
    """Whether `grow` can make the large one of the small one: every layer is there, and at least as wide."""
    depth = len(small.deep_dilations)
    wide = all(large.normalised().get(name, 0) >= width for name, width in small.normalised().items())
    return wide and large.deep_dilations[:depth] == small.deep_dilations


def grow(trunk: Trunk, rows: Mapping[str, NDArray[np.float32]], config: TrunkConfig) -> tuple[Trunk, Rows]:
    """A trunk of that architecture and the modulations for it, which paint as before.

    The new kernels are drawn from Keras' generator. Raises BadStyle when the architecture has no room for the trunk's.
    """
    if not fits_inside(trunk.config, config):
        raise BadStyle(f"A network of {trunk.config.to_dict()} cannot grow into one of {config.to_dict()}.")
    before, after = _read(trunk.config), _read(config)
    weights = network_weights(build_network(config))
    for name, small in trunk.weights.items():
        layer, count = name.split("/")[0], small.shape[-1]
        kernel = np.array(weights[name])
        kernel[..., :count] = 0
        at, to = 0, 0
        for was, now in zip(before[layer], after[layer], strict=True):
            kernel[:, :, to : to + was, :count] = small[:, :, at : at + was]
            at, to = at + was, to + now
        weights[name] = kernel
    grown = {name: _row(row, trunk.config, config) for name, row in rows.items()}
    return Trunk(config, weights, identity_modulation(config)), grown


def _read(config: TrunkConfig) -> dict[str, tuple[int, ...]]:
    """Channels that each convolution reads: how many of each tensor that is handed to it."""
    width, deep, head = config.width, config.deep_width, config.head_width
    read: dict[str, tuple[int, ...]] = {"stem": (12,), "down": (width,), "up": (deep,), "fuse": (width, width)}
    for i in range(len(config.deep_dilations)):
        read |= {f"deep{i}_0": (deep,), f"deep{i}_1": (config.deep_inside,)}
    for i in range(config.blocks):
        read |= {f"body{i}_0": (width,), f"body{i}_1": (config.inside,)}
    return read | {"rise": (width,), "head": (head, 12), "paint": (head,)}


def _row(row: NDArray[np.float32], small: TrunkConfig, large: TrunkConfig) -> NDArray[np.float32]:
    """A modulation for the large network: neutral in what is new, but for the scale with which new blocks add."""
    given: dict[str, NDArray[np.float32]] = {}
    at = 0
    for name, width in small.normalised().items():
        given[name] = row[at : at + 2 * width].reshape(2, width)
        at += 2 * width
    grown, at = neutral_modulation(large), 0
    for name, width in large.normalised().items():
        terms = grown[at : at + 2 * width].reshape(2, width)
        if name in given:
            terms[:, : given[name].shape[1]] = given[name]
        elif name.endswith("_1"):  # the second convolution of a block is added to what came in
            terms[:] = 0
        at += 2 * width
    grown[OUTPUT_TERMS] = row[OUTPUT_TERMS]
    return grown
