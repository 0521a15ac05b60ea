"""`streamer train --sweep`: a grid of short runs, one picture of them, and the way on from there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.cli.main import run
from streamer.cli.sources import Sources
from streamer.cli.sweep import command_line, full_command
from streamer.errors import BadOption, Interrupted
from streamer.training_settings import TrainOptions
from tests import tiny
from training.plan import Picture
from training.sheet import Cell, draw_sheet
from training.sweep import Axes, Swept, parse_axes, plan_trials, sweep
from training.vgg import random_weights

OPTIONS = TrainOptions(vgg_weights="vgg.npz", batch_size=1, crop=64, steps=1, temporal_weight=0, precision="float32")
PICTURE = Picture(Path("picture.png"), "mine", sizes=(64,))
AXES: Axes = {"style_weight": (1.0, 4.0), "content_weight": (2.0,)}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "photographs").mkdir()
    for i in range(10):
        cv2.imwrite(str(tmp_path / "photographs" / f"{i}.png"), tiny.picture(64, 80, seed=i))
    for i in range(2):
        cv2.imwrite(str(tmp_path / "photographs" / f"val_{i}.png"), tiny.picture(64, 80, seed=20 + i))
    cv2.imwrite(str(tmp_path / "picture.png"), tiny.picture(80, 80, seed=50))
    np.savez(tmp_path / "vgg.npz", **random_weights())
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Teller:
    """Stops before step `stop_at`; remembers how far it was told that things are."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.steps: list[tuple[int, int]] = []

    def __call__(self, step: int, total: int, losses: dict[str, float]) -> None:
        if step == self.stop_at:
            raise Interrupted
        self.steps.append((step, total))

    def doing(self, what: str, share: float | None = None) -> None:
        pass

    def say(self, sentence: str) -> None:
        pass


def make(tell: Teller, *, resume: bool = False) -> Swept:
    content = [Path("photographs")]
    return sweep(AXES, [PICTURE], content, OPTIONS, folder=Path("swept"), command=["train"], tell=tell, resume=resume)


def test_a_sweep_that_was_stopped_goes_on_where_it_was(place: Path) -> None:
    with pytest.raises(Interrupted):
        make(Teller(stop_at=2))
    first = place / "swept" / "trial-01" / "result.json"
    done = first.stat().st_mtime_ns
    assert not (place / "swept" / "trial-02" / "result.json").exists()
    unfinished = cv2.imread(str(place / "swept" / "sweep.png"))
    tell = Teller()
    swept = make(tell, resume=True)
    assert first.stat().st_mtime_ns == done  # and is not trained twice
    assert all(step == (2, 2) for step in tell.steps)
    assert [trial.values for trial in swept.trials] == [
        {"style_weight": 1.0, "content_weight": 2.0},
        {"style_weight": 4.0, "content_weight": 2.0},
    ]
    assert all(trial.scores["style"] > 0 for trial in swept.trials)
    assert swept.command == ["train"]
    finished = cv2.imread(str(swept.sheet))
    assert finished.shape == unfinished.shape and (finished != unfinished).any()


