"""Training with 8-bit convolutions computes what LiteRT's do, and learns through them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from streamer.export.litert import litert_bytes
from streamer.export.litert_quantised import litert_quantised
from streamer.export.subject import trunk_subject
from streamer.model import load_network
from streamer.runtime import LiteRTRuntime, pad
from streamer.styles import StyleLibrary
from streamer.trunk import Trunk
from tests import tiny
from tests.lessons import first_batch, tiny_recipe
from training.quantised import convolutions, quantise_convolutions, round_inputs, round_kernel
from training.run import describe
from training.train import Trainer, compile_trainer
from training.vgg import random_weights


def test_kernels_have_255_levels_for_each_channel_out() -> None:
    kernel = np.array([[[[1.27, 0.0], [-0.0149, 50.8]]]], np.float32)  # reaches of 1.27 and 50.8
    rounded = ops.convert_to_numpy(round_kernel(ops.convert_to_tensor(kernel)))
    np.testing.assert_allclose(rounded, [[[[1.27, 0.0], [-0.01, 50.8]]]], atol=1e-5)


def test_inputs_have_256_levels_for_each_item_and_keep_zero() -> None:
    x = np.zeros((2, 1, 3, 1), np.float32)
    x[0, 0, :, 0] = [-1.0, 0.0, 1.55]  # steps of 0.01
    x[1, 0, :, 0] = [0.0, 3.004, 255.0]  # steps of 1; no negative value moves the zero
    rounded = ops.convert_to_numpy(round_inputs(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(rounded[:, 0, :, 0], [[-1.0, 0.0, 1.55], [0.0, 3.0, 255.0]], atol=1e-5)
    x[1, 0, :, 0] = [0.004, 3.0, 1.0]
    by_pixel = ops.convert_to_numpy(round_inputs(ops.convert_to_tensor(x), axes=(3,)))
    np.testing.assert_allclose(by_pixel, x, rtol=1e-6)  # one channel: its value is the largest


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("axes", [(1, 2, 3), (3,)])
def test_mixed_precision_rounds_as_float32_does(precision: str, axes: tuple[int, ...]) -> None:
    """Also where all is zero, as most of what a relu gives may be."""
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    x[0, 0, 0], x[1] = 0.0, 0.0
    narrow = ops.cast(ops.convert_to_tensor(x), precision)
    wanted = ops.convert_to_numpy(round_inputs(ops.cast(narrow, "float32"), axes))
    rounded = round_inputs(narrow, axes)
    assert keras.backend.standardize_dtype(rounded.dtype) == precision
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(rounded, "float32")), wanted, atol=0.02)


def test_gradients_pass_through_the_rounding() -> None:
    x = keras.Variable(np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32))
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = ops.sum(round_inputs(x.value) * 3.0)
    np.testing.assert_allclose(tape.gradient(total, x.value), np.full(x.shape, 3.0))


def test_it_computes_what_litert_computes(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    subject = trunk_subject(tiny_library, ["alpha"])
    path = tmp_path / "small.tflite"
    path.write_bytes(litert_quantised(litert_bytes(subject), subject, "dynamic", None, kept=("stem",)))
    batch = subject.batch(np.stack([tiny.picture(48, 64, seed=7)]))
    wanted = LiteRTRuntime(path).run(batch).frames.astype(np.float32)

    def painted(quantised: bool) -> np.ndarray:
        network = load_network(tiny_library.trunk)
        if quantised:
            stem = network.stem.convolution_op
            quantise_convolutions(network)
            network.stem.convolution_op = stem  # it reads bytes, whose rounding LiteRT does in its own way
        padded, (rows, columns) = pad(batch.frames)
        names = ("modulation", "given", "mix", "carry")
        given = {"frames": padded} | {name: getattr(batch, name) for name in names}
        return np.clip(ops.convert_to_numpy(network(given)["frames"])[:, rows, columns], 0, 255)

    off, off_in_float = (np.abs(painted(quantised) - wanted).mean() for quantised in (True, False))
    assert off_in_float > 1.0, "the rounding is to be seen"
    assert off < 0.35  # LiteRT's bytes alone are a quarter of a level off


def test_every_convolution_is_rounded_and_a_run_learns(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, quantised=True, content_weight=0.0, temporal_weight=0.0)
    recipe = replace(recipe, styles=tuple(replace(style, style_weight=0.0) for style in recipe.styles))
    trainer = Trainer(recipe, None)
    assert len(list(convolutions(trainer.network))) == 12
    assert describe(recipe)["trained_for"] == "int8"
    assert Trunk(recipe.config, {}, np.zeros(1, np.float32), describe(recipe)).is_for_int8
    assert "trained_for" not in describe(replace(recipe, quantised=False))
    compile_trainer(trainer)
    before = [ops.convert_to_numpy(weight).copy() for weight in trainer.trainable_variables]
    assert np.isfinite(trainer.train_on_batch(first_batch(recipe)))
    after = [ops.convert_to_numpy(weight) for weight in trainer.trainable_variables]
    assert any(np.abs(new - old).max() > 0 for new, old in zip(after, before, strict=True))


def test_a_styles_temporal_weight_is_times_that_of_the_run(tmp_path: Path) -> None:
    """Twice the weight for both styles is twice the weight of the run; none for both is none."""
    plain = tiny_recipe(tmp_path, temporal_weight=10.0)

    def loss(times: float, run_weight: float) -> float:
        styles = tuple(replace(style, temporal_weight=times) for style in plain.styles)
        recipe = replace(plain, styles=styles, temporal_weight=run_weight, temporal_ramp=(-1.0, -0.5))
        keras.utils.set_random_seed(3)
        trainer = Trainer(recipe, random_weights())
        batch = first_batch(recipe)
        return float(trainer.compute_loss(x=batch, y_pred=trainer(batch)))

    assert loss(2.0, 10.0) == pytest.approx(loss(1.0, 20.0), rel=1e-5)
    assert loss(0.0, 10.0) < loss(1.0, 10.0) < loss(2.0, 10.0)
