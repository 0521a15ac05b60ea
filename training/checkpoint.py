"""Checkpoints of a run: everything that must be known to go on, in one file, replaced atomically."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from safetensors.numpy import load_file, save

from streamer.errors import BadStyle
from streamer.files import write_atomically
from streamer.styles import save_style
from streamer.trunk import save_trunk
from training.recipe import Recipe
from training.train import Trainer

CHECKPOINT, RECIPE = "checkpoint.safetensors", "recipe.json"


def _variables(trainer: Trainer) -> list[Any]:
    return [*trainer.trainable_variables, trainer.progress_step, *trainer.optimizer.variables]


def save_checkpoint(trainer: Trainer, folder: Path) -> None:
    """Write the whole state of the run, and its recipe first: a checkpoint without one could not go on."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / RECIPE, trainer.recipe.to_json().encode())
    state = {f"{i:04}": np.asarray(ops.convert_to_numpy(v)) for i, v in enumerate(_variables(trainer))}
    write_atomically(folder / CHECKPOINT, save(state))


def load_checkpoint(trainer: Trainer, folder: Path) -> int:
    """Restore the state; returns the number of steps done. Raises BadStyle when it is of another run."""
    state = load_file(folder / CHECKPOINT)
    variables = _variables(trainer)
    if len(state) != len(variables):
        raise BadStyle(f"The checkpoint in {folder} has {len(state)} variables; this run has {len(variables)}.")
    for i, variable in enumerate(variables):
        values = state[f"{i:04}"]
        if values.shape != tuple(variable.shape):
            raise BadStyle(f"The checkpoint in {folder} is of another network: {variable.path} has {values.shape}.")
        variable.assign(values)
    return int(ops.convert_to_numpy(trainer.progress_step))


def export(trainer: Trainer, folder: Path, metadata: dict[str, str]) -> None:
    """Write trunk and styles with the averaged weights, and leave the run as it was."""
    current = [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]
    trainer.optimizer.finalize_variable_values(trainer.trainable_variables)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trunks").mkdir(exist_ok=True)
        save_trunk(trainer.trunk(metadata), folder / "trunks" / "live.safetensors")
        for style in trainer.styles(metadata):
            save_style(style, folder / f"{style.name}.safetensors")
    finally:
        for variable, values in zip(trainer.trainable_variables, current, strict=True):
            variable.assign(values)


class Keeper(keras.callbacks.Callback):
    """Saves a checkpoint and an export every `every` steps."""

    def __init__(self, folder: Path, every: int, metadata: dict[str, str]) -> None:
        super().__init__()
        self._folder, self._every, self._metadata = folder, every, metadata

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the state when it is due."""
        if (batch + 1) % self._every == 0:
            self.keep()

    def keep(self) -> None:
        """Keep the state now."""
        save_checkpoint(self.model, self._folder)
        export(self.model, self._folder / "export", self._metadata)


def read_recipe(folder: Path) -> Recipe:
    """The recipe of the run in this folder. Raises BadStyle when there is none."""
    try:
        return Recipe.from_json((folder / RECIPE).read_text())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadStyle(f"There is no run to resume in {folder}: {error}.") from error
