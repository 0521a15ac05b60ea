"""`streamer evaluate`: a thin door to the score card in the package `training`, which needs TensorFlow."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import streamer
from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import meter, time_left
from streamer.cli.signals import StopFlag, stop_on_signals
from streamer.cli.train import training_extra
from streamer.errors import Interrupted, UnknownStyle
from streamer.settings import EngineOptions, Look
from streamer.training_settings import EvaluateOptions

if TYPE_CHECKING:
    from streamer.engine import Engine, StyleStream
    from streamer.runtime import Batch, Styled
    from training.card import ScoreCard
    from training.gather import Material
    from training.measure import Sheets
    from training.painter import Painter
    from training.stylised import Outputs

PATH = click.Path(path_type=Path)
PIPE_WIDTH = 160  # columns


@dataclass(frozen=True)
class Wanted:
    """What to measure, and on what."""

    styles: tuple[str, ...]
    content: tuple[Path, ...]
    clips: Path | None
    pictures: tuple[str, ...]
    stylised: tuple[Path, ...]


@click.command(short_help="Measure styles: the score card.")
@click.argument("styles", metavar="[STYLE]...", nargs=-1)
@click.option("--content", multiple=True, type=PATH, metavar="DIR", help="A folder of photographs; repeatable.")
@click.option("--clips", type=PATH, metavar="DIR", help="A folder of clips.")
@click.option(
    "--pictures",
    multiple=True,
    metavar="DIR|NAME=FILE",
    help="The pictures of the styles: a folder of files named for them, or one of them; repeatable.",
)
@click.option(
    "--stylised",
    multiple=True,
    type=PATH,
    metavar="DIR",
    help="Outputs of any program, as DIR/STYLE/photos/NAME.png and DIR/STYLE/clips/NAME.mp4; repeatable.",
)
@click.option("--report", type=PATH, metavar="DIR", help="Write tables, numbers, plots and contact sheets there.")
@takes(options=EvaluateOptions, engine_options=EngineOptions)
@speaks()
def evaluate(
    report: Path | None,
    options: EvaluateOptions,
    engine_options: EngineOptions,
    console: Console,
    **wanted: Any,
) -> int:
    """Measure styles by the score card: content and style of photographs, steadiness of clips, artefacts.

    Without STYLE all styles are measured; with --stylised and without STYLE, the outputs there alone. All are measured
    on the photographs that every style of --stylised has outputs of. The distance to the style needs its picture:
    --pictures finds great_wave in great_wave.jpg, or in the one file with it in its name, such as pd_great_wave.jpg.
    """
    chosen = Wanted(**wanted)
    if not (chosen.content or chosen.clips):
        raise click.UsageError("--content DIR, a folder of photographs, or --clips DIR is needed; best are both.")
    with stop_on_signals() as stop, training_extra(), contextlib.ExitStack() as engines:
        try:
            if report:
                _check(report)
            card, sheets = measured(chosen, options, engine_options, console, Stoppable(stop, engines))
        except Interrupted as error:
            console.complain(str(error))
            return stop.exit_code
        written = _write(card, sheets, report) if report else []
    show(console, card, written)
    return 0


@dataclass(frozen=True)
class Stoppable:
    """What ends early: the user's wish, and the engines that are closed with the stack."""

    stop: StopFlag
    engines: contextlib.ExitStack

    def check(self) -> None:
        """Raise Interrupted when the user asked to stop."""
        if self.stop.is_set():
            raise Interrupted


def measured(
    wanted: Wanted, options: EvaluateOptions, engine_options: EngineOptions, console: Console, live: Stoppable
) -> tuple[ScoreCard, Sheets]:
    """Find all that is asked for, then measure. Raises what streamer.errors has a name for."""
    from training.card import ScoreCard
    from training.evaluate import LAYERS
    from training.gather import gather
    from training.measure import measure
    from training.stylised import find_outputs
    from training.vgg import Features, load_weights

    outputs = [each for folder in wanted.stylised for each in find_outputs(folder, wanted.styles)]
    painters = [] if outputs and not wanted.styles else own(wanted.styles, options, engine_options, live)
    entries: list[Painter | Outputs] = [*painters, *outputs]
    sizes = {"limit": options.limit, "frames": options.clip_frames, "width": options.clip_width}
    material = gather(entries, wanted.content, wanted.clips, wanted.pictures, **sizes)
    if material.photographs:
        for style in sorted({entry.style for entry in entries} - set(material.pictures)):
            console.note(f"The picture of {style} is not in --pictures; its distance to the style is left out.")
    features = Features(load_weights(options.vgg_weights), LAYERS) if material.photographs else None
    began = time.monotonic()
    with meter(console, "evaluate") as bar:

        def progress(done: int, total: int, what: str) -> None:
            live.check()
            elapsed = time.monotonic() - began
            left = time_left(done / total, elapsed)
            bar.update(done / total, f"{what}{', ' + left if left else ''}", elapsed)

        cards, sheets = measure(entries, material, features, progress)
    return ScoreCard(tuple(cards), _settings(material, options)), sheets


