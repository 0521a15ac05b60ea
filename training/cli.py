"""What `streamer train` calls: from pictures and options to style files in the user's library."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.compiled import compile_trunk
from streamer.errors import BadMedia, BadOption
from streamer.files import write_atomically
from streamer.model import load_network
from streamer.styles import THUMBNAILS, TRUNKS, Style, StyleLibrary, save_style
from streamer.thumbnails import encoded, sample
from streamer.training_settings import TrainOptions
from streamer.trunk import DEFAULT_MODEL, Trunk, Weights, save_trunk
from training.checkpoint import CHECKPOINT, read_recipe
from training.data import find_photographs, read_picture, shrink
from training.download import BSDS500, VGG_IN_WORDS, fetch_photographs, fetching, find_vgg
from training.evaluate import LAYERS, score
from training.exports import read_export
from training.pace import fit_steps
from training.plan import Picture, make_recipe
from training.preview import run_network
from training.prune import in_words
from training.recipe import Recipe
from training.reconstruct import stage_folder
from training.run import beginning_for, run
from training.vgg import Features, load_weights

PREVIEWS, PREVIEW_SIZE = 3, 256  # photographs on the contact sheet, and their short side in pixels
SCORED, SCORED_SIZE = 12, 512  # photographs that a score card is averaged over, and their largest short side
Paint = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


class Teller(Protocol):
    """Whoever shows how a run goes. Each method may raise Interrupted, which ends the run between two steps."""

    def __call__(self, step: int, total: int, losses: dict[str, float]) -> None:
        """A step was made."""

    def doing(self, what: str, share: float | None = None) -> None:
        """What happens besides steps: downloads, timing, scoring; and how much of it is done."""

    def say(self, sentence: str) -> None:
        """Something worth knowing."""


@dataclass(frozen=True)
class Place:
    """Where the styles of a run go: `file` for one style, or else the library folder `root`, by model."""

    root: Path
    file: Path | None = None

    def style(self, name: str, model: str) -> Path:
        """The path of a style's file."""
        return self.file or (self.root if model == DEFAULT_MODEL else self.root / model) / f"{name}.safetensors"

    def thumbnail(self, name: str) -> Path:
        """The path of a style's thumbnail."""
        return self.root / THUMBNAILS / f"{name}.jpg"


