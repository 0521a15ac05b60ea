"""`streamer evaluate` as a user runs it: a process of its own, or the command in this one."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.cli.main import run
from streamer.styles import StyleLibrary
from tests import tiny
from tests.evaluated import save_clip
from training.vgg import random_weights

COMMAND = [sys.executable, "-m", "streamer", "evaluate"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    for part in ("photographs", "program/alpha/photos", "clips"):
        (folder / part).mkdir(parents=True)
    for i in range(3):
        picture = tiny.picture(162, 170, seed=i)
        cv2.imwrite(str(folder / "photographs" / f"{i}.png"), picture)
        cv2.imwrite(str(folder / "program/alpha/photos" / f"{i}.png"), picture[:160, :168])
    scene = tiny.picture(80, 140, seed=9)
    save_clip(folder / "clips" / "pan.mkv", [scene[:, 2 * i : 2 * i + 96] for i in range(4)])
    cv2.imwrite(str(folder / "alpha.png"), tiny.picture(80, 80, seed=50))
    np.savez(folder / "vgg.npz", **random_weights())
    return folder


@pytest.fixture
def own(clean_environment: Path, tiny_library: StyleLibrary) -> Path:
    """A library of one's own with the tiny styles."""
    shutil.copytree(tiny_library.folders[0], clean_environment, dirs_exist_ok=True)
    return clean_environment


def test_the_card_as_json_and_as_a_report(place: Path, own: Path) -> None:
    options = [
        "--content",
        "photographs",
        "--clips",
        "clips",
        "--vgg-weights",
        "vgg.npz",
        "--pictures",
        "alpha=alpha.png",
    ]
    command = [*COMMAND, "alpha", *options, "--limit", "2", "--json", "--report", "report"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    (style,) = card["styles"]
    assert (style["program"], style["style"]) == ("streamer live", "alpha")
    assert style["scores"]["style"] > 0 and set(style["photographs"]) == {"0", "2"}
    assert set(style["clips"]["pan"]["e_warp"]) == {"1"}  # too short for a gap of 10
    assert card["settings"]["VGG-19"] == "vgg.npz" and str(place) not in done.stdout
    assert {path.name for path in (place / "report").iterdir()} >= {"report.md", "scores.json", "photographs.jpg"}
    assert json.loads((place / "report" / "scores.json").read_text())["styles"][0]["scores"] == style["scores"]


def test_tables_for_people_and_a_note_of_what_is_missing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    arguments = ["evaluate", "--stylised", "program", "--content", "photographs", "--vgg-weights", "vgg.npz"]
    assert run(arguments) == 0
    out, err = capfd.readouterr()
    assert "The picture of alpha is not in --pictures" in err
    row = next(line for line in out.splitlines() if "program" in line and "alpha" in line)
    assert row.split() == ["program", "alpha", "0.000", *"------", "3"]


def test_each_frames_own_statistics(
    place: Path, own: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Clips alone need no VGG; with and without --per-frame they are styled differently."""
    monkeypatch.chdir(place)
    found = []
    for more in ([], ["--per-frame"]):
        assert run(["evaluate", "beta", "--clips", "clips", "--json", *more]) == 0
        card = json.loads(capfd.readouterr()[0])
        found.append((card["settings"]["our clips are styled"], card["styles"][0]["clips"]["pan"]["e_warp"]["1"]))
    assert found[0][0] == "as a stream" and found[1][0] == "frame by frame"
    assert found[0][1] != found[1][1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["alpah", "--content", "photographs"], 2, "There is no style 'alpah'. Did you mean alpha?"),
        (["alpha", "--model", "quality", "--content", "photographs"], 2, "no style 'alpha' for the quality model"),
        (["alpha", "--content", "nowhere"], 1, "There are no photographs in nowhere"),
        (["alpha", "--clips", "photographs"], 1, "There are no clips in photographs"),
        (["alpha", "--content", "photographs", "--vgg-weights", "no.npz"], 1, "no.npz"),
        (["alpha", "--content", "photographs", "--pictures", "x"], 2, "--pictures takes a folder, or NAME=FILE"),
        (["--stylised", "nowhere", "--content", "photographs"], 1, "There is no folder nowhere"),
        (["alpha", "--clips", "clips", "--report", "alpha.png"], 1, "The report cannot be written to alpha.png"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    place: Path,
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(place)
    assert run(["evaluate", *arguments]) == code
    out, err = capfd.readouterr()
    assert said in err.splitlines()[-1] and "Traceback" not in err
    assert not out


def test_ctrl_c_stops_between_two_frames(place: Path, own: Path, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for i in range(60):
        cv2.imwrite(str(tmp_path / "many" / f"{i}.png"), tiny.picture(200, 300, seed=i))
    options = ["--content", str(tmp_path / "many"), "--vgg-weights", "vgg.npz", "--limit", "60"]
    process = subprocess.Popen(
        [*COMMAND, *options, "--report", str(tmp_path / "report")], cwd=place, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "report").is_dir():  # made when the command has begun
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "Stopped before the end" in told and "Traceback" not in told
    assert not list((tmp_path / "report").iterdir())
