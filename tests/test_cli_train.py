"""`streamer train` as a user runs it: from a picture to a style that paints, with a tiny VGG."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer import styles
from streamer.cli.main import run
from streamer.styles import load_style
from streamer.trunk import load_trunk
from tests import tiny
from training.download import BSDS500
from training.pace import steps_within
from training.recipe import Recipe
from training.vgg import random_weights

COMMAND = [sys.executable, "-m", "streamer"]
SHORT = (
    "--vgg-weights",
    "vgg.npz",
    "--batch-size",
    "1",
    "--crop",
    "64",
    "--style-size",
    "64",
    "--precision",
    "float32",
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with pictures, photographs and weights; the library is its `styles`."""
    (tmp_path / "photographs").mkdir()
    for i in range(10):
        cv2.imwrite(str(tmp_path / "photographs" / f"{i}.png"), tiny.picture(70, 90, seed=i))
    for seed, name in enumerate(("My Picture (1)", "other"), start=50):
        cv2.imwrite(str(tmp_path / f"{name}.png"), tiny.picture(80, 80, seed=seed))
    np.savez(tmp_path / "vgg.npz", **random_weights())
    monkeypatch.setenv("STREAMER_LIBRARY", str(tmp_path / "styles"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(*arguments: str) -> int:
    return run(["train", *arguments, *SHORT])


def result(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    answer: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return answer


def test_a_style_trained_on_the_shipped_trunk_paints_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("My Picture (1).png", "--content", "photographs")
    assert train(*command, "--steps", "2", "--preview-every", "1", "--json") == 0
    (told,) = result(capsys)["styles"]
    assert told["name"] == "my_picture_1" and told["path"] == str(place / "styles" / "my_picture_1.safetensors")
    style = load_style(Path(str(told["path"])))
    assert style.scores == told["scores"] and style.scores["style"] > 0
    assert style.metadata["content"] == "photographs" and str(place) not in str(style.metadata)
    kept = place / "styles" / "trunks" / f"{style.trunk[:16]}.safetensors"
    assert load_trunk(kept).checksum == style.trunk and kept.with_suffix(".tflite").exists()
    assert cv2.imread(str(place / "styles" / "thumbnails" / "my_picture_1.jpg")) is not None
    assert cv2.imread(str(place / "runs" / "my_picture_1" / "preview.png")) is not None
    assert run(["image", "other.png", "--style", "my_picture_1", "-o", "out.png"]) == 0
    assert cv2.imread("out.png").shape == (80, 80, 3)

    assert train(*command) == 2  # what it would replace took long to learn
    assert "holds an earlier run: --resume goes on with it, --run-dir DIR begins another." in capsys.readouterr().err
    (place / "styles" / "my_picture_1.safetensors").unlink()
    assert train("My Picture (1).png", "--resume") == 0  # a run that is done: its style is put in place again
    assert load_style(place / "styles" / "my_picture_1.safetensors").checksum == style.checksum


def test_a_style_outlives_the_network_that_was_shipped_with_it(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train("other.png", "--content", "photographs", "--steps", "1") == 0
    later = tmp_path_factory.mktemp("later")
    tiny.write_library(later)  # with another default trunk
    monkeypatch.setattr(styles, "SHIPPED", later)
    assert styles.StyleLibrary.default().trunk.checksum != load_style(place / "styles" / "other.safetensors").trunk
    assert run(["image", "My Picture (1).png", "--style", "other", "-o", "out.png"]) == 0
    assert cv2.imread("out.png") is not None


def test_two_styles_and_a_trunk_of_their_own_in_a_library_that_they_make(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = ("My Picture (1).png", "other.png", "--name", "first", "--name", "second", "--style-weight", "2")
    of_trunk = ("--scope", "trunk", "--quantization-aware", "--steadiness", "0.5", "--steadiness", "2")
    assert train(*pictures, "--content", "photographs", *of_trunk, "--steps", "1", "--out", "mine") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("STREAMER_LIBRARY=mine streamer transcode in.mp4 --style first")
    first, second = (load_style(place / "mine" / f"{name}.safetensors") for name in ("first", "second"))
    assert first.trunk == second.trunk and not np.array_equal(first.modulation, second.modulation)
    kept = place / "mine" / "trunks" / first.trunk[:16]
    trunk = load_trunk(kept.with_suffix(".safetensors"))
    assert trunk.checksum == first.trunk and trunk.is_for_int8
    assert all(kept.with_suffix(suffix).exists() for suffix in (".tflite", ".tiles.tflite", ".int8.tflite"))
    recipe = Recipe.from_json((place / "runs" / "first+second" / "recipe.json").read_text())
    assert [style.style_weight for style in recipe.styles] == [2.0, 2.0]
    assert [style.temporal_weight for style in recipe.styles] == [0.5, 2.0]
    monkeypatch.setenv("STREAMER_LIBRARY", "mine")
    assert run(["image", "other.png", "--style", "first:0.5,second:0.5", "-o", "out.png"]) == 0


def test_one_style_to_a_file_that_names_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("other.png", "--content", "photographs", "--steps", "1", "--out", "sent/leaf.safetensors") == 0
    assert load_style(place / "sent" / "leaf.safetensors").name == "leaf"
    assert (place / "runs" / "leaf").is_dir()
    assert "STREAMER_LIBRARY=sent streamer transcode in.mp4 --style leaf" in capsys.readouterr().out


def test_minutes_become_steps_that_the_recipe_keeps(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("other.png", "--content", "photographs", "--minutes", "0.05", "--run-dir", "run") == 0
    said = capsys.readouterr().err
    steps = Recipe.from_json((place / "run" / "recipe.json").read_text()).steps
    assert f"About {steps} step{'' if steps == 1 else 's'} in 0.05 minutes." in said
    assert steps < 500


def test_as_many_steps_as_fit_after_two_starts() -> None:
    # Timing began at 0 s; its first step was made after 10 s, each other took 2 s, and it was over after 20 s.
    moments = [10.0, 12.0, 14.0, 16.0, 18.0]
    assert steps_within(60.0, 0.0, moments, 20.0) == 15
    assert steps_within(25.0, 0.0, moments, 20.0) == 1


@pytest.mark.timeout(400)  # two processes, each of which loads TensorFlow
def test_ctrl_c_keeps_what_was_learnt_and_says_how_to_go_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--content", "photographs", "--steps", "60", "--preview-every", "1", "--run-dir", "my run", *SHORT)
    with subprocess.Popen([*COMMAND, "train", "other.png", *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            while not (place / "my run" / "checkpoint.safetensors").exists():
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            said = process.communicate()[1]
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said and not list((place / "my run").glob(".*"))
    (last,) = [line for line in said.splitlines() if "to go on: " in line]
    assert said.splitlines()[-1] == last, said
    assert "What was learnt is in my run; to go on: streamer train --resume --run-dir 'my run'" in last
    assert not (place / "styles" / "other.safetensors").exists()
    assert run(shlex.split(last.split("to go on: streamer ")[1])) == 0
    assert load_style(place / "styles" / "other.safetensors").scores


def test_without_content_the_public_set_is_used_and_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody is there
    monkeypatch.delenv("no_proxy", raising=False)
    assert train("other.png", "--steps", "1") == 1
    said = capsys.readouterr().err
    assert "BSDS500 could not be downloaded" in said and "--content DIR" in said
    assert not (place / "runs").exists()
    kept = place / "cache" / "streamer" / f"BSDS500-{BSDS500.archive.digest[-8:]}"
    (place / "photographs").rename(kept)
    assert train("other.png", "--steps", "1") == 0
    assert load_style(place / "styles" / "other.safetensors").metadata["content"] == "BSDS500"


def test_without_a_network_the_vgg_weights_are_asked_for(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(place / "keras"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert run(["train", "other.png", "--content", "photographs"]) == 1
    assert "give a local file with --vgg-weights FILE" in capsys.readouterr().err
