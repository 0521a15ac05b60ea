"""A whole run: from a recipe, or from where an earlier one stopped, to style files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from streamer.errors import Interrupted
from streamer.styles import StyleLibrary, load_style
from streamer.trunk import Weights, load_trunk
from training.checkpoint import CHECKPOINT, Keeper, load_checkpoint, read_recipe, save_checkpoint
from training.data import Pairs, find_photographs
from training.preview import Preview
from training.recipe import Recipe
from training.train import LOSS_NAMES, Trainer, compile_trainer
from training.vgg import load_weights

WINDOW = 50  # steps over which the reported losses are averaged
Report = Callable[[int, int, dict[str, float]], None]


class Telling(keras.callbacks.Callback):
    """Passes step, total and losses on to whoever shows them."""

    def __init__(self, report: Report, done: int, total: int) -> None:
        super().__init__()
        self._report, self._done, self._total = report, done, total

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Tell."""
        self._report(self._done + batch + 1, self._total, dict(logs or {}))
        if (batch + 1) % WINDOW == 0:
            self.model.reset_metrics()


def run(
    recipe: Recipe,
    folder: Path,
    *,
    report: Report,
    library: StyleLibrary | None = None,
    start_from: Path | None = None,
    keep_every: int = 250,
    preview: Sequence[NDArray[np.uint8]] = (),
    vgg: Weights | None = None,
) -> Trainer:
    """Train, resuming when `folder` holds a checkpoint of this recipe; keep checkpoints and exports there.

    library: with scope `style`, whose trunk the styles are for.
    start_from: a folder written by an earlier run's export, whose trunk and styles this run begins with.
    Raises BadMedia for pictures or VGG weights that cannot be used, BadStyle for a checkpoint of another run.
    """
    keras.utils.set_random_seed(recipe.seed)
    paths = find_photographs([Path(name) for name in recipe.content])
    if library and recipe.scope == "style":
        recipe = replace(recipe, config=library.trunk.config)
    trainer = Trainer(recipe, vgg if vgg is not None else load_weights(recipe.vgg))
    compile_trainer(trainer)
    done = 0
    if (folder / CHECKPOINT).exists():
        done = load_checkpoint(trainer, folder)
    elif start_from:
        trainer.load(load_trunk(start_from / "trunks" / "live.safetensors"), _modulations(start_from))
    elif library and recipe.scope == "style":
        trainer.load(library.trunk, {})
    keeper = Keeper(folder, keep_every, describe(recipe))
    callbacks: list[keras.callbacks.Callback] = [keeper, Telling(report, done, recipe.steps)]
    if preview:
        callbacks.append(Preview(preview, folder, keep_every))
    if done < recipe.steps:
        pairs = Pairs(
            paths, batch=recipe.batch, size=recipe.size, steps=recipe.steps - done, seed=recipe.seed, start=done
        )
        try:
            trainer.fit(pairs, epochs=1, callbacks=callbacks, verbose=0, shuffle=False)
        except (Interrupted, KeyboardInterrupt):
            save_checkpoint(trainer, folder)  # whoever reports steps may stop the run between two of them
            raise
    # Keras gives the averaged weights to the model at the end of fit; the checkpoint keeps them so.
    save_checkpoint(trainer, folder)
    keeper.keep()
    return trainer


def _modulations(folder: Path) -> dict[str, NDArray[np.float32]]:
    return {path.stem: load_style(path).modulation for path in folder.glob("*.safetensors")}


def describe(recipe: Recipe) -> dict[str, str]:
    """What a style file says of how it was made: data sets and weights by name, never paths."""
    return {
        "content": ", ".join(sorted({Path(name).name for name in recipe.content})),
        "vgg": Path(recipe.vgg).stem,
        "recipe": replace(
            recipe,
            vgg=Path(recipe.vgg).stem,
            content=tuple(Path(name).name for name in recipe.content),
            styles=tuple(replace(style, picture=Path(style.picture).name) for style in recipe.styles),
        ).to_json(),
    }


__all__ = ["LOSS_NAMES", "describe", "read_recipe", "run"]
