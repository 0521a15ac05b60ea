"""The style network: one small trunk, conditioned on a style by its normalisation layers.

The trunk is an image-transformation network in the manner of Johnson et al. 2016, made small: a strided
stem, residual blocks at a quarter and an eighth of the resolution, and a sub-pixel head (Shi et al. 2016)
that also sees the input at half resolution. Every convolution but the last is followed by conditional
instance normalisation (Dumoulin et al. 2017), so a style is one vector of scales and shifts: the *modulation*.

The statistics that a normalisation uses are an input too. Over a batch of B frames each layer takes
``used = carry * given + mix @ own`` of its means and second moments, and returns ``used``; a stream hands
it back as ``given`` with its next frame. ``mix = I, carry = 0`` is plain instance normalisation (a still
picture, a first frame, a cut); ``mix = (1 - a) I, carry = a`` smooths a stream over time; a lower
triangular ``mix`` does the same for consecutive frames in one batch; ``mix = 0, carry = 1`` applies known
statistics (the tiles of a huge picture).

Everything here is ``keras.ops``, so the network runs on TensorFlow, JAX and PyTorch alike.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from streamer.errors import BadStyle
from streamer.geometry import BORDER, STRIDE
from streamer.kernels import EPSILON
from streamer.layers import EdgeConv, SubPixelInitializer, binomial_initializer, upsample
from streamer.trunk import Trunk, TrunkConfig, Weights, neutral_modulation

INPUTS = ("frames", "modulation", "given", "mix", "carry")


class StyleNetwork(keras.Model):
    """Frames, modulations and statistics in; styled frames and the statistics used out.

    Call with a dict of:
      frames      (B, H, W, 3), values 0..255, H and W multiples of `STRIDE`
      modulation  (B, config.modulation_size)
      given       (B, config.statistics_size), the statistics that streams bring along
      mix         (B, B), row i: how much of each frame's own statistics frame i uses
      carry       (B, 1), how much of its given statistics frame i uses
      margins     optional (4,) int32: top, left, bottom, right in units of STRIDE; the own statistics
                  are measured inside them only (the tiles of a picture overlap, but count each pixel once)
    Returns a dict of `frames` (B, H, W, 3) float, not clipped; `used` and `own` (B, statistics_size).
    The caller pads the frame by reflection, which keeps the zero padding of the first and last layers out of it;
    in between, where it would reach far, convolutions repeat their edges.
    """

    def __init__(self, config: TrunkConfig, dtype: str = "float32") -> None:
        """dtype: a Keras policy such as float32, mixed_float16 or mixed_bfloat16."""
        # Without autocast: the statistics stay float32 whatever the convolutions compute in.
        super().__init__(name="style_network", dtype=dtype, autocast=False)
        self.config = config
        w, d, h = config.width, config.deep_width, config.head_width

        def conv(width: int, size: int, name: str, **options: Any) -> Any:
            return keras.layers.Conv2D(width, size, padding="same", use_bias=False, name=name, dtype=dtype, **options)

        def edge(width: int, name: str, **options: Any) -> Any:
            return EdgeConv(width, 3, name=name, dtype=dtype, **options)

        self.stem = conv(w, 4, "stem", strides=2)
        self.down = edge(d, "down", strides=2)
        self.deep = [
            [edge(width, f"deep{i}_{j}", dilation_rate=rate) for j, width in enumerate((config.deep_inside, d))]
            for i, rate in enumerate(config.deep_dilations)
        ]
        self.up = conv(w, 1, "up")
        self.fuse = conv(w, 1, "fuse")
        self.body = [
            [edge(width, f"body{i}_{j}") for j, width in enumerate((config.inside, w))] for i in range(config.blocks)
        ]
        self.rise = conv(h, 1, "rise")
        self.head = conv(h, 3, "head")
        self.paint = conv(12, 3, "paint", kernel_initializer=SubPixelInitializer())
        self.smooth = conv(12, 3, "smooth", kernel_initializer=binomial_initializer, trainable=False)

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        state = self.conditioning(inputs)
        x = ops.cast(inputs["frames"], self.compute_dtype) / 127.5 - 1.0
        half = ops.space_to_depth(x, 2)
        skip = ops.relu(state.normalise(self.stem(half), 4))
        y = ops.relu(state.normalise(self.down(skip), 8))
        for first, second in self.deep:
            z = ops.relu(state.normalise(first(y), 8))
            y = y + state.normalise(second(z), 8)
        y = upsample(self.up(y))
        y = ops.relu(state.normalise(self.fuse(ops.concatenate([y, skip], axis=-1)), 4))
        for first, second in self.body:
            z = ops.relu(state.normalise(first(y), 4))
            y = y + state.normalise(second(z), 4)
        y = upsample(self.rise(y))
        y = ops.relu(state.normalise(self.head(ops.concatenate([y, half], axis=-1)), 2))
        out = ops.depth_to_space(state.compose(self.smooth(self.paint(y)), half), 2)
        return {"frames": (ops.cast(out, "float32") + 1.0) * 127.5, **state.statistics()}

    def conditioning(self, inputs: dict[str, Any]) -> Any:
        """What normalises this call's layers; a network whose style is fixed (`streamer.export.frozen`) has another."""
        return _Conditioning(self.config, inputs)


