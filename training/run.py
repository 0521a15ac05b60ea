"""A whole run: from a recipe, or from where an earlier one stopped, to style files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadOption, BadStyle, Interrupted
from streamer.styles import StyleLibrary, load_style
from streamer.trunk import Trunk, Weights, load_trunk
from training.checkpoint import CHECKPOINT, Keeper, load_checkpoint, save_checkpoint
from training.data import Pairs, find_photographs
from training.preview import Preview
from training.recipe import Recipe
from training.train import Trainer, compile_trainer
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
    paths, _ = find_photographs([Path(name) for name in recipe.content])
    recipe, begin = _beginning(recipe, library, start_from)
    trainer = Trainer(recipe, vgg if vgg is not None else load_weights(recipe.vgg))
    compile_trainer(trainer)
    if begin:
        trainer.load(*begin)
    done = load_checkpoint(trainer, folder) if (folder / CHECKPOINT).exists() else 0
    keeper = Keeper(folder, keep_every, describe(recipe))
    keeper.set_model(trainer)  # fit would; but a run that was finished before has nothing left to fit
    callbacks: list[keras.callbacks.Callback] = [keeper, Telling(report, done, recipe.steps)]
    if preview:
        callbacks.append(Preview(preview, folder, keep_every))
    if done < recipe.steps:
        pairs = Pairs(
            paths,
            styles=len(recipe.styles),
            batch=recipe.batch,
            size=recipe.size,
            steps=recipe.steps - done,
            seed=recipe.seed,
            start=done,
        )
        try:
            trainer.fit(pairs, epochs=1, callbacks=callbacks, verbose=0, shuffle=False)
        except Interrupted:
            save_checkpoint(trainer, folder)  # whoever reports steps may stop the run between two of them
            raise
    keeper.keep()
    return trainer


def _beginning(
    recipe: Recipe, library: StyleLibrary | None, start_from: Path | None
) -> tuple[Recipe, tuple[Trunk, dict[str, NDArray[np.float32]]] | None]:
    """What a run begins with, trunk and modulations, if not with chance; and the recipe that knows of it."""
    if recipe.scope == "style":
        if library is None:
            raise BadOption("With scope `style` a run needs a library whose trunk the styles are for.")
        trunk = library.trunk
        if recipe.trunk not in ("", trunk.checksum):
            raise BadStyle(f"This run is for another trunk ({recipe.trunk[:12]}, here {trunk.checksum[:12]}).")
        return replace(recipe, config=trunk.config, trunk=trunk.checksum), (trunk, {})
    if start_from:
        return recipe, (load_trunk(start_from / "trunks" / "live.safetensors"), _modulations(start_from))
    return recipe, None


def _modulations(folder: Path) -> dict[str, NDArray[np.float32]]:
    return {path.stem: load_style(path).modulation for path in folder.glob("*.safetensors")}


def describe(recipe: Recipe) -> dict[str, str]:
    """What a style file says of how it was made: data sets and weights by name, never paths."""
    return {
        "content": recipe.content_credit or ", ".join(sorted({Path(name).name for name in recipe.content})),
        "vgg": Path(recipe.vgg).stem,
        "recipe": replace(
            recipe,
            vgg=Path(recipe.vgg).stem,
            content=tuple(Path(name).name for name in recipe.content),
            styles=tuple(replace(style, picture=style.title) for style in recipe.styles),
        ).to_json(),
    }
