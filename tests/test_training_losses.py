"""What training measures by, against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from streamer.model import load_network
from tests import tiny
from tests.lessons import first_batch, tiny_recipe
from training import losses
from training.train import Trainer
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights, random_weights


def test_gram_by_hand() -> None:
    features = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]], np.float32)  # two positions, two channels
    expected = [[(1 + 9) / 2, (2 + 12) / 2], [(2 + 12) / 2, (4 + 16) / 2]]
    np.testing.assert_allclose(losses.gram(features)[0], expected)


def test_gram_does_not_depend_on_the_number_of_positions() -> None:
    features = np.random.default_rng(0).normal(size=(1, 4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(losses.gram(np.tile(features, (1, 2, 3, 1))), losses.gram(features), rtol=1e-5)


def test_gram_is_computed_in_float32() -> None:
    large = ops.full((1, 8, 8, 2), 60000.0, dtype="float16")  # whose square is beyond float16
    np.testing.assert_allclose(losses.gram(large), np.full((1, 2, 2), float(np.float16(60000)) ** 2), rtol=1e-6)


def test_losses_by_hand() -> None:
    one, two = np.full((2, 4, 4, 3), 255.0, np.float32), np.zeros((2, 4, 4, 3), np.float32)
    np.testing.assert_allclose(losses.relative_square_error(two, one), [1, 1], rtol=1e-6)
    np.testing.assert_allclose(losses.relative_square_error(one * 0.5, one), [0.25, 0.25], rtol=1e-6)
    np.testing.assert_allclose(losses.total_variation(one), [0, 0])
    np.testing.assert_allclose(losses.pixel_difference(one, two), [1, 1], rtol=1e-6)
    stripes = one.copy()
    stripes[:, ::2] = 0
    np.testing.assert_allclose(losses.total_variation(stripes), [1, 1])
    mask = np.ones((2, 4, 4, 1), np.float32)
    mask[1] = 0
    np.testing.assert_allclose(losses.temporal(one, two, mask, np.zeros_like(mask)), [48 / 49, 0], rtol=1e-6)
    half = losses.temporal((one + two) / 2, two, mask, np.zeros_like(mask))
    np.testing.assert_allclose(half, [48 / 49 / 4, 0], rtol=1e-6)  # squared
    # A change of light that the output follows costs nothing.
    np.testing.assert_allclose(losses.temporal(two + 10, two, mask, np.full_like(mask, 10)), [0, 0])


def test_the_loss_is_the_weighted_sum_of_its_parts(tmp_path: Path) -> None:
    recipe = tiny_recipe(
        tmp_path, content_weight=0.5, variation_weight=3.0, temporal_weight=7.0, temporal_ramp=(-1.0, 1.0)
    )
    one, two = recipe.styles
    recipe = replace(recipe, styles=(one, replace(two, style_weight=2.0)))
    trainer = Trainer(recipe, random_weights())
    batch = first_batch(recipe)
    styled = trainer(batch)
    parts = {name: np.asarray(ops.convert_to_numpy(v)) for name, v in trainer._parts(batch, styled).items()}
    weighted = {
        "content": 0.5 * parts["content"],
        "style": np.where(batch["style"] == 1, 2.0, 1.0) * parts["style"],
        "variation": 3.0 * parts["variation"],
        "temporal": 7.0 * 0.5 * parts["temporal"],  # half of the ramp is behind
    }
    outside = np.maximum(np.abs(ops.convert_to_numpy(styled["first"]) - 127.5) - 127.5, 0).mean() / 255
    expected = sum(float(values.mean()) for values in weighted.values()) + outside
    assert float(trainer.compute_loss(batch, None, styled)) == pytest.approx(expected, rel=1e-5)
    assert all(values.mean() > 0 for values in weighted.values())


def test_features_have_vgg_names_and_sizes() -> None:
    features = Features(random_weights(), (*STYLE_LAYERS, CONTENT_LAYER))(np.zeros((1, 64, 64, 3), np.float32))
    assert {name: tuple(value.shape[1:]) for name, value in features.items()} == {
        "relu1_1": (64, 64, 4),
        "relu2_1": (32, 32, 6),
        "relu3_1": (16, 16, 8),
        "relu4_1": (8, 8, 8),
        "relu4_2": (8, 8, 8),
        "relu5_1": (4, 4, 8),
    }


def test_features_equal_kerass_own_vgg(tmp_path: Path) -> None:
    """The same random weights in keras.applications.VGG19, layer by layer."""
    network = keras.applications.VGG19(include_top=False, weights=None)
    weights = {}
    for layer in network.layers:
        if layer.name.startswith("block") and "conv" in layer.name:
            name = layer.name.replace("block", "conv").replace("_conv", "_")
            weights[f"{name}/kernel"], weights[f"{name}/bias"] = layer.get_weights()
    np.savez(tmp_path / "vgg.npz", **weights)
    picture = tiny.picture(32, 32).astype(np.float32)[None]
    layer = network.get_layer("block3_conv1")
    theirs = keras.Model(network.input, layer.output)(keras.applications.vgg19.preprocess_input(picture.copy()))
    ours = Features(load_weights(str(tmp_path / "vgg.npz")), ("relu3_1",))(picture)["relu3_1"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_features_in_float16_reach_beyond_its_largest_number() -> None:
    weights = random_weights()
    weights["conv1_1/kernel"] *= 1000
    weights["conv1_2/bias"] += 50_000.0
    picture = tiny.picture(64, 64).astype(np.float32)[None]
    exact = Features(weights, STYLE_LAYERS)(picture)
    halves = Features(weights, STYLE_LAYERS, "float16")(picture)
    assert max(float(ops.max(values)) for values in exact.values()) > 1e5
    for layer in STYLE_LAYERS:
        largest = float(ops.max(exact[layer]))
        np.testing.assert_allclose(halves[layer], exact[layer], rtol=0.02, atol=0.005 * largest)


def test_statistics_in_float16_do_not_overflow() -> None:
    """Activations of some thousands, whose squares are beyond float16, are normalised as in float32."""
    trunk = tiny.random_trunk()
    trunk.weights["stem/kernel"][...] *= 5000
    inputs = {
        "frames": tiny.picture(64, 64).astype(np.float32)[None],
        "modulation": tiny.random_style(trunk, "any", 1).modulation[None],
        "given": np.zeros((1, tiny.CONFIG.statistics_size), np.float32),
        "mix": np.ones((1, 1), np.float32),
        "carry": np.zeros((1, 1), np.float32),
    }
    exact = load_network(trunk)(inputs)
    halves = load_network(trunk, "mixed_float16")(inputs)
    assert float(ops.max(exact["used"])) > 65504
    np.testing.assert_allclose(halves["used"], exact["used"], rtol=0.05, atol=0.05)
    difference = np.abs(ops.convert_to_numpy(halves["frames"]) - ops.convert_to_numpy(exact["frames"]))
    assert difference.mean() < 1.0  # of 255
