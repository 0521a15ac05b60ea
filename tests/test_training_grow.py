"""Networks that grow: they paint what the small ones painted, and what is new learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.errors import BadOption, BadStyle
from streamer.model import load_network
from streamer.trunk import MODELS, Trunk, TrunkConfig
from tests import tiny
from tests.lessons import inputs_of, library_of, tiny_recipe
from training.grow import fits_inside, grow
from training.preview import run_network
from training.run import run
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


def test_a_run_begins_with_what_has_grown_and_goes_on_from_its_checkpoint(tmp_path: Path, models: None) -> None:
    trunk, rows = small()
    library_of(trunk, rows, tmp_path / "small")
    recipe = tiny_recipe(tmp_path, steps=1, model="quality", config=LARGE, temporal_weight=0.0, learning_rate=1e-9)
    trainer = run(recipe, tmp_path / "run", report=quiet, start_from=tmp_path / "small", vgg=random_weights())
    kernel = trunk.weights["deep0_1/kernel"]
    np.testing.assert_allclose(trainer.trunk().weights["deep0_1/kernel"][:, :, :8, :8], kernel, rtol=0, atol=1e-6)
    _, larger = grow(trunk, rows, LARGE)
    np.testing.assert_allclose(trainer.table, np.stack([larger["one"], larger["two"]]), rtol=0, atol=1e-5)
    again = run(recipe, tmp_path / "run", report=quiet, start_from=tmp_path / "small", vgg=random_weights())
    assert again.trunk().checksum == trainer.trunk().checksum


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
