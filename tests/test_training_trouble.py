"""Training that cannot go on says so in a sentence, and what was good is kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.errors import BadMedia, BadOption, BadStyle, OutputError, TrainingDiverged
from streamer.styles import load_style
from tests import tiny
from tests.lessons import tiny_recipe
from training.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from training.recipe import Recipe
from training.run import run
from training.train import Trainer, compile_trainer
from training.vgg import random_weights


def quiet(*_: Any) -> None:
    """Tells nobody."""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    recipe, vgg = tiny_recipe(tmp_path, batch=2), random_weights()
    run(replace(recipe, steps=2), tmp_path / "run", report=quiet, vgg=vgg)
    good = digest(tmp_path / "run" / CHECKPOINT)
    # Features of 1e30, whose squares are beyond float32.
    broken = {name: values * np.float32(1e30) for name, values in vgg.items()}
    with pytest.raises(TrainingDiverged, match=r"astray at step 3: .* the last good checkpoint in .* is kept"):
        run(recipe, tmp_path / "run", report=quiet, keep_every=1, vgg=broken)
    assert digest(tmp_path / "run" / CHECKPOINT) == good
    assert np.isfinite(load_style(tmp_path / "run" / "export" / "one.safetensors").modulation).all()


def test_weights_that_are_not_finite_never_become_a_checkpoint(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    trainer = Trainer(recipe, random_weights())
    compile_trainer(trainer)
    save_checkpoint(trainer, tmp_path / "run")
    good = digest(tmp_path / "run" / CHECKPOINT)
    trainer.offsets.assign(np.full(trainer.offsets.shape, np.nan, np.float32))
    with pytest.raises(TrainingDiverged):
        save_checkpoint(trainer, tmp_path / "run")
    assert digest(tmp_path / "run" / CHECKPOINT) == good


FULL = """
import resource, sys
from pathlib import Path
from training.checkpoint import read_recipe
from training.run import run
from training.vgg import random_weights
folder = Path(sys.argv[1])
def fill(step, steps, losses):
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
try:
    run(read_recipe(folder), folder, report=fill, keep_every=1, vgg=random_weights())
except OSError as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_said_and_the_checkpoint_is_kept(tmp_path: Path) -> None:
    """The limit of the file system, met while the second step's checkpoint is written."""
    folder = tmp_path / "run"
    recipe = tiny_recipe(tmp_path, batch=1, steps=4)
    trainer = Trainer(recipe, random_weights())
    compile_trainer(trainer)
    save_checkpoint(trainer, folder)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.stdout.startswith("OutputError Cannot write"), done.stderr
    assert "the last good checkpoint in" in done.stdout
    assert load_checkpoint(trainer, folder) == 1  # of the first step, whole
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    trainer = Trainer(tiny_recipe(tmp_path), random_weights())
    compile_trainer(trainer)
    with pytest.raises(OutputError, match=r"Cannot write '.*run'"):
        save_checkpoint(trainer, tmp_path / "run")


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    trainer = Trainer(recipe, random_weights())
    compile_trainer(trainer)
    save_checkpoint(trainer, tmp_path / "run")
    fewer = replace(recipe, styles=recipe.styles[:1])
    with pytest.raises(BadStyle, match="another network"):
        run(fewer, tmp_path / "run", report=quiet, vgg=random_weights())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"model": "huge"}, "There is no model 'huge'; there are live, quality"),
        ({"precision": "float8"}, "precision is one of float32, bfloat16, mixed_float16, mixed_bfloat16"),
        ({"accumulate": 0}, "at least 1; received 3200, 2 and 0"),
    ],
)
def test_impossible_recipes_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOption, match=sentence):
        Recipe((), (), **values)


def test_vgg_weights_are_asked_for_where_they_are_needed(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="needs VGG weights"):
        Trainer(tiny_recipe(tmp_path), None)
    with pytest.raises(BadMedia, match=r"nowhere\.npz"):
        run(tiny_recipe(tmp_path, vgg=str(tmp_path / "nowhere.npz")), tmp_path / "run", report=quiet)


def test_a_teacher_that_does_not_know_a_style_is_refused(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, teacher=str(tmp_path / "library"))
    tiny.write_library(tmp_path / "library")
    with pytest.raises(BadStyle, match="does not know one; it knows alpha, beta, gamma"):
        Trainer(recipe, random_weights())


def test_a_folder_without_styles_is_no_beginning(tmp_path: Path) -> None:
    with pytest.raises(BadStyle, match="it holds no styles"):
        run(tiny_recipe(tmp_path), tmp_path / "run", report=quiet, start_from=tmp_path, vgg=random_weights())
