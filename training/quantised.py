"""Quantisation-aware training (Jacob et al. 2018): convolutions that compute as their 8-bit form will.

What LiteRT calls dynamic-range quantisation: kernels symmetric, a scale for each output channel; the inputs of each
convolution asymmetric, scaled by the least and largest value that this very frame has there, or, where kernels are 1x1
and a convolution is a matrix product, this very pixel. Nothing is calibrated, so it holds for every style, blend and
strength. The first convolution reads bytes, which have 8 bits as they are; all others round as LiteRT does, to the bit
but for ties. Gradients pass through the rounding unchanged.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops
from keras.quantizers import fake_quant_with_min_max_vars as fake_quantise

from streamer.model import StyleNetwork

BITS = 8
LEVELS = 2.0**BITS - 1  # steps between the least and the largest
SMALLEST = 1e-8  # range of a tensor of zeros


def quantise_convolutions(network: StyleNetwork) -> None:
    """Have every convolution of a network round what it multiplies, from now on."""
    for layer in convolutions(network):
        axes = (3,) if layer.kernel_size == (1, 1) else (1, 2, 3)
        prepare = None if layer is network.stem else functools.partial(round_inputs, axes=axes)
        layer.convolution_op = functools.partial(_convolve, layer.convolution_op, prepare)


def convolutions(network: StyleNetwork) -> Iterator[Any]:
    """Its convolutions."""
    yield from (layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))


def _convolve(convolution: Any, prepare: Any, x: Any, kernel: Any) -> Any:
    return convolution(prepare(x) if prepare else x, round_kernel(kernel))


def round_kernel(kernel: Any) -> Any:
    """(height, width, channels in, channels out) with 255 levels for each channel out."""
    reach = ops.stop_gradient(ops.maximum(ops.max(ops.abs(kernel), axis=(0, 1, 2)), SMALLEST))
    return fake_quantise(kernel, -reach, reach, num_bits=BITS, narrow_range=True, axis=-1)


def round_inputs(x: Any, axes: tuple[int, ...] = (1, 2, 3)) -> Any:
    """(B, H, W, C) with 256 levels, 0 among them, between the least and the largest value along some axes."""
    exact = ops.cast(x, "float32")  # in float16 SMALLEST is 0
    least = ops.minimum(ops.min(exact, axis=axes, keepdims=True), 0.0)
    most = ops.maximum(ops.max(exact, axis=axes, keepdims=True), SMALLEST)
    step = (most - least) / LEVELS  # Keras' own rounds a whole tensor, or its channels, alike
    zero = ops.round(-least / step)
    rounded = ops.clip(ops.round(exact / step) + zero, 0.0, LEVELS)
    return x + ops.cast(ops.stop_gradient((rounded - zero) * step - exact), x.dtype)
