"""`streamer train`: a thin door to the package `training`, which needs TensorFlow."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import Meter, meter, time_left
from streamer.cli.signals import StopFlag, stop_on_signals
from streamer.errors import Interrupted, MissingDependency
from streamer.settings import TrainOptions

if TYPE_CHECKING:
    from training.cli import Picture

PATH = click.Path(path_type=Path)
EXTRA = {"keras", "tensorflow"}  # what the extra `train` brings


@dataclass(frozen=True)
class Lesson:
    """What to learn from: pictures with what is to be said of each, and photographs to paint meanwhile."""

    pictures: tuple[Path, ...]
    name: tuple[str, ...]
    title: tuple[str, ...]
    artist: tuple[str, ...]
    licence: tuple[str, ...]
    style_size: tuple[str, ...]
    style_weight: tuple[float, ...]
    content: tuple[Path, ...]

    def check(self) -> None:
        """Raise a usage error unless every picture has a name and there are photographs to learn with."""
        if not self.pictures:
            raise click.UsageError("Missing argument 'PICTURE...'.")
        for said in ("name", "title", "artist", "licence", "style_size", "style_weight"):
            count, flag = len(getattr(self, said)), said.replace("_", "-")
            if count != len(self.pictures) and (count or said == "name"):
                raise click.UsageError(f"--{flag} is needed once for each picture: {len(self.pictures)}, not {count}.")
        if not self.content:
            raise click.UsageError("--content DIR, a folder of photographs to train with, is needed.")

    def described(self) -> list[Picture]:
        """The pictures as `training` takes them."""
        from training.cli import Picture

        said: dict[str, Sequence[Any]] = {
            "name": self.name,
            "title": self.title,
            "artist": self.artist,
            "licence": self.licence,
            "sizes": [_sizes(text) for text in self.style_size],
            "weight": self.style_weight,
        }
        said = {key: values for key, values in said.items() if values}
        return [
            Picture(path, **{key: values[i] for key, values in said.items()}) for i, path in enumerate(self.pictures)
        ]


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"--style-size takes pixels such as 256,384; received {text!r}.") from error


def takes_lesson(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the arguments of a Lesson, as its argument `lesson`."""

    @functools.wraps(command)
    def wrapper(**values: Any) -> int:
        facts = {key: values.pop(key) for key in Lesson.__dataclass_fields__}
        return command(lesson=Lesson(**facts), **values)

    of_each = "The picture's {}; one for each picture, or none."
    decorated: Callable[..., int] = wrapper
    for option in (
        click.option("--content", multiple=True, type=PATH, metavar="DIR", help="A folder of photographs; repeatable."),
        click.option(
            "--style-weight", multiple=True, type=float, help="Weight of the style loss, for each picture. [1]"
        ),
        click.option(
            "--style-size",
            multiple=True,
            metavar="PX[,PX]",
            help="Short sides at which each picture is looked at: larger is coarser strokes. [256,384]",
        ),
        click.option("--licence", multiple=True, help=of_each.format("licence")),
        click.option("--artist", multiple=True, help=of_each.format("artist")),
        click.option("--title", multiple=True, help=of_each.format("title")),
        click.option("--name", multiple=True, help="The style's name; one for each picture."),
        click.argument("pictures", metavar="PICTURE...", nargs=-1, type=PATH),
    ):
        decorated = option(decorated)
    return decorated


@click.command(short_help="Train styles from pictures.")
@takes_lesson
@click.option("--out", type=PATH, metavar="DIR", help="Where the style files go; default: your own styles.")
@click.option("--run-dir", type=PATH, metavar="DIR", help="Checkpoints and previews; default: named for the styles.")
@click.option("--start-from", type=PATH, metavar="DIR", help="Begin with what an earlier run exported.")
@click.option("--resume", is_flag=True, help="Go on with the run in its folder; needs no pictures.")
@takes(options=TrainOptions)
@speaks()
def train(
    lesson: Lesson,
    out: Path | None,
    run_dir: Path | None,
    start_from: Path | None,
    resume: bool,
    options: TrainOptions,
    console: Console,
) -> int:
    """Train styles from pictures; `streamer transcode --style NAME` works at once."""
    if not resume:
        lesson.check()
    elif not (run_dir or lesson.name):
        raise click.UsageError("--resume needs the --run-dir or the --name of the run to go on with.")
    with stop_on_signals() as stop, training_extra():
        from streamer.styles import user_folder

        folder = run_dir or user_folder().parent / "runs" / "+".join(lesson.name)
        try:
            with meter(console, ", ".join(lesson.name)) as bar:
                reporter = Reporter(bar, stop, time.monotonic())
                begin = {"resume": resume, "start_from": start_from}
                written = run(lesson, options, folder, out or user_folder(), reporter, **begin)
        except Interrupted as error:
            console.complain(f"{error} What was learnt is in {folder}; --resume goes on with it.")
            return stop.exit_code
    show(console, written)
    return 0


def run(lesson: Lesson, options: TrainOptions, folder: Path, out: Path, report: Reporter, **begin: Any) -> list[Path]:
    """Train; returns the style files."""
    from streamer.styles import StyleLibrary
    from training.cli import train as run_training

    return run_training(
        [] if begin["resume"] else lesson.described(),
        lesson.content,
        options,
        folder=folder,
        out=out,
        library=StyleLibrary.default(),
        report=report,
        **begin,
    )


def show(console: Console, written: list[Path]) -> None:
    """Say which styles there are now, and what to do with them."""
    from streamer.styles import load_style

    styles = [(path, load_style(path)) for path in written]
    if console.as_json:
        console.result({"styles": [{"name": s.name, "path": path, "scores": s.scores} for path, s in styles]})
    for path, style in styles:
        console.say(f"{path}: streamer transcode in.mp4 --style {style.name}")


class Reporter:
    """Shows each step, and ends the run between two of them when asked to stop."""

    def __init__(self, bar: Meter, stop: StopFlag, started: float) -> None:
        self._bar, self._stop, self._started = bar, stop, started

    def __call__(self, step: int, total: int, losses: dict[str, float]) -> None:
        """Show a step. Raises Interrupted."""
        if self._stop.is_set():
            raise Interrupted(f"Stopped at step {step} of {total}.")
        elapsed = time.monotonic() - self._started
        parts = [f"step {step}/{total}", *(f"{name} {value:.3f}" for name, value in losses.items())]
        left = time_left(step / total, elapsed)
        self._bar.update(step / total, ", ".join([*parts, left] if left else parts), elapsed)


@contextlib.contextmanager
def training_extra() -> Iterator[None]:
    """Turn the absence of the extra `train` into a sentence. Raises MissingDependency."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow greets on stderr
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in EXTRA:
            raise
        raise MissingDependency(
            "Training needs TensorFlow and Keras: pip install '.[train]' in the checkout, or make train-env."
        ) from error
