"""What `streamer train` learns from: pictures, what is to be said of each, and photographs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from training.plan import Picture

PATH = click.Path(path_type=Path)
OF_ALL = ("style_size", "style_weight", "steadiness")  # given once, they hold for every picture
OF_EACH = ("name", "title", "artist", "licence", *OF_ALL)
AXIS = re.compile(r"[a-z_]+=.*")


@dataclass(frozen=True)
class Sources:
    """Pictures with what is said of each, folders of photographs or videos, and what a sweep is to try."""

    pictures: tuple[Path, ...]
    name: tuple[str, ...]
    title: tuple[str, ...]
    artist: tuple[str, ...]
    licence: tuple[str, ...]
    style_size: tuple[str, ...]
    style_weight: tuple[float, ...]
    steadiness: tuple[float, ...]
    content: tuple[Path, ...]
    sweep: tuple[str, ...]

    def complete(self, file: Path | None = None) -> Sources:
        """With a name for each picture, and what follows `--sweep` where it belongs. Raises click.UsageError.

        file: where the only style goes, which names it if nothing else does.
        """
        taken = [str(path) for path in self.pictures if self.sweep and AXIS.fullmatch(str(path))]
        pictures = tuple(path for path in self.pictures if str(path) not in taken)
        named_by = (file,) if file and len(pictures) == 1 else pictures
        names = self.name or tuple(name_of(path) for path in named_by)
        return replace(self, pictures=pictures, name=names, sweep=(*self.sweep, *taken))

    def check(self) -> None:
        """Raise a usage error unless there are pictures, and as much is said as there are pictures."""
        if not self.pictures:
            raise click.UsageError("Missing argument 'PICTURE...'.")
        for said in OF_EACH:
            count, flag = len(getattr(self, said)), said.replace("_", "-")
            if count not in (0, len(self.pictures)) and not (count == 1 and said in OF_ALL):
                raise click.UsageError(f"--{flag} is needed once for each picture: {len(self.pictures)}, not {count}.")

    def described(self) -> list[Picture]:
        """The pictures as `training` takes them."""
        from training.plan import Picture

        said: dict[str, Sequence[Any]] = {
            "name": self.name,
            "title": self.title,
            "artist": self.artist,
            "licence": self.licence,
            "sizes": [_sizes(text) for text in self.style_size],
            "weight": self.style_weight,
            "steadiness": self.steadiness,
        }
        said = {key: values for key, values in said.items() if values}
        return [
            Picture(path, **{key: values[i % len(values)] for key, values in said.items()})
            for i, path in enumerate(self.pictures)
        ]

    def arguments(self) -> list[str]:
        """As a command line says it, but for the sweep."""
        flags = [
            [f"--{said.replace('_', '-')}", str(value)]
            for said in (*OF_EACH, "content")
            for value in getattr(self, said)
        ]
        return [*map(str, self.pictures), *(part for flag in flags for part in flag)]


def name_of(picture: Path) -> str:
    """A style's name from a picture's: `My Cat (2).jpg` -> `my_cat_2`. Raises click.UsageError when nothing is left."""
    from streamer import styles

    name = styles.name_of(picture.stem)
    if not name:
        raise click.UsageError(f"No name for a style can be made of {picture.name!r}; give one with --name.")
    return name


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"--style-size takes pixels such as 256,384; received {text!r}.") from error


def takes_sources(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the arguments of Sources, as its argument `sources`."""

    @functools.wraps(command)
    def wrapper(**values: Any) -> int:
        facts = {key: values.pop(key) for key in Sources.__dataclass_fields__}
        return command(sources=Sources(**facts), **values)

    of_each = "The picture's {}; one for each picture, or none."
    decorated: Callable[..., int] = wrapper
    for option in (
        click.option(
            "--sweep",
            multiple=True,
            metavar="NAME=V,V...",
            help="Make short trials of each combination of values, in one picture to choose from: "
            "--sweep style_weight=1,3,10 content_weight=1,2. Also temporal_weight, teacher_weight, style_size, "
            "learning_rate.",
        ),
        click.option(
            "--content",
            multiple=True,
            type=PATH,
            metavar="DIR",
            help="A folder of photographs or videos; repeatable. Default: BSDS500, downloaded once (71 MB).",
        ),
        click.option(
            "--style-weight",
            multiple=True,
            type=float,
            metavar="W",
            help="Weight of the style loss, for all pictures or for each. [1]",
        ),
        click.option(
            "--steadiness",
            multiple=True,
            type=float,
            metavar="X",
            help="A factor on --temporal-weight, for all pictures or for each: more is steadier in motion. [1]",
        ),
        click.option(
            "--style-size",
            multiple=True,
            metavar="PX[,PX]",
            help="Short sides at which pictures are looked at: larger is coarser strokes. [256]",
        ),
        click.option("--licence", multiple=True, help=of_each.format("licence")),
        click.option("--artist", multiple=True, help=of_each.format("artist")),
        click.option("--title", multiple=True, help=of_each.format("title")),
        click.option("--name", multiple=True, help="The style's name, one for each picture; default: the file's."),
        click.argument("pictures", metavar="PICTURE...", nargs=-1, type=PATH),
    ):
        decorated = option(decorated)
    return decorated