class _Conditioning:
    """Walks through the modulation and the given statistics, layer by layer, in the order of `norm_widths`."""

    def __init__(self, config: TrunkConfig, inputs: dict[str, Any]) -> None:
        self._modulation = ops.cast(inputs["modulation"], "float32")
        self._mix = ops.cast(inputs["mix"], "float32")
        self._kept = ops.cast(inputs["carry"], "float32") * ops.cast(inputs["given"], "float32")
        self._margins = inputs.get("margins")
        self._widths = iter(config.norm_widths())
        self._at = 0
        self._used: list[Any] = []
        self._own: list[Any] = []

    def _take(self, tensor: Any, width: int) -> tuple[Any, Any]:
        at = self._at
        return tensor[:, at : at + width], tensor[:, at + width : at + 2 * width]

    def normalise(self, x: Any, reduction: int) -> Any:
        """Conditional instance normalisation of x (B, H, W, C), which is 1/`reduction` of the frame's size."""
        width = next(self._widths)
        measured = ops.cast(self._inside(x, STRIDE // reduction), "float32")
        own = ops.concatenate([ops.mean(measured, axis=(1, 2)), ops.mean(ops.square(measured), axis=(1, 2))], axis=-1)
        used = self._kept[:, self._at : self._at + 2 * width] + ops.matmul(self._mix, own)
        mean, second = used[:, :width], used[:, width:]
        variance = ops.maximum(second - ops.square(mean), 0.0)
        gamma, beta = self._take(self._modulation, width)
        scale = gamma * ops.rsqrt(variance + EPSILON)
        shift = beta - mean * scale
        self._at += 2 * width
        self._used.append(used)
        self._own.append(own)
        return x * _per_channel(scale, x) + _per_channel(shift, x)

    def _inside(self, x: Any, unit: int) -> Any:
        if self._margins is None:
            return x
        top, left, bottom, right = (self._margins[i] * unit for i in range(4))
        height, width = ops.shape(x)[1], ops.shape(x)[2]
        return x[:, top : height - bottom, left : width - right, :]

    def compose(self, painted: Any, half: Any) -> Any:
        """The 12 sub-pixel channels of the output, of what was painted and of the input, each (B, H, W, 12)."""
        rgb = [self._modulation[:, self._at + 3 * i : self._at + 3 * i + 3] for i in range(3)]
        gain, bias, gate = (_per_channel(ops.tile(value, (1, 4)), painted) for value in rgb)
        return painted * gain + bias + half * gate

    def statistics(self) -> dict[str, Any]:
        """`used` and `own`, (B, statistics_size) each."""
        return {"used": ops.concatenate(self._used, axis=-1), "own": ops.concatenate(self._own, axis=-1)}


def _per_channel(values: Any, like: Any) -> Any:
    """(B, C) -> (B, 1, 1, C) in the dtype of `like`."""
    return ops.cast(ops.reshape(values, (-1, 1, 1, values.shape[-1])), like.dtype)


class ByteNetwork(keras.Model):
    """A style network from uint8 frames to uint8 frames: what runtimes run and exports hold."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__(name="byte_network", autocast=False)
        self.network = network

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """As `StyleNetwork.call`, with `frames` rounded to uint8."""
        outputs = self.network(inputs)
        frames = ops.clip(outputs["frames"] + 0.5, 0.0, 255.0)  # the cast truncates
        return {**outputs, "frames": ops.cast(frames, "uint8")}


class FrameNetwork(keras.Model):
    """A byte network that pads frames of any size itself, and crops back: no host memory is walked through for it."""

    def __init__(self, network: ByteNetwork) -> None:
        super().__init__(name="frame_network", autocast=False)
        self.network = network

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """As `ByteNetwork.call`, with `frames` (B, H, W, 3) of any size."""
        frames = inputs["frames"]
        height, width = ops.shape(frames)[1], ops.shape(frames)[2]
        # As numbers of the network's precision first: not every device gathers bytes.
        x = ops.cast(frames, self.network.network.compute_dtype)
        x = ops.take(ops.take(x, _reflected(height), axis=1), _reflected(width), axis=2)
        outputs = self.network({**inputs, "frames": x})
        return {**outputs, "frames": outputs["frames"][:, BORDER : BORDER + height, BORDER : BORDER + width]}


class BorderedNetwork(keras.Model):
    """A style network for frames whose sides are multiples of STRIDE, from 16 on: it reflects a border, and crops it.

    Put together from slices, and cropped before anything is rounded, it costs LiteRT a fiftieth of a frame's time; its
    own padding, and a crop of bytes, would cost two fifths. The padding of other sizes depends on the size, and with
    such a graph LiteRT works out every shape anew in each frame, outside of XNNPACK.
    """

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__(name="bordered_network", autocast=False)
        self.network = network

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """As `StyleNetwork.call`."""
        x = inputs["frames"]
        before, after = range(BORDER, 0, -1), range(-2, -2 - BORDER, -1)
        x = ops.concatenate([*(x[:, i : i + 1] for i in before), x, *(x[:, i : i + 1] for i in after)], axis=1)
        x = ops.concatenate([*(x[:, :, i : i + 1] for i in before), x, *(x[:, :, i : i + 1] for i in after)], axis=2)
        outputs = self.network({**inputs, "frames": x})
        return {**outputs, "frames": outputs["frames"][:, BORDER:-BORDER, BORDER:-BORDER]}


def _reflected(side: Any) -> Any:
    """Which rows (or columns) of a frame with `side` of them make a padded one, as `streamer.runtime.pad` reflects."""
    padded = (side + 2 * BORDER + STRIDE - 1) // STRIDE * STRIDE
    period = ops.maximum(2 * (side - 1), 1)
    return (side - 1) - ops.abs((side - 1) - (ops.arange(padded) - BORDER) % period)


def build_network(config: TrunkConfig, dtype: str = "float32") -> StyleNetwork:
    """A network with freshly initialised weights, in a Keras dtype policy."""
    network = StyleNetwork(config, dtype)
    size = 4 * STRIDE
    network(
        {
            "frames": np.zeros((1, size, size, 3), np.float32),
            "modulation": neutral_modulation(config)[None],
            "given": np.zeros((1, config.statistics_size), np.float32),
            "mix": np.ones((1, 1), np.float32),
            "carry": np.zeros((1, 1), np.float32),
        }
    )
    return network


def load_network(trunk: Trunk, dtype: str = "float32") -> StyleNetwork:
    """A network with the weights of a trunk file. Raises BadStyle when they do not fit its architecture."""
    network = build_network(trunk.config, dtype)
    set_network_weights(network, trunk)
    return network


def set_network_weights(network: StyleNetwork, trunk: Trunk) -> None:
    """Give a network the weights of a trunk. Raises BadStyle when they do not fit its architecture."""
    for weight in _learned(network):
        name = _weight_name(weight)
        values = trunk.weights.get(name)
        if values is None or values.shape != tuple(weight.shape):
            found = "nothing" if values is None else values.shape
            raise BadStyle(f"The trunk does not fit its architecture: {name} must be {weight.shape}, received {found}.")
        weight.assign(values)


def network_weights(network: StyleNetwork) -> Weights:
    """The learned weights by name, as `Trunk` holds them; fixed kernels are rebuilt from code."""
    return {_weight_name(weight): ops.convert_to_numpy(weight) for weight in _learned(network)}


def _learned(network: StyleNetwork) -> list[Any]:
    # Not `trainable_weights`: a frozen trunk has none.
    fixed = {id(weight) for weight in network.smooth.weights}
    return [weight for weight in network.weights if id(weight) not in fixed]


def _weight_name(weight: Any) -> str:
    # Keras paths start with the names of the models around a layer; the layer's own name is unique here.
    return "/".join(str(weight.path).split("/")[-2:])
