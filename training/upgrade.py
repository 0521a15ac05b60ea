"""Styles of an earlier trunk, learnt again on the one that the model has now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.errors import BadMedia, UnknownStyle
from streamer.styles import FILES, Style, StyleLibrary, load_style
from streamer.training_settings import STYLE_RATE, STYLE_STEPS
from training.checkpoint import RECIPE
from training.cli import Place, Teller, learn
from training.data import SUFFIXES
from training.recipe import Recipe, StyleSource


@dataclass(frozen=True)
class Wishes:
    """What may differ from how a style was learnt; None and () are as it was.

    pictures: a folder with the styles' pictures, NAME.jpg, NAME.png ...; content: folders of photographs; vgg: a file.
    """

    pictures: Path | None = None
    content: tuple[Path, ...] = ()
    vgg: str | None = None
    steps: int | None = None


def outdated(root: Path, model: str, trunk: str, names: Sequence[str] = ()) -> list[Style]:
    """The styles in a library folder, of those named or of all, whose trunk is not the one of that checksum.

    The trunks that they belong to need not be there. Raises UnknownStyle for a name that the folder has not, BadStyle
    for a damaged file.
    """
    folder = Place(root).style("any", model).parent
    found = {path.stem: path for path in sorted(folder.glob(FILES))}
    for name in names:
        if name not in found:
            raise UnknownStyle(
                f"There is no style {name!r} of your own in {folder}. Known styles: {', '.join(found) or 'none'}."
            )
    styles = [load_style(found[name]) for name in (names or found)]
    return [style for style in styles if style.trunk != trunk]


def recipe_again(style: Style, runs: Path, library: StyleLibrary, wishes: Wishes) -> Recipe:
    """How a style is learnt on the trunk of a library: as it was learnt, which its run or its file tells.

    What was learnt from a teacher alone, which belongs to the network of then, is learnt from its picture.
    runs: the folder of runs, where that of the style's name may lie. Raises BadMedia when its picture is not at hand.
    """
    before = _run(runs / style.name, style) or _told(style)
    (source,) = (each for each in before.styles if each.name == style.name)
    vgg = wishes.vgg or before.vgg
    if not before.uses_features:
        source = replace(source, style_weight=StyleSource.style_weight)
        before = replace(before, content_weight=Recipe.content_weight)
    return replace(
        before,
        styles=(replace(source, picture=str(_picture(source, wishes.pictures))),),
        content=tuple(str(path.resolve()) for path in wishes.content) or _existing(before.content),
        vgg=vgg if vgg == "imagenet" else str(Path(vgg).resolve()),
        scope="style",
        trunk="",
        config=library.trunk.config,
        steps=wishes.steps or (before.steps if before.scope == "style" else STYLE_STEPS),
        learning_rate=before.learning_rate if before.scope == "style" else STYLE_RATE,
        teacher="",
        teacher_trunk="",
        prune=0.0,
    )


def upgrade(recipe: Recipe, runs: Path, place: Place, library: StyleLibrary, tell: Teller) -> Path:
    """Learn the one style of a recipe, and put it in the place of the old one. A stopped run goes on when repeated."""
    folder = runs / f"{recipe.styles[0].name}-{library.trunk.checksum[:12]}"
    (path,) = learn(recipe, folder=folder, place=place, tell=tell)
    return path


def _run(folder: Path, style: Style) -> Recipe | None:
    """The recipe of the run that lies in a folder, if it is that of the style: only it knows where the picture was."""
    try:
        recipe = Recipe.from_json((folder / RECIPE).read_text())
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return recipe if style.name in {each.name for each in recipe.styles} else None


def _told(style: Style) -> Recipe:
    """The recipe in a style's file, which names no paths; or the usual one for a file that tells of none."""
    try:
        recipe = Recipe.from_json(style.metadata["recipe"])
        if style.name in {each.name for each in recipe.styles}:
            return replace(recipe, content=(), vgg="imagenet")
    except (ValueError, TypeError, KeyError):
        pass
    source = StyleSource(style.name, "", title=style.title, artist=style.artist, licence=style.licence)
    return Recipe((source,), (), scope="style", steps=STYLE_STEPS, learning_rate=STYLE_RATE)


def _picture(source: StyleSource, folder: Path | None) -> Path:
    """Where a style's picture is. Raises BadMedia."""
    if folder is not None:
        candidates = [path for path in sorted(folder.glob(f"{source.name}.*")) if path.suffix.lower() in SUFFIXES]
    else:
        candidates = [Path(source.picture)]
    for path in candidates:
        if path.is_file():
            return path.resolve()
    where = f"as {source.name}.jpg or .png in {folder}" if folder else f"at {source.picture or 'a place that it tells'}"
    raise BadMedia(f"The picture of {source.name} is not {where}: --pictures DIR names the folder that it is in.")


def _existing(content: tuple[str, ...]) -> tuple[str, ...]:
    """Folders of photographs that are all still there; else none, which means to fetch some."""
    return content if all(Path(name).is_dir() for name in content) else ()
