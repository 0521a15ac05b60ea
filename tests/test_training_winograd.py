"""Convolutions of the frozen VGG by fewer multiplications are the same convolutions, and so are their gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.lessons import tiny_recipe
from training.train import Trainer
from training.vgg import Features, random_weights
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


def test_vgg_uses_it_where_channels_are_many() -> None:
    weights = random_weights((64, 128), seed=2, layers=(2, 1))
    plain, quick = (Features(weights, ("relu2_1",), winograd=winograd) for winograd in (False, True))

    def used(features: Features) -> list[str]:
        return [name for name, each in features._convolutions.items() if isinstance(each, FrozenConvolution)]

    assert (used(plain), used(quick)) == ([], ["conv2_1"]) and 64 * 128 >= WORTHWHILE > 64 * 64
    picture = np.random.default_rng(2).uniform(0, 255, (1, 30, 42, 3)).astype(np.float32)
    seen = [ops.convert_to_numpy(features(picture)["relu2_1"]) for features in (plain, quick)]
    np.testing.assert_allclose(seen[1], seen[0], rtol=0, atol=1e-4 * seen[0].max())


def test_training_uses_it_in_float32_alone(tmp_path: Path) -> None:
    weights = random_weights((4, 6, 96, 96, 8))
    for precision, wanted in (("float32", True), ("bfloat16", False)):
        trainer = Trainer(tiny_recipe(tmp_path, precision=precision), weights)
        assert isinstance(trainer._features._convolutions["conv3_2"], FrozenConvolution) is wanted
