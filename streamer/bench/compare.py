"""Every runtime and precision that is installed, side by side on one network; what streams run on follows from it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from streamer.bench.clip import HEIGHT, WIDTH, bench_clip
from streamer.bench.machine import machine_facts
from streamer.bench.stages import Costs, DecodeStage
from streamer.choice import Choice, choose, question, remember
from streamer.errors import BadOption, MissingDependency
from streamer.machine import package_version
from streamer.options import AUTO
from streamer.runtime import Batch, Frames, Runtime, still
from streamer.runtimes import PACKAGES, TITLES, candidates, graph_size, make_runtime
from streamer.settings import LITERT, LITERT_INT8, RUNTIMES, BenchOptions, EngineOptions, cores
from streamer.styles import StyleLibrary

SPAN, STEP = 96, 24  # of the clip's first frames, every so many; each is painted once a turn


@dataclass
class Entry:
    """A runtime that is ready, what its turns took, and what it paints."""

    runtime: Runtime
    painted: Frames  # (B, H, W, 3)
    costs: Costs = field(default_factory=Costs)

    def take(self, batch: Batch) -> None:
        """A turn: one frame."""

        def stage() -> int:
            self.runtime.run(batch)
            return 1

        self.costs.take(stage)


def run_comparison(
    library: StyleLibrary,
    engine_options: EngineOptions | None = None,
    options: BenchOptions | None = None,
    *,
    style: str = "mosaic",
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Let all runtimes of the CPU take turns; returns plain JSON values, and remembers which streams run on.

    `progress` is told how many rounds are done, of how many. Raises BadOption for a GPU or a single runtime, and
    UnknownStyle or BadStyle for the style.
    """
    engine_options, options = engine_options or EngineOptions(), options or BenchOptions()
    if engine_options.device == "gpu" or engine_options.runtime != AUTO:
        raise BadOption("--compare measures all that run on the CPU: it goes without --device gpu and --runtime.")
    engine_options = replace(engine_options, device="cpu")
    library = library.select(style)
    batches = _batches(library, style)
    ready, missing = _ready(library, engine_options, batches)
    for number in range(options.rounds):
        for batch, entry in itertools.product(batches, ready.values()):
            entry.take(batch)
        if progress:
            progress(number + 1, options.rounds)
    for entry in ready.values():
        entry.runtime.close()
    choice = _settle(library, engine_options, ready)
    rows = [_row(library, name, ready[name], ready[LITERT].painted) for name in ready]
    return {
        "rows": [row | {"chosen": row["runtime"] == choice.runtime} for row in rows],
        "missing": missing,
        "chosen": choice.runtime,
        "why": str(choice),
        "conditions": _conditions(library, style, engine_options, options),
        "machine": machine_facts() | {"versions": _versions()},
    }


def _batches(library: StyleLibrary, style: str) -> list[Batch]:
    """Frames of the clip, each as a still: (1, HEIGHT, WIDTH, 3)."""
    row, size = library.resolve(style), library.trunk.config.statistics_size
    with tempfile.TemporaryDirectory() as folder:
        frames = DecodeStage(bench_clip(Path(folder), SPAN), SPAN).frames()
    return [still(frame.pixels[None], row, size) for frame in frames[::STEP]]


def _ready(
    library: StyleLibrary, options: EngineOptions, batches: list[Batch]
) -> tuple[dict[str, Entry], dict[str, str]]:
    """The runtimes that are installed and run, each run once; and why the others do not."""
    ready, missing = {}, {}
    for name in RUNTIMES:
        try:
            runtime = make_runtime(library, replace(options, runtime=name))
            ready[name] = Entry(runtime, np.concatenate([runtime.run(batch).frames for batch in batches]))
        except MissingDependency as error:
            missing[name] = str(error)
        except Exception as error:
            if name == LITERT:  # which the others are held against
                raise
            missing[name] = f"{TITLES[name]} does not run here: {error}."
    return ready, missing


def _settle(library: StyleLibrary, options: EngineOptions, ready: dict[str, Entry]) -> Choice:
    """What streams run on from now on, by these measurements, which are better than those of a start."""
    names = candidates(library)
    if len(names) == 1:
        return choose(library, options)
    costs = {name: ready[name].costs for name in names if name in ready}
    threads = options.threads or cores()
    # `streamer.warmup` says why.
    least = {name: round(min(_least(each.wall), _least(each.cpu) / threads), 3) for name, each in costs.items()}
    return remember(question(library, options, names), least)


def _least(seconds: list[float]) -> float:
    """In milliseconds: a machine that is busy for a while is not slower for that."""
    return round(1000 * min(seconds), 3)


def _row(library: StyleLibrary, name: str, entry: Entry, wanted: Frames) -> dict[str, Any]:
    off = np.abs(entry.painted.astype(np.int16) - wanted)
    size = graph_size(library, name)
    untaught = name == LITERT_INT8 and not library.trunk.is_for_int8
    return {
        "runtime": name,
        "title": TITLES[name],
        "ms_per_frame": _least(entry.costs.wall),
        "cpu_ms_per_frame": _least(entry.costs.cpu),
        "kilobytes": None if size is None else round(size / 1000),
        "off_float32_max": int(off.max()),
        "off_float32_mean": round(float(off.mean()), 4),
        "note": "the network did not learn with 8-bit arithmetic" if untaught else "",
    }


def _conditions(library: StyleLibrary, style: str, engine: EngineOptions, options: BenchOptions) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "style": style,
        "model": library.model,
        "threads": engine.threads or cores(),
        "rounds": options.rounds,
    }


def _versions() -> dict[str, str | None]:
    packages = {package for names in PACKAGES.values() for package in names} | {"tensorflow", "numpy"}
    return {name: package_version(name) for name in sorted(packages)}
