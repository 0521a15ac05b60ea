"""`streamer train --sweep`: what it tries, and what it found, for people."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.cli.console import Console
from streamer.cli.sources import Sources
from streamer.options import flag_name
from streamer.training_settings import TrainOptions

if TYPE_CHECKING:
    from training.cli import Teller
    from training.sweep import Swept

ONE_RUN_ONLY = ("minutes", "steps")  # what the command line of a whole run does not take from a trial's


def run_sweep(sources: Sources, options: TrainOptions, folder: Path, resume: bool, teller: Teller) -> Swept:
    """Make the trials of a sweep."""
    from training.sweep import parse_axes, sweep

    return sweep(
        parse_axes(sources.sweep),
        [] if resume else sources.described(),
        sources.content,
        options,
        folder=folder,
        command=command_line(sources, options),
        tell=teller,
        resume=resume,
    )


def command_line(sources: Sources, options: TrainOptions) -> list[str]:
    """The command that trains these sources by these options in full."""
    said = [
        part
        for field in dataclasses.fields(TrainOptions)
        if (value := getattr(options, field.name)) != field.default and field.name not in ONE_RUN_ONLY
        for part in ([flag_name(field)] if value is True else [flag_name(field), str(value)])
    ]
    return ["streamer", "train", *sources.arguments(), *said]


def show_sweep(console: Console, swept: Swept) -> None:
    """A table of the trials, where the picture of them is, and how to train each in full."""
    listed = [
        {"number": t.number, "values": t.values, "scores": t.scores, "command": full_command(swept, t.values)}
        for t in swept.trials
    ]
    if console.as_json:
        console.result({"sheet": swept.sheet, "trials": listed})
    names = list(swept.trials[0].values)
    rows = [["TRIAL", *names, "CONTENT", "STYLE"]]
    for trial in swept.trials:
        scores = [f"{trial.scores[name]:.3f}" for name in ("content", "style")]
        rows.append([str(trial.number), *(f"{trial.values[name]:g}" for name in names), *scores])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        console.say("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    console.say(f"All of them beside each other: {swept.sheet}")
    for trial in swept.trials:
        console.say(f"To train {trial.number} in full: {full_command(swept, trial.values)}")


def full_command(swept: Swept, values: dict[str, float]) -> str:
    """The sweep's command line with one trial's values in place of what it said of them."""
    flags = {"--" + name.replace("_", "-"): f"{value:g}" for name, value in values.items()}
    kept: list[str] = []
    parts = iter(swept.command)
    for part in parts:
        if part in flags:
            next(parts)
        else:
            kept.append(part)
    return shlex.join([*kept, *(part for flag in flags.items() for part in flag)])
