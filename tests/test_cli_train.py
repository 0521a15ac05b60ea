"""`streamer train` as a user runs it: a process of its own, from a picture to a style that transcodes."""

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

from tests import tiny
from training.vgg import random_weights

COMMAND = [sys.executable, "-m", "streamer"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    (folder / "photographs").mkdir()
    for i in range(10):
        cv2.imwrite(str(folder / "photographs" / f"{i}.png"), tiny.picture(100, 120, seed=i))
    cv2.imwrite(str(folder / "picture.png"), tiny.picture(80, 80, seed=50))
    np.savez(folder / "vgg.npz", **random_weights())
    return folder


def train(place: Path, *more: str) -> list[str]:
    options = ["--content", "photographs", "--vgg-weights", "vgg.npz", "--batch-size", "1", "--crop", "96"]
    return [
        *COMMAND,
        "train",
        "picture.png",
        "--name",
        "mine",
        "--style-size",
        "64",
        *options,
        "--run-dir",
        "run",
        *more,
    ]


def test_a_trained_style_works_at_once(place: Path, clean_environment: Path) -> None:
    done = subprocess.run(
        train(place, "--steps", "2", "--json"), cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (style,) = json.loads(done.stdout)["styles"]
    assert style["name"] == "mine" and style["scores"]["style"] > 0
    assert Path(style["path"]).parent == clean_environment
    command = [*COMMAND, "image", "picture.png", "--style", "mine", "-o", "out.png"]
    assert subprocess.run(command, cwd=place, check=False).returncode == 0
    assert cv2.imread(str(place / "out.png")).shape == (80, 80, 3)
    again = subprocess.run(train(place), cwd=place, capture_output=True, text=True, check=False)
    assert again.returncode == 2 and "--resume" in again.stderr


def test_ctrl_c_keeps_what_was_learnt(place: Path) -> None:
    command = train(place, "--steps", "5000", "--keep-every", "1", "--run-dir", "stopped")
    process = subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not (place / "stopped" / "checkpoint.safetensors").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "--resume goes on" in told and "Traceback" not in told
    assert not list((place / "stopped").glob(".*"))


def test_resume_without_a_run_is_said(place: Path) -> None:
    command = [*COMMAND, "train", "--resume", "--run-dir", "nowhere"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "There is no run to resume in nowhere" in done.stderr