def test_a_sweep_from_the_command_line_ends_in_commands(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["picture.png", "--name", "mine", "--content", "photographs", "--style-weight", "9", "--style-size", "64"]
    options = ["--vgg-weights", "vgg.npz", "--batch-size", "1", "--crop", "64", "--steps", "1", "--run-dir", "swept"]
    tried = ["--sweep", "style_weight=0.5,2"]
    assert run(["train", *command, *options, *tried, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [trial["values"] for trial in told["trials"]] == [{"style_weight": 0.5}, {"style_weight": 2.0}]
    assert told["trials"][1]["command"] == (
        "streamer train picture.png --name mine --style-size 64 --content photographs "
        "--vgg-weights vgg.npz --batch-size 1 --crop 64 --style-weight 2"
    )
    assert cv2.imread(told["sheet"]).shape[1] > 2 * 2 * 64
    assert run(["train", *command, *options, *tried]) == 2
    assert "holds an earlier sweep: --resume goes on with it" in capsys.readouterr().err
    assert run(["train", "--resume", "--run-dir", "swept"]) == 0  # nothing is left to do but to tell
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["TRIAL", "style_weight", "CONTENT", "STYLE"]
    assert lines[3] == "All of them beside each other: swept/sweep.png"
    assert lines[4].startswith("To train 1 in full: streamer train picture.png") and len(lines) == 6


def test_the_first_parameter_changes_fastest(place: Path) -> None:
    axes = parse_axes(["style_weight=1,3", "learning_rate=0.01,0.02", "style_size=64"])
    trials = plan_trials(axes, PICTURE, [], OPTIONS)
    assert [(t.recipe.styles[0].style_weight, t.recipe.learning_rate) for t in trials] == [
        (1, 0.01),
        (3, 0.01),
        (1, 0.02),
        (3, 0.02),
    ]
    assert all(trial.recipe.styles[0].sizes == (64,) for trial in trials)
    assert [trial.number for trial in trials] == [1, 2, 3, 4]


def test_the_weight_of_a_teacher_can_be_swept(place: Path) -> None:
    tiny.write_library(place / "library")
    taught = replace(OPTIONS, teacher="library", content_weight=0)
    picture = replace(PICTURE, name="alpha", weight=0.0)
    trials = plan_trials(parse_axes(["teacher_weight=1,5", "style_weight=0,2"]), picture, [], taught)
    assert [(t.recipe.teacher_weight, t.recipe.uses_features) for t in trials] == [
        (1, False),
        (5, False),
        (1, True),
        (5, True),
    ]
    assert {trial.recipe.teacher for trial in trials} == {str((place / "library").resolve())}
    with pytest.raises(BadOption, match="nothing to learn from"):
        plan_trials(parse_axes(["teacher_weight=0,1"]), picture, [], taught)


def test_the_command_of_a_trial_says_flags_as_they_are_said() -> None:
    said = dict.fromkeys(Sources.__dataclass_fields__, ())
    sources = Sources(**said | {"pictures": (Path("a.png"),)})
    options = TrainOptions(scope="trunk", prune=0.5, teacher="live", quantization_aware=True)
    command = command_line(sources, options)
    assert command[:3] == ["streamer", "train", "a.png"] and "True" not in command
    flags = {"--scope": "trunk", "--prune": "0.5", "--teacher": "live"}
    assert all(command[command.index(flag) + 1] == value for flag, value in flags.items())
    assert "--quantization-aware" in command


def test_a_trial_is_trained_in_full_by_the_command_with_its_values() -> None:
    swept = Swept(Path("sheet"), [], ["streamer", "train", "my cat.png", "--style-weight", "9", "--crop", "64"])
    full = full_command(swept, {"style_weight": 0.5, "content_weight": 2.0})
    assert full == "streamer train 'my cat.png' --crop 64 --style-weight 0.5 --content-weight 2"


def test_a_sheet_has_its_cells_in_rows() -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]
    cells = [Cell(np.full((40, 60, 3), colour, np.uint8), f"cell {i}", "score") for i, colour in enumerate(colours)]
    before = np.full((40, 60, 3), 7, np.uint8)
    sheet = draw_sheet("title", tiny.picture(30, 90), before, cells, columns=3)
    centres = [tuple(np.argwhere((sheet == colour).all(axis=2)).mean(axis=0)) for colour in colours]
    heights, places = zip(*centres, strict=True)
    assert len({round(height) for height in heights[:3]}) == 1 and len({round(h) for h in heights[3:]}) == 1
    assert heights[0] < heights[3] and places[0] < places[1] < places[2] and places[0] == places[3]
    assert all((sheet == colour).all(axis=2).sum() == 40 * 60 for colour in [*colours, (7, 7, 7)])


def test_text_is_written_and_does_not_leave_its_cell() -> None:
    cells = [Cell(np.full((20, 50, 3), 128, np.uint8), "a very long line of text " * 9, "") for _ in range(2)]
    sheet = draw_sheet("", tiny.picture(20, 20), np.full((20, 50, 3), 128, np.uint8), cells, columns=2)
    assert (sheet < 60).any()  # ink
    first = np.argwhere((sheet == 128).all(axis=2))[:, 1].min()
    assert (sheet[:, first + 50 : first + 58] > 200).all()  # the gap between two cells is paper
