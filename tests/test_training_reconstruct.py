"""Two stages: a network from chance learns to give its input back, then to paint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.cli.main import run as run_command
from streamer.errors import BadOption, Interrupted
from streamer.styles import load_style
from streamer.training_settings import TrainOptions
from streamer.trunk import load_trunk
from tests import tiny
from tests.lessons import first_batch, tiny_recipe
from training.checkpoint import CHECKPOINT, read_recipe
from training.distil import INPUT
from training.reconstruct import reconstruction_of, stage_folder
from training.run import run
from training.train import Trainer
from training.vgg import random_weights


def quiet(*_: Any) -> None:
    """Tells nobody."""


def test_the_first_stage_s_loss_is_the_difference_from_the_input(tmp_path: Path) -> None:
    recipe = reconstruction_of(tiny_recipe(tmp_path, reconstruction_steps=3, batch=2))
    assert (recipe.steps, recipe.reconstruction_steps, recipe.teacher) == (3, 0, INPUT)
    trainer, batch = Trainer(recipe, None), first_batch(recipe)  # no VGG
    painted = trainer(batch)
    (part,) = trainer._parts(batch, painted).values()
    wanted = np.abs(np.asarray(painted["first"]) - batch["first"]).mean(axis=(1, 2, 3)) / 255
    np.testing.assert_allclose(np.asarray(part), wanted, rtol=1e-5)


def test_a_run_of_two_stages_resumes_in_either(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, steps=3, reconstruction_steps=4, batch=2, temporal_weight=0.0)

    def go(folder: str, report: Any) -> None:
        run(recipe, tmp_path / folder, report=report, keep_every=2, vgg=random_weights())

    def stop(stage: str, at: int) -> Any:
        def report(step: int, total: int, losses: dict[str, float]) -> None:
            if (("reconstruction" in losses) == (stage == "first")) and step == at:
                raise Interrupted

        return report

    seen: list[tuple[int, int, bool]] = []
    go("whole", lambda step, total, losses: seen.append((step, total, set(losses) == {"reconstruction"})))
    assert seen == [(1, 4, True), (2, 4, True), (3, 4, True), (4, 4, True), (1, 3, False), (2, 3, False), (3, 3, False)]
    for stage, at in (("first", 3), ("second", 2)):
        with pytest.raises(Interrupted):
            go("parts", stop(stage, at))
        assert read_recipe(tmp_path / "parts") == recipe  # to go on with, from the first moment
    go("parts", quiet)
    ends = [load_style(tmp_path / folder / "export" / "two.safetensors") for folder in ("whole", "parts")]
    np.testing.assert_allclose(ends[1].modulation, ends[0].modulation, rtol=0, atol=1e-6)


def test_the_second_stage_begins_with_what_the_first_made(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, steps=1, reconstruction_steps=60, batch=2, learning_rate=5e-3)
    seen: list[float] = []
    run(
        recipe,
        tmp_path / "run",
        report=lambda step, total, losses: seen.append(losses.get("reconstruction", np.nan)),
        vgg=random_weights(),
    )
    assert np.mean(seen[50:60]) < 0.7 * seen[0]
    first = load_trunk(stage_folder(tmp_path / "run") / "export" / "trunks" / "live.safetensors")
    second = load_trunk(tmp_path / "run" / "export" / "trunks" / "live.safetensors")
    far = np.abs(tiny.random_trunk().weights["stem/kernel"] - first.weights["stem/kernel"]).max()
    near = np.abs(second.weights["stem/kernel"] - first.weights["stem/kernel"]).max()
    assert 0 < near < 0.1 * far


def test_what_cannot_be_reconstructed_first_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for values in ({"scope": "style"}, {"scope": "trunk", "prune": 0.5}):
        with pytest.raises(BadOption, match="--reconstruction-steps is for --scope trunk without --prune"):
            TrainOptions(reconstruction_steps=5, **values)
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("one.png", tiny.picture(80, 80))
    started = [
        "train",
        "one.png",
        "--scope",
        "trunk",
        "--reconstruction-steps",
        "5",
        "--content",
        ".",
        "--run-dir",
        "r",
    ]
    assert run_command([*started, "--start-from", "live"]) == 2
    assert "is for a network from chance: that of --start-from paints already" in capsys.readouterr().err
    (tmp_path / "r" / "reconstruction").mkdir(parents=True)
    (tmp_path / "r" / "reconstruction" / CHECKPOINT).touch()  # a run that was stopped in its first stage
    assert run_command(started) == 2
    assert "r holds an earlier run: --resume goes on with it" in capsys.readouterr().err


def test_the_command_line_trains_in_two_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without VGG weights: a teacher teaches the second stage."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("XDG_CACHE_HOME", "cache"), ("KERAS_HOME", "keras"), ("STREAMER_LIBRARY", "styles")):
        monkeypatch.setenv(name, str(tmp_path / value))
    (tmp_path / "photographs").mkdir()
    for i in range(10):
        cv2.imwrite(f"photographs/{i}.png", tiny.picture(70, 90, seed=i))
    cv2.imwrite("mosaic.png", tiny.picture(80, 80, seed=50))
    command = (
        "train mosaic.png --content photographs --scope trunk --teacher live --content-weight 0 --style-weight 0"
        " --crop 64 --batch-size 1 --precision float32 --temporal-weight 0 --steps 1"
        " --reconstruction-steps 2 --run-dir run"
    )
    assert run_command(command.split()) == 0
    assert (tmp_path / "run" / "reconstruction" / "export" / "mosaic.safetensors").exists()
    assert '"reconstruction_steps": 2' in load_style(tmp_path / "styles" / "mosaic.safetensors").metadata["recipe"]
    capsys.readouterr()
