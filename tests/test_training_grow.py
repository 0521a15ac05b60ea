"""Networks that grow: they paint what the small ones painted, and what is new learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from streamer.errors import BadOption, BadStyle, Interrupted
from streamer.model import load_network
from streamer.styles import load_style, save_style
from streamer.trunk import MODELS, Trunk, TrunkConfig
from tests import tiny
from tests.lessons import inputs_of, library_of, tiny_recipe
from training.checkpoint import read_recipe
from training.grow import fits_inside, grow
from training.preview import run_network
from training.run import beginning_for, run
from training.vgg import random_weights

SMALL = TrunkConfig(width=8, blocks=1, deep_width=8, deep_dilations=(1,), head_width=8)
LARGE = TrunkConfig(width=16, blocks=2, deep_width=24, deep_dilations=(1, 2), head_width=16)


def quiet(*_: Any) -> None:
    """Tells nobody."""


def small() -> tuple[Trunk, dict[str, np.ndarray]]:
    """A random trunk and two styles of it."""
    trunk = tiny.random_trunk(SMALL)
    return trunk, {name: tiny.random_style(trunk, name, seed).modulation for seed, name in enumerate(("one", "two"))}


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two architectures, as those that `--model` knows."""
    monkeypatch.setitem(MODELS, "live", SMALL)
    monkeypatch.setitem(MODELS, "quality", LARGE)


@pytest.mark.parametrize(
    "config", [LARGE, MODELS["quality"], replace(SMALL, blocks=3), replace(SMALL, inside_width=16)], ids=str
)
def test_what_has_grown_paints_as_before(config: TrunkConfig) -> None:
    trunk, rows = small()
    grown, larger = grow(trunk, rows, config)
    assert grown.config == config
    before, after = load_network(trunk), load_network(grown)
    for name, row in rows.items():
        for picture in (tiny.picture(48, 64, seed=3), tiny.picture(56, 40, seed=4)):
            wanted = np.asarray(before(inputs_of(picture, row, SMALL))["frames"])
            found = np.asarray(after(inputs_of(picture, larger[name], config))["frames"])
            np.testing.assert_allclose(found, wanted, rtol=0, atol=0.02)  # of 255: 1e-4 of the range
            assert wanted.std() > 5
    picture = tiny.picture(48, 64, seed=3)
    np.testing.assert_array_equal(run_network(after, picture, grown.identity), picture)


def test_what_is_new_learns(tmp_path: Path, models: None) -> None:
    trunk, rows = small()
    library_of(trunk, rows, tmp_path / "small")
    recipe = tiny_recipe(tmp_path, steps=3, model="quality", config=LARGE, temporal_weight=0.0, learning_rate=1e-2)
    trainer = run(recipe, tmp_path / "run", report=quiet, start_from=tmp_path / "small", vgg=random_weights())
    weights, table = trainer.trunk().weights, trainer.table
    assert np.abs(weights["down/kernel"][:, :, 8:, :8]).mean() > 1e-3  # old channels read new ones
    begun = grow(trunk, rows, LARGE)[0].weights["stem/kernel"]
    assert np.abs(weights["stem/kernel"][..., :8] - begun[..., :8]).mean() > 1e-3
    at = 2 * sum(list(LARGE.normalised().values())[: list(LARGE.normalised()).index("body1_1")])
    assert np.abs(table[:, at : at + 16]).min() > 0  # new blocks add
    keras.utils.set_random_seed(recipe.seed)  # as `run` does before it draws what is new
    drawn = grow(trunk, rows, LARGE)[0].weights
    for name, new in (("body1_0/kernel", ...), ("deep1_0/kernel", ...), ("down/kernel", np.s_[..., 8:])):
        assert np.abs(weights[name][new] - drawn[name][new]).mean() > 1e-3, name


def test_a_run_begins_with_what_has_grown(tmp_path: Path, models: None) -> None:
    trunk, rows = small()
    library_of(trunk, rows, tmp_path / "small")
    recipe = tiny_recipe(tmp_path, steps=1, model="quality", config=LARGE, temporal_weight=0.0, learning_rate=1e-9)
    trainer = run(recipe, tmp_path / "run", report=quiet, start_from=tmp_path / "small", vgg=random_weights())
    kernel = trunk.weights["deep0_1/kernel"]
    np.testing.assert_allclose(trainer.trunk().weights["deep0_1/kernel"][:, :, :8, :8], kernel, rtol=0, atol=1e-6)
    _, larger = grow(trunk, rows, LARGE)
    np.testing.assert_allclose(trainer.table, np.stack([larger["one"], larger["two"]]), rtol=0, atol=1e-5)


def test_a_run_that_has_grown_goes_on_without_its_beginning(tmp_path: Path, models: None) -> None:
    def stop(step: int, total: int, losses: dict[str, float]) -> None:
        if step == 1:
            raise Interrupted

    library_of(*small(), tmp_path / "small")
    recipe = tiny_recipe(tmp_path, steps=2, model="quality", config=LARGE, temporal_weight=0.0)
    vgg = random_weights()
    with pytest.raises(Interrupted):
        run(recipe, tmp_path / "run", report=stop, start_from=tmp_path / "small", vgg=vgg)
    resumed = run(read_recipe(tmp_path / "run"), tmp_path / "run", report=quiet, vgg=vgg)
    whole = run(recipe, tmp_path / "whole", report=quiet, start_from=tmp_path / "small", vgg=vgg)
    for name, kernel in whole.trunk().weights.items():
        np.testing.assert_allclose(resumed.trunk().weights[name], kernel, rtol=0, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(resumed.table, whole.table, rtol=0, atol=1e-5)


def test_a_pruned_network_is_of_the_model_that_it_was_made_for(tmp_path: Path, models: None) -> None:
    pruned = replace(SMALL, inside_width=4)
    trunk = tiny.random_trunk(pruned)
    library_of(trunk, {"one": tiny.random_style(trunk, "one", 0).modulation}, tmp_path / "pruned")
    recipe = tiny_recipe(tmp_path)
    style = load_style(tmp_path / "pruned" / "one.safetensors")
    save_style(replace(style, metadata={"recipe": recipe.to_json()}), tmp_path / "pruned" / "one.safetensors")
    assert beginning_for(recipe, tmp_path / "pruned")[1] is False
    export, grows = beginning_for(replace(recipe, model="quality", config=LARGE), tmp_path / "pruned")
    assert grows and export.trunk.config == pruned


def test_what_cannot_grow_is_said(tmp_path: Path, models: None) -> None:
    assert fits_inside(SMALL, LARGE) and not fits_inside(LARGE, SMALL)
    assert not fits_inside(replace(SMALL, deep_dilations=(2,)), LARGE)
    trunk, rows = small()
    with pytest.raises(BadStyle, match="cannot grow into"):
        grow(*grow(trunk, rows, LARGE), SMALL)
    library_of(*grow(trunk, rows, LARGE), tmp_path / "large")
    with pytest.raises(BadStyle, match="large holds a network of the quality model: give --model quality"):
        run(tiny_recipe(tmp_path), tmp_path / "run", report=quiet, start_from=tmp_path / "large", vgg=random_weights())
    rows_alone = tiny_recipe(tmp_path, scope="style")
    with pytest.raises(BadOption, match="--start-from is for --scope trunk"):
        run(rows_alone, tmp_path / "run", report=quiet, start_from=tmp_path / "large", vgg=random_weights())
    assert not (tmp_path / "run").exists()
