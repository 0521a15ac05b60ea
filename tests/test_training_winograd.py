"""Convolutions of the frozen VGG by fewer multiplications are the same convolutions, and so are their gradients."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from training.vgg import Features
from training.winograd import WORTHWHILE, FrozenConvolution


@pytest.mark.parametrize("size", [(16, 16), (15, 18), (4, 4), (1, 1), (2, 7), (33, 5), (9, 16400), (270, 260)])
def test_it_is_the_convolution(size: tuple[int, int]) -> None:
    """Of any size; the last two are cut into bands."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *size, 5)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 5, 7)).astype(np.float32)
    found = ops.convert_to_numpy(FrozenConvolution(kernel)(ops.convert_to_tensor(x)))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))  # B, H, W, C, 3, 3
    np.testing.assert_allclose(found, np.einsum("bhwcij,ijco->bhwo", windows, kernel), rtol=0, atol=2e-4)


def test_its_gradient_is_the_convolution_s() -> None:
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(3, 3, 4, 6)).astype(np.float32)
    x, weights = (tf.constant(rng.normal(size=(2, 9, 14, channels)), tf.float32) for channels in (4, 6))
    quick = FrozenConvolution(kernel)

    def gradient(convolve: Any) -> np.ndarray:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.square(convolve(x)) * weights)
        return np.asarray(tape.gradient(total, x))

    gradients = [gradient(quick), gradient(lambda x: ops.conv(x, kernel, padding="same"))]
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=0, atol=1e-5 * np.abs(gradients[1]).max())


def test_vgg_uses_it_for_float32_where_channels_are_many() -> None:
    rng = np.random.default_rng(2)
    weights = {}
    for name, (read, written) in {"conv1_1": (3, 64), "conv1_2": (64, 64), "conv2_1": (64, 128)}.items():
        weights[f"{name}/kernel"] = rng.normal(0, np.sqrt(2 / (9 * read)), (3, 3, read, written)).astype(np.float32)
        weights[f"{name}/bias"] = rng.normal(size=written).astype(np.float32)
    features = Features(weights, ("relu2_1",))
    quick = [name for name, each in features._convolutions.items() if isinstance(each, FrozenConvolution)]
    assert quick == ["conv2_1"] and 64 * 128 >= WORTHWHILE > 64 * 64
    assert not any(
        isinstance(each, FrozenConvolution)
        for each in Features(weights, ("relu2_1",), "bfloat16")._convolutions.values()
    )
    picture = rng.uniform(0, 255, (1, 30, 42, 3)).astype(np.float32)
    x = picture[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    for name in ("conv1_1", "conv1_2", "conv2_1"):
        if name == "conv2_1":
            x = ops.max_pool(x, 2, 2, padding="valid")
        x = keras.ops.relu(ops.conv(x, weights[f"{name}/kernel"], padding="same") + weights[f"{name}/bias"])
    np.testing.assert_allclose(
        ops.convert_to_numpy(features(picture)["relu2_1"]), ops.convert_to_numpy(x), rtol=0, atol=2e-2
    )
