"""What a stylised frame is measured by. Pictures are (B, H, W, 3) in 0..255, features (B, h, w, C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def gram(features: Any) -> Any:
    """Gram matrices (B, C, C): channel correlations averaged over positions (Gatys et al. 2016), in float32."""
    x = ops.cast(features, "float32")
    shape = ops.shape(x)
    positions = shape[1] * shape[2]
    flat = ops.reshape(x, (-1, positions, shape[3]))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / ops.cast(positions, "float32")


def relative_square_error(value: Any, target: Any) -> Any:
    """|value - target|^2 / |target|^2 for each item of a batch, shape (B,)."""
    axes = tuple(range(1, len(value.shape)))
    return ops.sum(ops.square(value - target), axis=axes) / (ops.sum(ops.square(target), axis=axes) + 1e-8)


def style_terms(features: Mapping[str, Any], target_grams: Mapping[str, Any]) -> dict[str, Any]:
    """For each layer, how far the Gram matrices are from the style's, relative to its norm; (B,) each.

    Normalising by the style's own norm is what lets styles share a trunk and a weight.
    """
    return {layer: relative_square_error(gram(features[layer]), target) for layer, target in target_grams.items()}


def total_variation(pictures: Any) -> Any:
    """Mean absolute difference of neighbours, pictures scaled to 0..1, shape (B,)."""
    x = pictures / 255.0
    vertical = ops.mean(ops.abs(x[:, 1:] - x[:, :-1]), axis=(1, 2, 3))
    horizontal = ops.mean(ops.abs(x[:, :, 1:] - x[:, :, :-1]), axis=(1, 2, 3))
    return vertical + horizontal


def temporal(second: Any, warped_first: Any, mask: Any, light: Any) -> Any:
    """How far a frame is from its warped predecessor where both see the same thing, shape (B,).

    mask * (second - warped_first - light)^2, frames scaled to 0..1. `light` (B, H, W, 1), in 0..255, is the change of
    luminance of the input itself: the output may follow it (ReCoNet, Gao et al. 2018). Squared, as Gram matrices are:
    by absolute differences it is cheaper to paint half of a frame twice as strongly and leave the rest, and so it came.
    """
    difference = ops.square((second - warped_first - light) / 255.0)
    seen = ops.sum(mask, axis=(1, 2, 3)) * 3.0 + 1.0
    return ops.sum(mask * difference, axis=(1, 2, 3)) / seen


def pixel_difference(pictures: Any, targets: Any) -> Any:
    """Mean absolute difference, pictures scaled to 0..1, shape (B,)."""
    return ops.mean(ops.abs(pictures - targets), axis=(1, 2, 3)) / 255.0