@dataclass(frozen=True)
class Ground:
    """What every run needs beside its recipe."""

    photographs: list[Path]
    held_out: list[Path]
    vgg: Weights | None  # None where no loss looks at features, and none are at hand to score by
    library: StyleLibrary | None

    def previews(self, count: int = PREVIEWS) -> list[NDArray[np.uint8]]:
        """A few held-out photographs, small."""
        return [shrink(picture, PREVIEW_SIZE) for picture in map(read_picture, spread(self.held_out, count))]


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """`count` of the paths, evenly apart, or all of them."""
    return list(paths[:: max(1, len(paths) // count)][:count])


def train(
    pictures: Sequence[Picture],
    content: Sequence[Path],
    options: TrainOptions,
    *,
    folder: Path,
    place: Place,
    tell: Teller,
    start_from: Path | None = None,
    resume: bool = False,
) -> list[Path]:
    """Train styles and put their files where `place` says; returns their paths.

    folder: checkpoints, previews and exports of the run; an unfinished run there goes on with `resume`, by the recipe
    it began with. With scope `trunk` the trunk and its compiled form go to the library's `trunks`.
    Raises BadOption, BadMedia, BadStyle, OutputError, and Interrupted from `tell`.
    """
    if resume:
        recipe = read_recipe(folder)
        ground = prepare(recipe, tell)
    else:
        refuse_to_replace(folder)
        recipe = make_recipe(pictures, content, options)
        recipe, ground = begin(recipe, options, tell, start_from)
    return finish(recipe, ground, options.preview_every, folder, place, tell, start_from)


def learn(recipe: Recipe, *, folder: Path, place: Place, tell: Teller) -> list[Path]:
    """As `train`, by a recipe that is known already; goes on with what lies in the folder."""
    options = TrainOptions(content_credit=recipe.content_credit or None)
    recipe, ground = begin(recipe, options, tell)
    return finish(recipe, ground, options.preview_every, folder, place, tell)


def finish(
    recipe: Recipe,
    ground: Ground,
    keep_every: int,
    folder: Path,
    place: Place,
    tell: Teller,
    start_from: Path | None = None,
) -> list[Path]:
    """Make the steps that are left, and install what was learnt."""
    run(
        recipe,
        folder,
        report=tell,
        start_from=start_from,
        library=ground.library,
        keep_every=keep_every,
        preview=ground.previews(),
        vgg=ground.vgg,
    )
    return install(recipe, folder / "export", place, ground, tell)


def refuse_to_replace(folder: Path) -> None:
    """Raise BadOption when a run lies in the folder already."""
    if any((place / CHECKPOINT).exists() for place in (folder, stage_folder(folder))):
        raise BadOption(f"{folder} holds an earlier run: --resume goes on with it, --run-dir DIR begins another.")


def begin(recipe: Recipe, options: TrainOptions, tell: Teller, start_from: Path | None = None) -> tuple[Recipe, Ground]:
    """What a new run needs; fetches photographs where none were given, and turns minutes into steps."""
    if start_from and recipe.reconstruction_steps:
        raise BadOption("--reconstruction-steps is for a network from chance: that of --start-from paints already.")
    if start_from:  # before anything is fetched for a run that cannot be
        export, grows = beginning_for(recipe, start_from)
        weights = sum(kernel.size for kernel in export.trunk.weights.values())
        tell.say(f"Begins with a network of {weights:,} weights{', and grows' if grows else ''}.")
    if not recipe.content:
        folder = fetch_photographs(fetching(tell.doing, f"{BSDS500.title} ({BSDS500.terms})"))
        recipe = replace(recipe, content=(str(folder),), content_credit=options.content_credit or BSDS500.title)
    ground = prepare(recipe, tell)
    if recipe.prune and ground.library:
        trunk = export.trunk if start_from else ground.library.trunk
        tell.say(in_words(trunk, recipe.prune, recipe.prune_where))
    if options.minutes is not None:
        tell.doing("timing a few steps")
        check = functools.partial(tell.doing, "timing a few steps")
        recipe = fit_steps(
            recipe, options.minutes, library=ground.library, vgg=ground.vgg, start_from=start_from, check=check
        )
        plural = "" if recipe.steps == 1 else "s"
        tell.say(f"About {recipe.steps} step{plural} in {options.minutes:g} minutes.")
    return recipe, ground


def prepare(recipe: Recipe, tell: Teller) -> Ground:
    """Find or fetch what the recipe names. Raises BadMedia or BadStyle when something is missing."""
    for name in recipe.content:
        if not Path(name).exists():
            raise BadMedia(f"There is no folder {name} of photographs.")
    photographs, held_out = find_photographs([Path(name) for name in recipe.content])
    at_hand = recipe.vgg != "imagenet" or find_vgg() is not None
    vgg = load_vgg(recipe, tell) if recipe.uses_features or at_hand else None
    library = StyleLibrary.default(recipe.model) if recipe.scope == "style" or recipe.prune else None
    return Ground(photographs, held_out, vgg, library)


def load_vgg(recipe: Recipe, tell: Teller) -> Weights:
    """The VGG weights that a recipe names, downloaded if need be. Raises BadMedia."""
    return load_weights(recipe.vgg, fetching(tell.doing, VGG_IN_WORDS))


def install(recipe: Recipe, export: Path, place: Place, ground: Ground, tell: Teller) -> list[Path]:
    """Score the exported styles on held-out photographs, where there are VGG weights to do it by, and put them, with a
    trunk of their own, into the library.
    """
    made = read_export(export)
    network = load_network(made.trunk)
    if recipe.scope == "trunk":  # before its styles, which would be of no use without it
        tell.doing("compiling the network")
        install_trunk(made.trunk, place.root / TRUNKS, tell.say)
    elif ground.library:
        keep_trunk(ground.library, place.root / TRUNKS)
    features = Features(ground.vgg, LAYERS) if ground.vgg else None
    if not features:
        tell.say("There are no VGG weights here to score by: --vgg-weights FILE names some.")
    paths = []
    for done, source in enumerate(recipe.styles):
        tell.doing(f"scoring {source.name}", done / len(recipe.styles))
        style = made.styles[source.name]
        paint = functools.partial(run_network, network, modulation=style.modulation)
        if features:
            style = scored(style, Path(source.picture), features, paint, ground.held_out)
        write(place.thumbnail(source.name), encoded(paint(sample())))
        paths.append(place.style(source.name, recipe.model))
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        save_style(style, paths[-1])
    return paths


def scored(style: Style, picture: Path, features: Features, paint: Paint, held_out: Sequence[Path]) -> Style:
    """A style with its score card: the style of that picture, on held-out photographs."""
    pictures = map(read_picture, spread(held_out, SCORED))
    views = [shrink(picture, min(SCORED_SIZE, *picture.shape[:2])) for picture in pictures]
    scores = score(features, paint, read_picture(picture), views)
    metadata = style.metadata | {"scored_on": f"{len(views)} photographs not trained on"}
    return replace(style, scores=scores, metadata=metadata)


def install_trunk(trunk: Trunk, folder: Path, tell: Callable[[str], None]) -> None:
    """Put a trunk, named by its checksum, and its compiled forms into a library's folder of trunks.

    tell: is given a sentence about a form that cannot be made here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_trunk(trunk, folder / f"{trunk.checksum[:16]}.safetensors")
    compile_trunk(trunk, folder, tell)


def keep_trunk(library: StyleLibrary, folder: Path) -> None:
    """Copy a library's trunk, with its compiled forms, into another library's folder of trunks, named by its checksum.

    So the styles that were learnt on it go on working when a later release brings another.
    """
    if library.trunk_path.parent.resolve() == folder.resolve():
        return
    name = library.trunk.checksum[:16]
    copies = {folder / each.name: each for each in library.trunk_path.parent.glob(f"{name}*.tflite")}
    for target, source in (copies | {folder / f"{name}.safetensors": library.trunk_path}).items():
        if not target.exists():
            write(target, source.read_bytes())


def write(path: Path, data: bytes) -> None:
    """Write a file whole, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
