"""`streamer paint`: a thin door to `training.paint`, which needs TensorFlow and SciPy."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.chatter import silent_end
from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import Meter, clock, meter
from streamer.cli.signals import StopFlag, stop_on_signals
from streamer.cli.sources import PATH
from streamer.cli.train import training_extra
from streamer.errors import Interrupted
from streamer.training_settings import PaintOptions

if TYPE_CHECKING:
    from training.paint.files import PaintReport
    from training.paint.painting import Moment


@click.command(short_help="Paint a picture slowly, in the style of any other.")
@click.argument("content", metavar="CONTENT", type=PATH)
@click.argument("style", metavar="STYLE", type=PATH)
@click.option("-o", "--output", type=PATH, metavar="OUT", help="The output; default: CONTENT.STYLE.jpg beside CONTENT.")
@takes(options=PaintOptions)
@speaks()
def paint(content: Path, style: Path, output: Path | None, options: PaintOptions, console: Console) -> int:
    """Paint the picture CONTENT in the style of the picture STYLE; no trained style is needed, but minutes.

    The optimisation of Gatys et al. (2016): the picture itself is changed, step by step, until VGG-19 sees in it the
    content of one and the style of the other. Ctrl-C ends it with what there is.

    \b
    streamer paint photo.jpg picture.jpg -o out.png
    streamer paint photo.jpg picture.jpg --long-side 768 --style-weight 3 --style-scale 1.5
    """
    with stop_on_signals() as stop, training_extra():
        from streamer.media.atomic import remove_unfinished

        stop.before_leaving = remove_unfinished
        target = output or place(content, style)
        try:
            with meter(console, target.name) as bar:
                report = painted(content, style, target, options, console, Watcher(bar, stop))
        except Interrupted as error:
            console.complain(str(error))
            silent_end()
            return stop.exit_code
    return show(console, report, stop)


def place(content: Path, style: Path) -> Path:
    """`in.jpg` in the style of `wave.png` -> `in.wave.jpg` beside it."""
    from streamer.image import default_image_output

    return default_image_output(content, style.stem)


def painted(
    content: Path, style: Path, target: Path, options: PaintOptions, console: Console, watcher: Watcher
) -> PaintReport:
    """Paint; returns what came of it."""
    watcher.doing("starting", 0.0)
    from training.paint.files import paint_file

    return paint_file(
        content,
        style,
        target,
        options,
        report=watcher,
        doing=watcher.doing,
        notice=console.notice,
        stop=watcher.stop,
    )


def show(console: Console, report: PaintReport, stop: StopFlag) -> int:
    """Say what was painted; returns the exit code, that of a stopped program if it was."""
    if console.as_json:
        console.result(dataclasses.asdict(report))
    if not report.whole:
        console.complain(f"Stopped after {report.steps} steps; {report.output} holds what was painted so far.")
        silent_end()
        return stop.exit_code
    took = f"{report.steps} steps in {clock(report.elapsed)}"
    told = ", ".join(f"{name} {value:.2f}" for name, value in report.losses.items() if name != "loss")
    console.say(f"{report.output}: {report.width}x{report.height}, {took} ({told})")
    return 0


class Watcher:
    """Shows how a painting goes."""

    def __init__(self, bar: Meter, stop: StopFlag) -> None:
        self.stop = stop
        self._bar, self._began = bar, time.monotonic()

    def __call__(self, moment: Moment) -> None:
        """Show a step."""
        height, width = moment.picture.shape[:2]
        parts = [f"{width}x{height}", f"step {moment.step}/{moment.steps}", f"loss {moment.losses['loss']:.3f}"]
        parts += [] if moment.left is None else [f"{clock(moment.left)} left"]
        self._bar.update(moment.share, ", ".join(parts), time.monotonic() - self._began)

    def doing(self, what: str, share: float) -> None:
        """Show what happens before the first step. Raises Interrupted."""
        if self.stop.is_set():
            raise Interrupted(f"Stopped while {what}; nothing was painted.")
        self._bar.update(share, what, time.monotonic() - self._began)
