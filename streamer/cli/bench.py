"""`streamer bench`: what this machine does."""

from __future__ import annotations

import time
from typing import Any

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import meter, time_left
from streamer.settings import BenchOptions, EngineOptions


@click.command(short_help="Measure this machine.")
@takes(options=BenchOptions, engine_options=EngineOptions)
@speaks()
def bench(options: BenchOptions, engine_options: EngineOptions, console: Console) -> int:
    """Measure this machine in a few minutes: every stage alone, the whole, and the network against its limits."""
    from streamer.bench import run_bench
    from streamer.styles import StyleLibrary

    began = time.monotonic()
    with meter(console, "bench") as bar:

        def progress(rounds: int, total: int) -> None:
            elapsed = time.monotonic() - began
            left = time_left(rounds / total, elapsed)
            bar.update(rounds / total, f"round {rounds} of {total}{', ' + left if left else ''}", elapsed)

        measured = run_bench(StyleLibrary.default(engine_options.model), engine_options, options, progress=progress)
    if console.as_json:
        console.result(measured)
    for line in lines(measured):
        console.say(line)
    return 0


def lines(measured: dict[str, Any]) -> list[str]:
    """The figures that have limits, one a line, and what Johnson's network was measured in, for people."""
    johnson = measured["johnson"]
    found = []
    for name, limit in measured["thresholds"].items():
        verdict = "" if limit["holds"] else "  (missed)"
        found.append(f"{name:22} {measured[name]:8g}   {limit['must_be']} {limit['limit']:g}{verdict}")
    found.append(f"Johnson's network ran fastest in {johnson['runtime']}. {johnson['note'] or ''}".rstrip())
    return found
