"""What `streamer train` calls: from pictures and options to style files in the user's library."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.compiled import compile_trunk
from streamer.errors import BadOption
from streamer.geometry import STRIDE
from streamer.model import load_network
from streamer.settings import TrainOptions
from streamer.styles import NAME, StyleLibrary, load_style, save_style
from streamer.trunk import load_trunk, save_trunk
from training.checkpoint import CHECKPOINT, read_recipe
from training.data import find_photographs, read_picture, shrink
from training.evaluate import score
from training.preview import run_network
from training.recipe import Recipe, StyleSource
from training.run import Report, run
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights

STYLE_SIZES = (256, 384)
MIN_STYLE_SIZE = 32  # pixels; below it relu5_1 has nothing to look at
PREVIEWS = 3  # photographs on the contact sheet
SCORED, SCORED_SIZE = 12, 512  # photographs that a score card is averaged over, and their largest short side


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
    recipe = read_recipe(folder) if resume else make_recipe(pictures, content, options)
    if not resume and (folder / CHECKPOINT).exists():
        raise BadOption(f"{folder} holds an earlier run; --resume goes on with it, or remove it.")
    photographs, held_out = find_photographs([Path(name) for name in recipe.content])
    run(
        recipe,
        folder,
        report=report,
        start_from=start_from,
        library=library,
        keep_every=options.keep_every,
        preview=[shrink(read_picture(path), 256) for path in photographs[:PREVIEWS]],
    )
    return install(recipe, folder / "export", out, held_out[:: max(1, len(held_out) // SCORED)][:SCORED])


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
    names = [picture.name for picture in pictures]
    if len(set(names)) < len(names):
        raise BadOption(f"Every picture needs a --name of its own; received {', '.join(names)}.")
    if options.batch_size % len(names):
        raise BadOption(
            f"--batch-size must be a multiple of the number of pictures, {len(names)}, so that each has its share; "
            f"received {options.batch_size}."
        )
    if options.crop % STRIDE:
        raise BadOption(f"--crop must be a multiple of {STRIDE}; received {options.crop}.")
    return Recipe(
        styles=tuple(
            StyleSource(p.name, str(p.path.resolve()), p.sizes, p.weight, p.title or p.name, p.artist, p.licence)
            for p in pictures
        ),
        content=tuple(str(path.resolve()) for path in content),
        content_credit=options.content_credit or "",
        vgg=options.vgg_weights if options.vgg_weights == "imagenet" else str(Path(options.vgg_weights).resolve()),
        scope=options.scope,
        steps=options.steps,
        batch=options.batch_size,
        size=options.crop,
        learning_rate=options.learning_rate,
        content_weight=options.content_weight,
        temporal_weight=options.temporal_weight,
        precision=options.precision,
    )


def install(recipe: Recipe, export: Path, out: Path, photographs: Sequence[Path]) -> list[Path]:
    """Score the exported styles on photographs and put them, with a trunk of their own, into a library folder."""
    features = Features(load_weights(recipe.vgg), (*STYLE_LAYERS, CONTENT_LAYER))
    views = [shrink(picture, min(SCORED_SIZE, *picture.shape[:2])) for picture in map(read_picture, photographs)]
    trunk = load_trunk(export / "trunks" / "live.safetensors")
    network = load_network(trunk)
    out.mkdir(parents=True, exist_ok=True)
    if recipe.scope == "trunk":
        (out / "trunks").mkdir(exist_ok=True)
        save_trunk(trunk, out / "trunks" / "live.safetensors")
        compile_trunk(trunk, out / "trunks")
    paths = []
    for source in recipe.styles:
        style = load_style(export / f"{source.name}.safetensors")
        paint = functools.partial(run_network, network, modulation=style.modulation)
        scores = score(features, paint, read_picture(Path(source.picture)), views)
        metadata = style.metadata | {"scored_on": f"{len(views)} photographs not trained on"}
        paths.append(out / f"{source.name}.safetensors")
        save_style(replace(style, scores=scores, metadata=metadata), paths[-1])
    return paths
