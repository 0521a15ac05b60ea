"""`streamer paint` as a user runs it, with a tiny VGG."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from streamer.cli.main import run
from tests import tiny
from training.vgg import random_weights

COMMAND = [sys.executable, "-m", "streamer"]
SHORT = ("--vgg-weights", "vgg.npz", "--long-side", "128", "--steps", "2")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a photograph, a picture and weights."""
    cv2.imwrite(str(tmp_path / "photo.png"), tiny.picture(70, 90))
    cv2.imwrite(str(tmp_path / "Wave (1).png"), tiny.picture(80, 60, seed=1))
    cv2.imwrite(str(tmp_path / "thin.png"), tiny.picture(10, 200))
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((80, 80, 3), 128, np.uint8))
    (tmp_path / "text.jpg").write_text("no picture")
    np.savez(tmp_path / "vgg.npz", **random_weights())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paint(*arguments: str) -> int:
    return run(["paint", *arguments, *SHORT])


def test_two_pictures_make_a_third(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert paint("photo.png", "Wave (1).png", "-o", "out.jpg") == 0
    said = capsys.readouterr().out
    assert said.startswith("out.jpg: 128x100, 2 steps in 0:0") and "content" in said and "style" in said
    with Image.open(place / "out.jpg") as image:
        assert image.size == (128, 100) and image.format == "JPEG"
    assert paint("photo.png", "Wave (1).png", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["output"] == "photo.Wave_1_.png" and told["whole"] and (told["width"], told["steps"]) == (128, 2)
    assert set(told["losses"]) == {"loss", "content", "style", "variation"}
    painted = np.asarray(Image.open(place / "photo.Wave_1_.png"))
    assert not np.array_equal(painted, np.asarray(Image.open(place / "photo.png").resize((128, 100))))


def test_what_a_file_says_is_kept_and_its_pixels_are_upright(place: Path) -> None:
    image = Image.fromarray(tiny.picture(70, 90))
    image.putalpha(Image.linear_gradient("L").resize((90, 70)))
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a harbour", 6  # to be turned to the right
    image.save(place / "turned.png", exif=exif)
    assert paint("turned.png", "Wave (1).png", "-o", "out.png") == 0
    with Image.open(place / "out.png") as painted:
        assert painted.size == (100, 128) and painted.mode == "RGBA"
        alpha = np.asarray(painted.getchannel("A"))
        assert alpha[:, 0].mean() > 200 and alpha[:, -1].mean() < 60
        assert painted.getexif()[0x010E] == "a harbour" and 0x0112 not in painted.getexif()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["photo.png"], 2, "Missing argument 'STYLE'."),
        (["photo.png", "none.png"], 1, "none.png"),
        (["none.png", "grey.png"], 1, "none.png"),
        (["text.jpg", "Wave (1).png"], 1, "'text.jpg' is not a picture that can be read; readable are JPEG"),
        (["photo.png", "text.jpg"], 1, "'text.jpg' is not a picture that can be read"),
        (["photo.png", "grey.png"], 1, "grey.png is of one colour"),
        (["photo.png", "thin.png"], 1, "at most 16 times as long as wide; this one is 200x10."),
        (["thin.png", "photo.png"], 1, "at least 32 pixels; 200x10 at --long-side 128 gives 128x6."),
        (["photo.png", "Wave (1).png", "-o", "photo.png", "--overwrite"], 1, "is the input itself"),
        (["Wave (1).png", "photo.png", "-o", "photo.png", "--overwrite"], 1, "is the input itself"),
        (["photo.png", "Wave (1).png", "-o", "grey.png"], 1, "'grey.png' exists already; --overwrite replaces it."),
        (["photo.png", "Wave (1).png", "-o", "out.txt"], 2, "The output's name must end in one of"),
        (["photo.png", "Wave (1).png", "-o", "no/out.png"], 1, "There is no folder 'no'"),
        (["photo.png", "Wave (1).png", "--style-layers", "conv1_1"], 2, "--style-layers takes relu1_1 to relu5_4"),
        (["photo.png", "Wave (1).png", "--style-layers", "relu4_4"], 1, "The VGG weights have no layer conv4_4"),
        (["photo.png", "Wave (1).png", "--vgg-weights", "none.npz"], 1, "none.npz"),
        (["photo.png", "Wave (1).png", "--begin", "nothing"], 2, "'nothing'"),
    ],
)
def test_what_cannot_be_painted_is_said_in_a_sentence(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert run(["paint", *SHORT, *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("streamer: ") and said in line
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_without_a_network_the_weights_are_asked_for(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(place / "keras"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert run(["paint", "photo.png", "Wave (1).png"]) == 1
    said = capsys.readouterr().err
    assert "could not be downloaded from https://" in said and "give a local file with --vgg-weights FILE" in said


@pytest.mark.timeout(400)  # a process that loads TensorFlow
def test_ctrl_c_keeps_what_there_is(place: Path) -> None:
    options = ("photo.png", "Wave (1).png", "-o", "out.png", "--vgg-weights", "vgg.npz", "--steps", "100000")
    with subprocess.Popen([*COMMAND, "paint", *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            # A line every ten seconds; the first may come before there is a pace.
            before = next(line for line in process.stderr if "step " in line and " left" in line)
            process.send_signal(signal.SIGINT)
            said = before + process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert "Stopped after " in said.splitlines()[-1] and "out.png holds what was painted so far." in said
    assert "Traceback" not in said and not list(place.glob(".*"))
    with Image.open(place / "out.png") as image:
        assert image.size == (512, 398)


@pytest.mark.timeout(400)
def test_ctrl_c_before_the_first_step_writes_nothing(place: Path) -> None:
    command = [*COMMAND, "paint", "photo.png", "Wave (1).png", "-o", "out.png", "--vgg-weights", "vgg.npz"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            time.sleep(0.6)  # TensorFlow is on its way
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("streamer: Stopped ") and "nothing was painted." in said
    assert not list(place.glob("*out*"))
