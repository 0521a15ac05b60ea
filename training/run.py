"""A whole run: from a recipe, or from where an earlier one stopped, to style files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadOption, BadStyle, Interrupted
from streamer.styles import StyleLibrary
from streamer.trunk import INT8, MODELS, TRAINED_FOR, Trunk, Weights
from training.callbacks import StepCallback
from training.checkpoint import (
    CHECKPOINT,
    Checkpointer,
    keep_recipe,
    kept_on_failure,
    load_checkpoint,
    read_recipe,
    save_checkpoint,
)
from training.data import Pairs, find_photographs
from training.devices import accelerators, several, sharing
from training.exports import Export, beginning_of, model_of, own_styles
from training.grow import fits_inside, grow
from training.logs import TensorBoardLogs, tensorboard_is_here
from training.preview import Preview
from training.prune import prune
from training.recipe import Recipe
from training.reconstruct import reconstruction_of, stage_folder
from training.train import Trainer, compile_trainer, synchronise
from training.vgg import load_weights

WINDOW = 50  # steps over which the reported losses are averaged
Report = Callable[[int, int, dict[str, float]], None]


class ProgressReport(StepCallback):
    """Passes step, total and losses on to whoever shows them, and keeps the run when they want it to end."""

    def __init__(self, report: Report, folder: Path) -> None:
        super().__init__()
        self._report, self._folder = report, folder

    def on_step_end(self, step: int, losses: Mapping[str, float]) -> None:
        """Report."""
        try:
            self._report(step, self.model.recipe.steps, dict(losses))
        except Interrupted:
            save_checkpoint(self.model, self._folder)  # here: under JAX, fit changes the weights as it ends
            raise
        if step % WINDOW == 0:
            synchronise(self.model)
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

    Where there are several GPUs, they share every batch.

    library: with scope `style`, whose trunk the styles are for; with `prune`, whose trunk is cut, if not another's.
    start_from: a folder written by an earlier run's export, or a model of the library, whose trunk and styles this run
    begins with; a smaller network than the recipe's grows.
    preview: held-out pictures to show in `preview.png`.
    Raises BadMedia for pictures or VGG weights that cannot be used, BadStyle for a checkpoint of another run,
    TrainingDiverged, OutputError for a full disk, and Interrupted from `report`; each leaves the last good checkpoint.
    """
    if start_from:  # also when it goes on: with scope `style` the network is in no checkpoint
        check_scope(recipe)
    if recipe.reconstruction_steps and not (folder / CHECKPOINT).exists():
        start_from = _reconstruct(recipe, folder, report, keep_every)
    keras.utils.set_random_seed(recipe.seed)
    paths, _ = find_photographs([Path(name) for name in recipe.content])
    if (recipe.prune or start_from) and (folder / CHECKPOINT).exists():  # what it began with is in there, and more
        kept = read_recipe(folder)
        recipe, begin = replace(recipe, config=kept.config, trunk=kept.trunk), None
    else:
        recipe, begin = _beginning(recipe, library, start_from)
    if vgg is None and recipe.uses_features:
        vgg = load_weights(recipe.vgg)
    with several(sharing(recipe.batch, recipe.accumulate, accelerators())):
        trainer = Trainer(recipe, vgg)
        compile_trainer(trainer)
        if begin:
            trainer.load(*begin)
        if (folder / CHECKPOINT).exists():
            load_checkpoint(trainer, folder)
        _fit(trainer, folder, paths, keep_every, preview, report)
    return trainer


def _reconstruct(recipe: Recipe, folder: Path, report: Report, keep_every: int) -> Path:
    """Make the first stage, or what is left of it; returns its export. The run's recipe is there from the start, so
    that a run which was stopped here can be gone on with.
    """
    with kept_on_failure(folder):
        keep_recipe(recipe, folder)

    def renamed(step: int, total: int, losses: dict[str, float]) -> None:
        report(step, total, {"reconstruction": losses["teacher"]})

    stage = stage_folder(folder)
    run(reconstruction_of(recipe), stage, report=renamed, keep_every=keep_every)
    return stage / "export"


