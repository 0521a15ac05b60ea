"""Checkpoints of a run: everything that must be known to go on, in one file, replaced atomically."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from safetensors.numpy import load_file, save

from streamer.errors import BadStyle, OutputError, TrainingDiverged
from streamer.files import write_atomically
from streamer.media.problems import unwritable
from streamer.styles import save_style
from streamer.trunk import save_trunk
from training.callbacks import StepCallback
from training.recipe import Recipe
from training.train import Trainer, averaged, synchronise

CHECKPOINT, RECIPE = "checkpoint.safetensors", "recipe.json"


def _variables(trainer: Trainer) -> list[Any]:
    return [*trainer.trainable_variables, trainer.progress_step, *trainer.optimizer.variables]


def save_checkpoint(trainer: Trainer, folder: Path) -> None:
    """Write the whole state of the run, and its recipe first: a checkpoint without one could not go on.

    Raises TrainingDiverged, and writes nothing, when a weight is not finite; OutputError when the disk is full.
    """
    synchronise(trainer)
    state = {f"{i:04}": np.asarray(ops.convert_to_numpy(v)) for i, v in enumerate(_variables(trainer))}
    if not all(np.isfinite(values).all() for values in state.values()):
        raise diverged(trainer, folder)
    with kept_on_failure(folder):
        keep_recipe(trainer.recipe, folder)
        write_atomically(folder / CHECKPOINT, save(state))


def keep_recipe(recipe: Recipe, folder: Path) -> None:
    """Write what a run is, so that it can be gone on with."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / RECIPE, recipe.to_json().encode())


def diverged(trainer: Trainer, folder: Path) -> TrainingDiverged:
    """The sentence for numbers that are not finite."""
    step = -(-trainer.batches_done // trainer.recipe.accumulate)
    return TrainingDiverged(
        f"Training went astray at step {step}: its numbers are no longer finite{_what_is_kept(folder)}. "
        f"A lower learning rate helps, or float32 where the precision is {trainer.recipe.precision}."
    )


def _what_is_kept(folder: Path) -> str:
    return f"; the last good checkpoint in {folder} is kept" if (folder / CHECKPOINT).exists() else ""


@contextlib.contextmanager
def kept_on_failure(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence that says what is left."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{str(unwritable(folder, error)).rstrip('.')}{_what_is_kept(folder)}.") from error


def load_checkpoint(trainer: Trainer, folder: Path) -> int:
    """Restore the state; returns the number of batches done. Raises BadStyle when it is of another run."""
    state = load_file(folder / CHECKPOINT)
    variables = _variables(trainer)
    if len(state) != len(variables):
        raise BadStyle(
            f"The checkpoint in {folder} has {len(state)} variables, this run has {len(variables)}: it is of another "
            "network, or of a version with another optimizer."
        )
    for i, variable in enumerate(variables):
        values = state[f"{i:04}"]
        if values.shape != tuple(variable.shape):
            raise BadStyle(f"The checkpoint in {folder} is of another network: {variable.path} has {values.shape}.")
        variable.assign(values)
    return trainer.batches_done


def export(trainer: Trainer, folder: Path, metadata: dict[str, str]) -> None:
    """Write trunk and styles with the averaged weights, and leave the run as it was."""
    synchronise(trainer)
    with averaged(trainer), kept_on_failure(folder.parent):
        (folder / "trunks").mkdir(parents=True, exist_ok=True)
        save_trunk(trainer.trunk(metadata), folder / "trunks" / f"{trainer.recipe.model}.safetensors")
        for style in trainer.styles(metadata):
            save_style(style, folder / f"{style.name}.safetensors")


class Checkpointer(StepCallback):
    """Saves a checkpoint and an export every `every` steps, and stops a run whose loss is no longer finite."""

    def __init__(self, folder: Path, every: int, metadata: dict[str, str]) -> None:
        super().__init__()
        self._folder, self._every, self._metadata = folder, every, metadata

    def on_step_end(self, step: int, losses: Mapping[str, float]) -> None:
        """Keep the state when it is due."""
        if not np.isfinite(losses.get("loss", 0.0)):
            synchronise(self.model)
            raise diverged(self.model, self._folder)
        if step % self._every == 0:
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
