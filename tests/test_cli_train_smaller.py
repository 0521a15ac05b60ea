"""`streamer train` makes a smaller network: pruned, and taught by the whole one, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from streamer.cli.main import run
from streamer.styles import StyleLibrary, load_style
from streamer.trunk import MODELS, load_trunk
from tests import tiny
from training.recipe import Recipe

SHORT = ("--batch-size", "1", "--crop", "64", "--precision", "float32", "--temporal-weight", "0")
TAUGHT = ("--teacher", "live", "--teacher-weight", "20", "--content-weight", "0", "--style-weight", "0")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture and photographs, and nowhere VGG weights, nor a network to fetch them over."""
    (tmp_path / "photographs").mkdir()
    for i in range(10):
        cv2.imwrite(str(tmp_path / "photographs" / f"{i}.png"), tiny.picture(70, 90, seed=i))
    cv2.imwrite(str(tmp_path / "mosaic.png"), tiny.picture(80, 80, seed=50))
    for name, value in (("XDG_CACHE_HOME", "cache"), ("KERAS_HOME", "keras"), ("STREAMER_LIBRARY", "styles")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_half_a_network_learns_from_the_whole_without_vgg(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = StyleLibrary.default().trunk
    command = ("mosaic.png", "--content", "photographs", "--scope", "trunk", "--prune", "0.5", *TAUGHT, *SHORT)
    assert run(["train", *command, "--steps", "2", "--json"]) == 0
    out, said = capsys.readouterr()
    (told,) = json.loads(out)["styles"]
    assert told["scores"] == {}
    assert "Pruned: 98432 weights become 61568; channels: inside 32 to 16, deep inside 32 to 16." in said
    assert "There are no VGG weights here to score by" in said
    style = load_style(place / "styles" / "mosaic.safetensors")
    trunk = load_trunk(place / "styles" / "trunks" / f"{style.trunk[:16]}.safetensors")
    assert (trunk.config.inside, trunk.config.deep_inside, trunk.config.width) == (16, 16, 32)
    recipe = json.loads(style.metadata["recipe"])
    assert (recipe["teacher"], recipe["teacher_trunk"], recipe["trunk"]) == ("live", whole.checksum, whole.checksum)
    assert (recipe["prune"], recipe["teacher_weight"]) == (0.5, 20.0)
    assert str(place) not in json.dumps(style.metadata)
    assert run(["image", "mosaic.png", "--style", "mosaic", "-o", "out.png"]) == 0
    assert cv2.imread("out.png").shape == (80, 80, 3)

    capsys.readouterr()
    (place / "styles" / "mosaic.safetensors").unlink()
    assert run(["train", "mosaic.png", "--resume"]) == 0  # done: it is put in place again, and still has its teacher
    assert "mosaic.safetensors (not scored): " in capsys.readouterr().out
    assert load_style(place / "styles" / "mosaic.safetensors").checksum == style.checksum


def test_rows_learn_from_a_folder_of_styles(place: Path) -> None:
    """With --scope style, on the network that is there; minutes are timed without VGG, too."""
    tiny.write_library(place / "others")
    command = ("mosaic.png", "--name", "alpha", "--content", "photographs", "--minutes", "0.05", *TAUGHT[2:], *SHORT)
    assert run(["train", *command, "--teacher", "others", "--run-dir", "run"]) == 0
    style = load_style(place / "styles" / "alpha.safetensors")
    assert style.trunk == StyleLibrary.default().trunk.checksum
    recipe = Recipe.from_json((place / "run" / "recipe.json").read_text())
    assert recipe.teacher == str((place / "others").resolve())
    assert recipe.config == MODELS["live"] and "others" not in json.dumps(style.metadata)
