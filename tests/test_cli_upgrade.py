"""`streamer styles upgrade`: a style of an earlier trunk works on, and is learnt again where its picture is at hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.cli.main import run
from streamer.styles import StyleLibrary, load_style, save_style
from streamer.trunk import save_trunk
from tests import tiny
from tests.test_cli import only_sentence
from tests.test_cli_train import place
from training.recipe import Recipe, StyleSource

__all__ = ["place"]  # a fixture
COMMAND = ("styles", "upgrade", "--vgg-weights", "vgg.npz")


def upgrade(*arguments: str) -> int:
    return run([*COMMAND, *arguments])


def learnt_before(place: Path, name: str) -> str:
    """A style of one's own, learnt on another trunk, and the recipe of its run; returns that trunk's checksum."""
    trunk = tiny.random_trunk()
    (place / "styles" / "trunks").mkdir(parents=True)
    save_trunk(trunk, place / "styles" / "trunks" / f"{trunk.checksum[:16]}.safetensors")
    style = replace(tiny.random_style(trunk, name, seed=1), title="O")
    save_style(style, place / "styles" / f"{name}.safetensors")
    source = StyleSource(name, str(place / f"{name}.png"), (64,), style_weight=3, title="O", artist="A", licence="L")
    recipe = Recipe((source,), (str(place / "photographs"),), scope="style", steps=1, batch=1, size=64)
    (place / "runs" / name).mkdir(parents=True)
    (place / "runs" / name / "recipe.json").write_text(recipe.to_json())
    return trunk.checksum


def test_a_style_is_learnt_again_as_it_was(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = learnt_before(place, "other")
    library = StyleLibrary.default()
    assert library.get("other").trunk == old and library.select("other").trunk.checksum == old, "it works on"
    assert upgrade("--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["styles"]
    style = load_style(place / "styles" / "other.safetensors")
    assert told["name"] == "other" and told["scores"] == style.scores
    assert style.trunk == library.trunk.checksum and style.title == "O"
    assert json.loads(style.metadata["recipe"])["styles"][0]["style_weight"] == 3
    library.select("mosaic,other")  # does not raise: they can be blended

    assert upgrade() == 0
    assert "Nothing to do" in capsys.readouterr().err


def test_what_is_not_at_hand_stays(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trunk = StyleLibrary.default().trunk
    style = replace(tiny.random_style(trunk, "mailed", seed=2), trunk="0" * 64)
    (place / "styles").mkdir()
    save_style(style, place / "styles" / "mailed.safetensors")
    assert upgrade() == 0
    assert "The picture of mailed is not at" in capsys.readouterr().err
    np.testing.assert_array_equal(load_style(place / "styles" / "mailed.safetensors").modulation, style.modulation)
    assert upgrade("mailed") == 1
    assert "--pictures DIR names the folder that it is in." in only_sentence(capsys.readouterr().err)
    assert upgrade("mosaic") == 2
    assert "no style 'mosaic' of your own" in only_sentence(capsys.readouterr().err)
    assert upgrade("mailed", "--pictures", "photographs") == 1
    assert "is not as mailed.jpg or .png in photographs" in only_sentence(capsys.readouterr().err)