def own(
    names: Sequence[str], options: EvaluateOptions, engine_options: EngineOptions, live: Stoppable
) -> list[Painter]:
    """Our styles of these names, or all, with an engine for each trunk among them. Raises UnknownStyle or BadStyle."""
    from streamer.engine import Engine
    from streamer.styles import StyleLibrary
    from training.painter import Painter

    library = StyleLibrary.default(engine_options.model)
    engines: dict[Path, Engine] = {}
    painters = []
    if not (chosen := list(dict.fromkeys(names or library.names()))):
        raise UnknownStyle(f"There are no styles for the {engine_options.model} model to measure.")
    for name in chosen:
        bound = library.select(name)
        if bound.trunk_path not in engines:
            engines[bound.trunk_path] = live.engines.enter_context(Engine(bound, engine_options))
        engine = engines[bound.trunk_path]
        size = bound.trunk.config.statistics_size
        run, stream = _stoppable(engine, live), _streams(engine, name)
        program = f"streamer {engine_options.model}"
        painters.append(Painter(program, name, bound.resolve(name), size, run, stream, options.per_frame))
    return painters


def _stoppable(engine: Engine, live: Stoppable) -> Callable[[Batch], Styled]:
    def run(batch: Batch) -> Styled:
        live.check()
        return engine.run(batch)

    return run


def _streams(engine: Engine, style: str) -> Callable[[], StyleStream]:
    return lambda: engine.stream(Look(style=style))


def _settings(material: Material, options: EvaluateOptions) -> dict[str, Any]:
    """What a reader of the card has to know; names, never paths."""
    facts: dict[str, Any] = {
        "streamer": streamer.__version__,
        "VGG-19": Path(options.vgg_weights).name,
        "photographs": list(material.photographs),
        "pictures": [f"{style}: {path.name}" for style, path in material.pictures.items()],
        "clips": list(material.clips),
    }
    if material.clips:
        facts |= {"frames of a clip": material.frames, "width of a clip": material.width}
    return facts | {"our clips are styled": "frame by frame" if options.per_frame else "as a stream"}


def _check(folder: Path) -> None:
    """What a report needs; better known before the measuring than after."""
    import matplotlib  # noqa: F401

    from training.report import check_folder

    check_folder(folder)


def _write(card: ScoreCard, sheets: Sheets, folder: Path) -> list[Path]:
    from training.report import write_report

    return write_report(card, sheets, folder)


def show(console: Console, card: ScoreCard, written: Sequence[Path]) -> None:
    """The card as tables for people, or as one JSON object."""
    if console.as_json:
        console.result(card.to_dict())
    elif not console.quiet:
        _print_tables(card)
    for path in written:
        console.say(str(path))


def _print_tables(card: ScoreCard) -> None:
    from rich.box import SIMPLE
    from rich.console import Console as RichConsole
    from rich.table import Table as RichTable

    from training.tables import tables

    # In a file or a pipe nothing has to fit a screen.
    screen = RichConsole(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    for table in tables(card, brief=True):
        style: dict[str, Any] = {"title_justify": "left", "caption_justify": "left", "box": SIMPLE, "padding": (0, 1)}
        shown = RichTable(title=table.title, caption=table.meaning, **style)
        for i, name in enumerate(table.header):
            if i < table.names:
                shown.add_column(name, overflow="fold")
            else:
                shown.add_column(name, justify="right", no_wrap=True)
        for row in table.rows:
            shown.add_row(*row)
        screen.print(shown)
