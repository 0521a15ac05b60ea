"""What the style network is built from besides the layers of Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from streamer.kernels import binomial_on_subpixels


class SubPixelInitializer(keras.initializers.Initializer):
    """ICNR (Aitken et al. 2017): the phases of a sub-pixel convolution start equal, so no checkerboard."""

    def __init__(self, factor: int = 2) -> None:
        self.factor = factor

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
        """Weights of that shape (height, width, channels in, channels out)."""
        height, width, channels_in, channels_out = shape
        small = keras.initializers.GlorotUniform()((height, width, channels_in, channels_out // self.factor**2))
        # depth_to_space reads channels as (row, column, channel): whole copies one after the other.
        return ops.cast(ops.tile(small, (1, 1, 1, self.factor**2)), dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {"factor": self.factor}


def binomial_initializer(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """`streamer.kernels.binomial_on_subpixels`, as Keras asks for a kernel."""
    return ops.convert_to_tensor(binomial_on_subpixels(shape), dtype=dtype or "float32")


class EdgeConv(keras.layers.Conv2D):
    """A convolution that keeps the size by repeating the outermost cells, where `same` would put zeros.

    Zeros tell the network where a frame ends, and their influence grows with every layer: at an eighth of the
    resolution it reached 70 pixels into the picture, which lost a fifth of the style there. Repeated by slices and
    concatenation, because those run inside XNNPACK and `pad` with a mode does not.
    """

    def __init__(self, filters: int, kernel_size: int, **options: Any) -> None:
        super().__init__(filters, kernel_size, padding="valid", use_bias=False, **options)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Of what `call` gives; Keras would reckon without the repeated edges."""
        batch, *sides, _ = input_shape
        return (batch, *(side and -(-side // self.strides[0]) for side in sides), self.filters)

    def call(self, inputs: Any) -> Any:
        """(B, H, W, C) -> (B, H / strides, W / strides, filters)."""
        missing = self.dilation_rate[0] * (self.kernel_size[0] - 1) + 1 - self.strides[0]
        before, after = missing // 2, missing - missing // 2
        rows = [inputs[:, :1]] * before + [inputs] + [inputs[:, -1:]] * after
        x = ops.concatenate(rows, axis=1)
        columns = [x[:, :, :1]] * before + [x] + [x[:, :, -1:]] * after
        return super().call(ops.concatenate(columns, axis=2))


def upsample(x: Any) -> Any:
    """Twice the size by linear interpolation, (B, H, W, C) -> (B, 2H, 2W, C): no phase is treated unlike another.

    Learned sub-pixel phases at these depths trained into a regular 4-pixel grid. Repeating each cell and averaging
    2x2 is linear interpolation, half a fine pixel up and left, and needs no size known ahead.
    """
    repeated = ops.depth_to_space(ops.concatenate([x] * 4, axis=-1), 2)
    return ops.average_pool(repeated, 2, strides=1, padding="same")
