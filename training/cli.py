"""What `streamer train` calls: from pictures and options to style files in the user's library."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.compiled import compile_trunk
from streamer.errors import BadOption
from streamer.geometry import STRIDE
from streamer.settings import TrainOptions
from streamer.styles import NAME, Style, StyleLibrary, load_style, save_style
from training.checkpoint import CHECKPOINT
from training.data import HOLD_OUT_PREFIX, find_photographs, read_picture, shrink
from training.evaluate import score
from training.preview import run_network
from training.recipe import Recipe, StyleSource
from training.run import Report, read_recipe, run
from training.train import Trainer
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights

STYLE_SIZES = (256, 384)
MIN_STYLE_SIZE = 32  # pixels; below it relu5_1 has nothing to look at
PREVIEWS = 3  # photographs on the contact sheet
SCORED = 12  # photographs that a style's score card is averaged over


@dataclass(frozen=True)
class Picture:
    """A picture to learn a style from, and what is to be said of it. `sizes` and `weight`: see StyleSource."""

    path: Path
    name: str
    title: str = ""
    artist: str = "unknown"
    licence: str = "unknown"
    sizes: tuple[int, ...] = STYLE_SIZES
    weight: float = 1.0


def train(
    pictures: Sequence[Picture],
    content: Sequence[Path],
    options: TrainOptions,
    *,
    folder: Path,
    out: Path,
    library: StyleLibrary,
    report: Report,
    start_from: Path | None = None,
    resume: bool = False,
) -> list[Path]:
    """Train styles and put their files into `out`; returns their paths.

    folder: checkpoints, previews and exports of the run; an unfinished run there goes on with `resume`.
    With scope `trunk` the trunk and its compiled form go to `out/trunks`.
    Raises BadOption, BadMedia, BadStyle; OutputError is left to the file system's own errors.
    """
    recipe = make_recipe(pictures, content, options)
    if resume:
        recipe = read_recipe(folder)
    elif (folder / CHECKPOINT).exists():
        raise BadOption(f"{folder} holds an earlier run; --resume goes on with it, or remove it.")
    photographs = find_photographs([Path(name) for name in recipe.content])
    trainer = run(
        recipe,
        folder,
        report=report,
        start_from=start_from,
        library=library,
        keep_every=options.keep_every,
        preview=[shrink(read_picture(path), 256) for path in photographs[:PREVIEWS]],
    )
    return install(trainer, folder / "export", out, held_out(recipe) or photographs[:SCORED])


def make_recipe(pictures: Sequence[Picture], content: Sequence[Path], options: TrainOptions) -> Recipe:
    """The recipe of these pictures and options. Raises BadOption for a bad style name."""
    for picture in pictures:
        if not NAME.fullmatch(picture.name):
            raise BadOption(f"--name takes small letters, digits, '-' and '_', at most 64; received {picture.name!r}.")
        if not (math.isfinite(picture.weight) and picture.weight >= 0 and min(picture.sizes) >= MIN_STYLE_SIZE):
            raise BadOption(
                f"--style-weight must be at least 0 and --style-size at least {MIN_STYLE_SIZE} pixels; "
                f"received {picture.weight:g} and {', '.join(map(str, picture.sizes))} for {picture.name}."
            )
        read_picture(picture.path)
    if options.crop % STRIDE:
        raise BadOption(f"--crop must be a multiple of {STRIDE}; received {options.crop}.")
    return Recipe(
        styles=tuple(
            StyleSource(p.name, str(p.path), p.sizes, p.weight, p.title or p.name, p.artist, p.licence)
            for p in pictures
        ),
        content=tuple(str(path) for path in content),
        vgg=options.vgg_weights,
        scope=options.scope,
        steps=options.steps,
        batch=options.batch_size,
        size=options.crop,
        learning_rate=options.learning_rate,
        content_weight=options.content_weight,
        temporal_weight=options.temporal_weight,
        precision=options.precision,
    )


def held_out(recipe: Recipe) -> list[Path]:
    """Photographs of the content folders that training never saw: those named val_*, evenly spread."""
    found = sorted(path for name in recipe.content for path in Path(name).rglob(f"{HOLD_OUT_PREFIX}*.jpg"))
    return found[:: max(1, len(found) // SCORED)][:SCORED]


def install(trainer: Trainer, export: Path, out: Path, photographs: Sequence[Path]) -> list[Path]:
    """Score the exported styles and copy them, and a trunk of their own, into a library folder."""
    features = Features(load_weights(trainer.recipe.vgg), (*STYLE_LAYERS, CONTENT_LAYER))
    views = [read_picture(path) for path in photographs]
    (out / "trunks").mkdir(parents=True, exist_ok=True)
    if trainer.recipe.scope == "trunk":
        shutil.copy(export / "trunks" / "live.safetensors", out / "trunks" / "live.safetensors")
        compile_trunk(trainer.trunk(), out / "trunks")
    return [_install_style(trainer, features, source, export, out, views) for source in trainer.recipe.styles]


def _install_style(
    trainer: Trainer,
    features: Features,
    source: StyleSource,
    export: Path,
    out: Path,
    views: Sequence[NDArray[np.uint8]],
) -> Path:
    style = load_style(export / f"{source.name}.safetensors")
    scores = score(features, _painter(trainer, style), read_picture(Path(source.picture)), views)
    path = out / f"{source.name}.safetensors"
    save_style(replace(style, scores=scores, metadata=style.metadata | {"scored_on": json.dumps(len(views))}), path)
    return path


def _painter(trainer: Trainer, style: Style) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    return lambda photograph: run_network(trainer.network, photograph, style.modulation)
