"""Structured pruning: whole channels are cut out of a trunk and its styles, and a run goes on with what is left.

Additions tie the channels of a residual stream together, and what one convolution writes others read: channels that
are the same ones are a *group*, and stay or go in all of its convolutions, with their scales and shifts in every style.

What a channel is worth is how much it varies, times the size of the kernels that read it. The first follows from its
scale and shift, as in Network Slimming (Liu et al. 2017); the second is the criterion of Li et al. 2017 (Pruning
Filters for Efficient ConvNets), turned round: the size of the kernels that write a channel is taken away by the
normalisation that follows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadOption
from streamer.trunk import Trunk, TrunkConfig, neutral_modulation

UNIT = 8  # what is left is a multiple of it: processors compute 8, 16 or 32 channels at once
EVERYWHERE = "everywhere"
Rows = dict[str, NDArray[np.float32]]  # modulations (modulation_size,) by name
Mask = NDArray[np.bool_]  # of channels: those that stay
NODES, SHARES = np.polynomial.hermite_e.hermegauss(64)  # integrate over a normal distribution
SHARES = SHARES / SHARES.sum()


@dataclass(frozen=True)
class Group:
    """Channels that are the same ones in all convolutions that write them, and in all that read them."""

    written: tuple[str, ...]
    read: tuple[tuple[str, int], ...]  # and at which of its inputs they begin


def prune(
    trunk: Trunk, rows: Mapping[str, NDArray[np.float32]], share: float, where: str = "blocks", by: Collection[str] = ()
) -> tuple[Trunk, Rows]:
    """The trunk and the modulations without that share of their channels, those that the styles `by` miss least.

    where: `blocks`, the channels between the two convolutions of each residual block; or `everywhere`. by: names of
    rows; default: all. Raises BadOption when nothing would go.
    """
    config = smaller(trunk.config, share, where)
    judges = [row for name, row in rows.items() if name in by] or [*rows.values()] or [neutral_modulation(trunk.config)]
    outputs = {_layer(name): np.ones(kernel.shape[-1], bool) for name, kernel in trunk.weights.items()}
    inputs = {_layer(name): np.ones(kernel.shape[-2], bool) for name, kernel in trunk.weights.items()}
    for group in groups(trunk.config):
        stays = _best(importance(trunk, np.stack(judges), group), _widths(config)[group.written[0]])
        outputs |= dict.fromkeys(group.written, stays)
        for name, first in group.read:
            inputs[name][first : first + len(stays)] = stays
    weights = {
        name: np.ascontiguousarray(kernel[:, :, inputs[_layer(name)]][..., outputs[_layer(name)]])
        for name, kernel in trunk.weights.items()
    }
    stay = [outputs[name] for name in trunk.config.normalised() for _ in ("scale", "shift")]
    terms = np.concatenate([*stay, np.ones(9, bool)])  # the last of a modulation are of the output
    return Trunk(config, weights, trunk.identity[terms]), {name: row[terms] for name, row in rows.items()}


def smaller(config: TrunkConfig, share: float, where: str) -> TrunkConfig:
    """The architecture without that share of its channels, what is left being a multiple of UNIT and at least one.

    Raises BadOption when that is all of them.
    """

    def left(channels: int) -> int:
        return min(channels, max(UNIT, round(channels * (1 - share) / UNIT) * UNIT))

    inside, deep_inside = left(config.inside), left(config.deep_inside)
    cut = config
    if where == EVERYWHERE:
        cut = replace(cut, width=left(config.width), deep_width=left(config.deep_width))
        cut = replace(cut, head_width=left(config.head_width))
    cut = replace(
        cut,
        inside_width=0 if inside == cut.width else inside,
        deep_inside_width=0 if deep_inside == cut.deep_width else deep_inside,
    )
    if cut.norm_widths() == config.norm_widths():
        raise BadOption(
            f"--prune {share:g} removes nothing: channels are left in multiples of {UNIT}, and there are "
            f"{config.inside} and {config.deep_inside} inside the blocks of this network, {config.width} around them."
        )
    return cut


def groups(config: TrunkConfig) -> list[Group]:
    """All channels of a network that can be cut."""
    deep, body = range(len(config.deep_dilations)), range(config.blocks)
    return [
        Group(("stem",), (("down", 0), ("fuse", config.width))),
        Group(("down", *(f"deep{i}_1" for i in deep)), (*((f"deep{i}_0", 0) for i in deep), ("up", 0))),
        *(Group((f"deep{i}_0",), ((f"deep{i}_1", 0),)) for i in deep),
        Group(("up",), (("fuse", 0),)),
        Group(("fuse", *(f"body{i}_1" for i in body)), (*((f"body{i}_0", 0) for i in body), ("rise", 0))),
        *(Group((f"body{i}_0",), ((f"body{i}_1", 0),)) for i in body),
        Group(("rise",), (("head", 0),)),
        Group(("head",), (("paint", 0),)),
    ]


def importance(trunk: Trunk, rows: NDArray[np.float32], group: Group) -> NDArray[np.float64]:
    """What each channel of a group is worth, (channels,); rows: the modulations that judge, (styles, modulation_size).

    The mean over styles of the variance that all writers give it, times the squared norm of all that reads it.
    """
    written = sum(_variance(trunk, rows, name) for name in group.written)
    count = trunk.weights[f"{group.written[0]}/kernel"].shape[-1]
    kernels = [trunk.weights[f"{name}/kernel"][:, :, first : first + count] for name, first in group.read]
    return np.asarray(written * sum(np.square(kernel, dtype=np.float64).sum(axis=(0, 1, 3)) for kernel in kernels))


def in_words(trunk: Trunk, share: float, where: str) -> str:
    """What pruning makes of a trunk. Raises BadOption when nothing would go."""
    left = prune(trunk, {}, share, where)[0]
    before, after = (sum(values.size for values in each.weights.values()) for each in (trunk, left))
    cut = [
        f"{name.replace('_', ' ')} {was} to {now}"
        for name in ("width", "inside", "deep_width", "deep_inside", "head_width")
        if (was := getattr(trunk.config, name)) != (now := getattr(left.config, name))
    ]
    return f"Pruned: {before} weights become {after}; channels: {', '.join(cut)}."


def _variance(trunk: Trunk, rows: NDArray[np.float32], name: str) -> NDArray[np.float64]:
    """How much what a convolution writes varies over a picture, (channels,), where normalised values are normal."""
    widths = trunk.config.normalised()
    if name not in widths:  # not normalised: its inputs are taken to vary alike
        return np.asarray(np.square(trunk.weights[f"{name}/kernel"], dtype=np.float64).sum(axis=(0, 1, 2)))
    at = 2 * sum(widths[before] for before in list(widths)[: list(widths).index(name)])
    scale, shift = (rows[:, at + i * widths[name] : at + (i + 1) * widths[name], None] for i in range(2))
    values = scale * NODES + shift
    if not name.endswith("_1"):  # the second convolution of a block is added as it is
        values = np.maximum(values, 0)
    mean, second = values @ SHARES, values**2 @ SHARES
    # What is the same everywhere, the next normalisation takes away; but after the head there is none.
    return np.asarray((second - (0 if name == "head" else mean**2)).mean(axis=0))


def _best(worth: NDArray[np.float64], count: int) -> Mask:
    stays = np.zeros(len(worth), bool)
    stays[np.argsort(-worth, kind="stable")[:count]] = True
    return stays


def _widths(config: TrunkConfig) -> dict[str, int]:
    """Channels that each convolution writes, by its name, of those that can be cut."""
    return config.normalised() | {"up": config.width, "rise": config.head_width}


def _layer(weight: str) -> str:
    return weight.split("/")[0]
