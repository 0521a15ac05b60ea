"""`streamer train`: a thin door to the package `training`, which needs TensorFlow."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.chatter import silent_end
from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import Meter, meter, time_left
from streamer.cli.signals import StopFlag, stop_on_signals
from streamer.cli.sources import PATH, Sources, takes_sources
from streamer.cli.sweep import run_sweep, show_sweep
from streamer.errors import BadOption, Interrupted, MissingDependency, OutputError
from streamer.training_settings import TrainOptions

if TYPE_CHECKING:
    from training.cli import Place

EXTRA = {"h5py", "keras", "matplotlib", "scipy", "tensorflow"}  # what the extra `train` brings
STYLE_SUFFIX = ".safetensors"
RECIPE, PLAN = "recipe.json", "sweep.json"  # what lies in the folder of a run, and of a sweep
LONGEST_RUN_NAME = 100


@dataclasses.dataclass(frozen=True)
class Begin:
    """Where a run lies, and how it begins."""

    folder: Path
    start_from: Path | None
    resume: bool


@click.command(short_help="Train styles from pictures.")
@takes_sources
@click.option(
    "--out",
    type=PATH,
    metavar="FILE",
    help=f"A {STYLE_SUFFIX} file for one style, or a library folder; default: your own styles.",
)
@click.option("--run-dir", type=PATH, metavar="DIR", help="Checkpoints and previews; default: named for the styles.")
@click.option(
    "--start-from",
    type=PATH,
    metavar="DIR|MODEL",
    help="With --scope trunk: begin with an earlier run's export, or a model's network; it grows if --model is larger.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in its folder, as it was begun; needs no pictures.")
@takes(options=TrainOptions)
@speaks()
def train(
    sources: Sources,
    out: Path | None,
    run_dir: Path | None,
    start_from: Path | None,
    resume: bool,
    options: TrainOptions,
    console: Console,
) -> int:
    """Train styles from pictures; `streamer transcode --style NAME` works at once.

    \b
    streamer train picture.jpg --minutes 15
    streamer train a.jpg b.jpg --name a --name b --content ~/Pictures --scope trunk
    streamer train picture.jpg --sweep style_weight=1,3,10 content_weight=1,2
    """
    if sources.sweep and (out or start_from):
        raise click.UsageError("--sweep makes trials and installs no style: it goes without --out and --start-from.")
    if resume and start_from:
        raise click.UsageError("--resume goes on with a run as it was begun: it goes without --start-from.")
    sources = sources.complete(out if out and out.suffix == STYLE_SUFFIX else None)
    if not resume:
        sources.check()
    elif not (run_dir or sources.name):
        raise click.UsageError("--resume needs the --run-dir, the --name or the PICTURE of the run to go on with.")
    with stop_on_signals() as stop, training_extra():
        begin = Begin(run_dir or default_folder(sources, options), start_from, resume)
        try:
            with meter(console, ", ".join(sources.name) or str(begin.folder)) as bar:
                teller = Teller(console, bar, stop)
                swept, written = None, []
                if sources.sweep or (resume and (begin.folder / PLAN).exists()):
                    swept = run_sweep(sources, options, begin.folder, resume, teller)
                else:
                    written = run(sources, options, begin, out, teller)
        except Interrupted as error:
            console.complain(f"{error} {what_is_kept(begin.folder, out)}")
            silent_end()
            return stop.exit_code
    if swept:
        show_sweep(console, swept)
    else:
        show(console, written)
    return 0


def default_folder(sources: Sources, options: TrainOptions) -> Path:
    """Where the run of these styles lies if nobody says."""
    from streamer.styles import user_folder

    parts = ["+".join(sources.name)[:LONGEST_RUN_NAME]]
    parts += [] if options.model == "live" else [options.model]
    parts += ["sweep"] if sources.sweep else []
    return user_folder().parent / "runs" / "-".join(parts)


def what_is_kept(folder: Path, out: Path | None) -> str:
    """What a stopped run leaves, and the command line that goes on with it."""
    if not any((folder / name).exists() for name in (RECIPE, PLAN)):
        return "Nothing was learnt yet."
    where = ["--run-dir", str(folder), *(["--out", str(out)] if out else [])]
    return f"What was learnt is in {folder}; to go on: {shlex.join(['streamer', 'train', '--resume', *where])}"


def run(sources: Sources, options: TrainOptions, begin: Begin, out: Path | None, teller: Teller) -> list[Path]:
    """Train; returns the style files."""
    from training.cli import train as run_training

    place = place_of(out, sources.name)
    return run_training(
        [] if begin.resume else sources.described(),
        sources.content,
        options,
        folder=begin.folder,
        place=place,
        tell=teller,
        start_from=begin.start_from,
        resume=begin.resume,
    )


def place_of(out: Path | None, names: tuple[str, ...]) -> Place:
    """Where the styles go; tried out, so that hours of training do not end at a folder that cannot be written."""
    from streamer.styles import user_folder
    from training.cli import Place

    place = Place(out or user_folder())
    if out and out.suffix == STYLE_SUFFIX:
        if names and names != (out.stem,):
            raise BadOption(
                f"--out {out} is for one style, named {out.stem}; received {', '.join(names)}: "
                f"give --name {out.stem}, or a folder."
            )
        place = Place(out.parent, out)
    try:
        place.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place.root):
            pass
    except OSError as error:
        raise OutputError(f"--out {place.root} cannot be written: {error.strerror}.") from error
    return place


def show(console: Console, written: list[Path]) -> None:
    """Say which styles there are now, and what to do with them."""
    from streamer.cli.styles import scores_text
    from streamer.styles import load_style

    styles = [(path, load_style(path)) for path in written]
    if console.as_json:
        console.result({"styles": [{"name": s.name, "path": path, "scores": s.scores} for path, s in styles]})
    for path, style in styles:
        told = scores_text({name: style.scores[name] for name in ("content", "style") if style.scores})
        console.say(f"{path} ({told or 'not scored'}): {using(path, style.name)}")


def using(path: Path, name: str) -> str:
    """The command line that paints in a new style."""
    from streamer.styles import user_folder
    from streamer.trunk import DEFAULT_MODEL, MODELS

    model = path.parent.name if path.parent.name in MODELS else DEFAULT_MODEL
    root = path.parent if model == DEFAULT_MODEL else path.parent.parent
    place = "" if root.resolve() == user_folder().resolve() else f"STREAMER_LIBRARY={shlex.quote(str(root))} "
    return f"{place}streamer transcode in.mp4 --style {name}{'' if model == DEFAULT_MODEL else f' --model {model}'}"


class Teller:
    """Shows what happens, and ends the run between two steps when asked to stop."""

    def __init__(self, console: Console, bar: Meter, stop: StopFlag) -> None:
        self._console, self._bar, self._stop = console, bar, stop
        self._begun = time.monotonic()
        self._first: tuple[int, float] | None = None  # step and time of the first step: the rate counts from there

    def __call__(self, step: int, total: int, losses: dict[str, float]) -> None:
        """Show a step. Raises Interrupted."""
        self._check(f"Stopped at step {step} of {total}.")
        now = time.monotonic()
        first, since = self._first = self._first or (step, now)
        parts = [f"step {step}/{total}", *(f"{name} {value:.3f}" for name, value in losses.items())]
        left = time_left((step - first) / max(1, total - first), now - since)
        self._bar.update(step / total, ", ".join([*parts, left] if left else parts), now - self._begun)

    def doing(self, what: str, share: float | None = None) -> None:
        """Show what happens besides steps. Raises Interrupted."""
        self._check(f"Stopped while {what}.")
        self._bar.update(share, what, time.monotonic() - self._begun)

    def say(self, sentence: str) -> None:
        """A note above the bar."""
        self._console.note(sentence)

    def _check(self, sentence: str) -> None:
        if self._stop.is_set():
            raise Interrupted(sentence)


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
            "Training and measuring need TensorFlow and Keras: "
            "pip install '.[train]' in the checkout, or make train-env."
        ) from error
