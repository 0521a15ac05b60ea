"""`streamer bench`: what this machine does."""

from __future__ import annotations

import time
from typing import Any

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import meter, time_left
from streamer.settings import LIVE_CASES, BenchOptions, EngineOptions


@click.command(short_help="Measure this machine.")
@takes(options=BenchOptions, engine_options=EngineOptions)
@speaks()
def bench(options: BenchOptions, engine_options: EngineOptions, console: Console) -> int:
    """Measure this machine in a few minutes: every stage alone, the whole, and the network against its limits.

    With --compare: the network alone, in every runtime and precision that is installed; from then on streams run on
    what is best by that. With --device gpu: the engine's frames a second on the GPU, by batch and precision. With
    --live: the live service, from a picture drawn at a far end to the same picture seen there again.
    """
    if options.live:
        return _live(options, console)
    from streamer.bench import run_bench, run_comparison, run_gpu_bench
    from streamer.styles import StyleLibrary

    began = time.monotonic()
    with meter(console, "bench") as bar:

        def progress(rounds: int, total: int) -> None:
            elapsed = time.monotonic() - began
            left = time_left(rounds / total, elapsed)
            bar.update(rounds / total, f"round {rounds} of {total}{', ' + left if left else ''}", elapsed)

        library = StyleLibrary.default(engine_options.model)
        if options.compare:
            measured, told = run_comparison(library, engine_options, options, progress=progress), comparison_lines
        elif engine_options.device == "gpu":
            measured, told = run_gpu_bench(library, progress=progress), gpu_lines
        else:
            measured, told = run_bench(library, engine_options, options, progress=progress), lines
    if console.as_json:
        console.result(measured)
    for line in told(measured):
        console.say(line)
    return 0


def _live(options: BenchOptions, console: Console) -> int:
    from streamer.bench.live import run_live

    began = time.monotonic()
    with meter(console, "bench") as bar:
        measured = run_live(
            options.soak,
            [options.only] if options.only else LIVE_CASES,
            progress=lambda done, total, name: bar.update(
                done / total, name.replace("_", " "), time.monotonic() - began
            ),
        )
    if console.as_json:
        console.result(measured)
    for line in live_lines(measured):
        console.say(line)
    return 0


def live_lines(measured: dict[str, Any]) -> list[str]:
    """Each case of the live service in a line, for people."""
    cases = {name: case for name, case in measured.items() if isinstance(case, dict) and "holds" in case}
    return [f"{name:15} {'holds ' if case['holds'] else 'missed'} {_plain(case)}" for name, case in cases.items()]


def _plain(case: dict[str, Any]) -> str:
    """Its figures that are single numbers, and the limits that they were held against."""
    numbers = {name: value for name, value in case.items() if isinstance(value, int | float) and name != "holds"}
    told = ", ".join(f"{name} {value:g}" for name, value in numbers.items())
    return f"{told} (limits: {', '.join(f'{name} {value:g}' for name, value in case['limits'].items())})"


def lines(measured: dict[str, Any]) -> list[str]:
    """The figures that have limits, one a line, and what Johnson's network was measured in, for people."""
    johnson = measured["johnson"]
    found = []
    for name, limit in measured["thresholds"].items():
        verdict = "" if limit["holds"] else "  (missed)"
        found.append(f"{name:22} {measured[name]:8g}   {limit['must_be']} {limit['limit']:g}{verdict}")
    found.append(f"Johnson's network ran fastest in {johnson['runtime']}. {johnson['note'] or ''}".rstrip())
    return found


def comparison_lines(measured: dict[str, Any]) -> list[str]:
    """A table of the runtimes, what is not installed, and what streams run on, for people."""
    conditions, cpu = measured["conditions"], measured["machine"]["cpu"]
    count = conditions["threads"]
    found = [
        f"{conditions['width']}x{conditions['height']}, {count} thread{'s' * (count > 1)}, {cpu}",
        f"{'':16}{'ms':>8}{'CPU ms':>8}{'kB':>6}{'off float32: max':>20}{'mean':>8}",
    ]
    for row in measured["rows"]:
        size = "" if row["kilobytes"] is None else row["kilobytes"]
        figures = f"{row['ms_per_frame']:8.1f}{row['cpu_ms_per_frame']:8.1f}{size:>6}"
        off = f"{row['off_float32_max']:>20}{row['off_float32_mean']:8.2f}"
        mark = "  < streams" if row["chosen"] else ""
        note = f"  ({row['note']})" if row["note"] else ""
        found.append(f"{row['title']:16}{figures}{off}{mark}{note}")
    return [*found, *measured["missing"].values(), measured["why"]]


def gpu_lines(measured: dict[str, Any]) -> list[str]:
    """What a GPU did, one precision and batch a line, and against which of its floors, for people."""
    found = [f"{measured['conditions']['device']}, Keras on {measured['conditions']['backend']}"]
    for row in measured["rows"]:
        start = f"{row['precision']:16} batch {row['batch']:2}"
        if row["frames_per_second"] is None:
            found.append(f"{start}   not measured: {row['error']}")
            continue
        floors = ", ".join(f"{name.replace('_', ' ')} {ms:g}" for name, ms in row["floors_ms_per_frame"].items())
        found.append(f"{start} {row['frames_per_second']:8g} frames/s, {row['ms_per_frame']:g} ms (floors: {floors})")
    for name, limit in measured["thresholds"].items():
        verdict = "" if limit["holds"] else "  (missed)"
        found.append(f"{name:22} {measured[name] or 0:8g}   {limit['must_be']} {limit['limit']:g}{verdict}")
    return found