def _fit(
    trainer: Trainer,
    folder: Path,
    paths: Sequence[Path],
    keep_every: int,
    preview: Sequence[NDArray[np.uint8]],
    report: Report,
) -> None:
    """Make what steps are left, and keep the end."""
    recipe, done = trainer.recipe, trainer.batches_done
    checkpointer = Checkpointer(folder, keep_every, describe(recipe))
    checkpointer.set_model(trainer)  # fit would; but a run that was finished before has nothing left to fit
    callbacks: list[keras.callbacks.Callback] = [checkpointer]
    if preview:
        callbacks.append(Preview(preview, folder, keep_every))
    logs = TensorBoardLogs(folder) if tensorboard_is_here() else None
    callbacks += [logs] if logs else []
    callbacks.append(ProgressReport(report, folder))
    left = recipe.steps * recipe.accumulate - done
    if left > 0:
        styles, batch, size, seed = len(recipe.styles), recipe.batch, recipe.size, recipe.seed
        pairs = Pairs(paths, styles=styles, batch=batch, size=size, steps=left, seed=seed, start=done)
        try:
            with kept_on_failure(folder):
                trainer.fit(pairs, epochs=1, callbacks=callbacks, verbose=0, shuffle=False)
        finally:
            if logs:
                logs.close()
    checkpointer.keep()


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
        learnt = {source.name for source in recipe.styles}
        known = {name: style.modulation for name, style in own_styles(library).styles.items() if name not in learnt}
        # A row for a network that runs in 8 bits learns under the same rounding.
        given = replace(recipe, config=trunk.config, trunk=trunk.checksum, quantised=trunk.is_for_int8)
        return given, (trunk, known)
    return _own_trunk(recipe, library, start_from)


def check_scope(recipe: Recipe) -> None:
    """Raise BadOption where the network is given, and so has no other beginning."""
    if recipe.scope == "style":
        raise BadOption("--start-from is for --scope trunk: --scope style leaves the network as it is.")


def beginning_for(recipe: Recipe, start_from: Path) -> tuple[Export, bool]:
    """What a run starts from, and whether it is of a smaller model and grows. Raises BadOption and BadStyle."""
    check_scope(recipe)
    export = beginning_of(start_from)
    model = model_of(export, recipe.model)
    if model == recipe.model:
        return export, False
    if recipe.prune or not fits_inside(export.trunk.config, recipe.config):
        raise BadStyle(f"{start_from} holds a network of the {model} model: give --model {model}.")
    return export, True


def _own_trunk(
    recipe: Recipe, library: StyleLibrary | None, start_from: Path | None
) -> tuple[Recipe, tuple[Trunk, dict[str, NDArray[np.float32]]] | None]:
    """What a trunk that learns begins with: chance, or what there is, of which pruning leaves a part."""
    if start_from:
        export, grows = beginning_for(recipe, start_from)
        if grows:
            return recipe, grow(export.trunk, _rows(export), recipe.config)
    elif recipe.prune and library is None:
        raise BadOption("Pruning needs a network to begin with: a library's, or an export.")
    elif recipe.prune and library:
        export = own_styles(library)
    else:
        return recipe, None
    trunk, known = export.trunk, _rows(export)
    if recipe.prune:
        learnt = {source.name for source in recipe.styles}
        trunk, known = prune(trunk, known, recipe.prune, recipe.prune_where, by=learnt)
        recipe = replace(recipe, trunk=export.trunk.checksum)
    return replace(recipe, config=trunk.config), (trunk, known)


def _rows(export: Export) -> dict[str, NDArray[np.float32]]:
    return {name: style.modulation for name, style in export.styles.items()}


def describe(recipe: Recipe) -> dict[str, str]:
    """What a style file says of how it was made: data sets and weights by name, never paths."""
    return {
        **({TRAINED_FOR: INT8} if recipe.quantised else {}),
        "content": recipe.content_credit or ", ".join(sorted({Path(name).name for name in recipe.content})),
        "vgg": Path(recipe.vgg).stem,
        "recipe": replace(
            recipe,
            vgg=Path(recipe.vgg).stem,
            content=tuple(Path(name).name for name in recipe.content),
            teacher=recipe.teacher if recipe.teacher in MODELS else recipe.teacher_trunk,
            styles=tuple(replace(style, picture=style.title) for style in recipe.styles),
        ).to_json(),
    }
