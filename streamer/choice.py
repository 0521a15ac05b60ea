"""Which runtime, in which precision, streams are painted by: measured once on each machine, and remembered."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import streamer
from streamer.caches import cache_folder
from streamer.files import write_atomically
from streamer.machine import cpu_identity, package_version
from streamer.options import AUTO
from streamer.runtime import Runtime, still
from streamer.runtimes import PACKAGES, TITLES, candidates, int8_digest, make_runtime, takes_gpu
from streamer.settings import KERAS, LITERT, LITERT_INT8, EngineOptions, cores
from streamer.styles import StyleLibrary
from streamer.warmup import seconds_in_turns

SIZE = (360, 640)  # height and width of the frame that is measured
WITHIN = 0.4  # seconds; a start may wait so long, once
MARGIN = 0.9  # of LiteRT's time in float32: what takes more is not worth another library
# Milliseconds for a frame of SIZE: 30 frames a second, and a third of the time for decoding and encoding. Whoever is as
# fast as that in float32 stays there: rounding turns the little that is left of a still scene's noise into more.
PACE = 20.0
REMEMBERED = 32  # answers, the newest: of machines that share a home, of trunks, of numbers of threads

Facts = dict[str, Any]  # plain JSON values


@dataclass(frozen=True)
class Choice:
    """A runtime, one of `streamer.settings.RUNTIMES`, and why it is that one.

    milliseconds: for a frame of SIZE, of each that was measured; on: the day of that; is_new: whether it was just now;
    is_kept: whether it is remembered; failed: what was to be measured and does not run. Where nothing was measured,
    `reason` is why.
    """

    runtime: str
    reason: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)
    on: str = ""
    is_new: bool = False
    is_kept: bool = True
    failed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Which and why, as a sentence."""
        if not self.milliseconds:
            return f"Streams run on {TITLES[self.runtime]}: {self.reason}."
        others = [self._passed_over(name) for name in self.milliseconds if name != self.runtime]
        others += [f"{TITLES[name]} does not run here" for name in self.failed]
        height, width = SIZE
        when = "just now" if self.is_new else f"on {self.on}"
        kept = f"remembered in {memory()}" if self.is_kept else f"not remembered, for {memory()} cannot be written"
        return (
            f"Streams run on {TITLES[self.runtime]}: {self.milliseconds[self.runtime]:.1f} ms a frame of "
            f"{width}x{height}, {', '.join(others)}; measured {when}, {kept}."
        )

    def _passed_over(self, name: str) -> str:
        """Another's time, and why it is not that one where it is less."""
        mine, taken = self.milliseconds[name], self.milliseconds[self.runtime]
        is_unneeded = name == LITERT_INT8 and mine < taken <= PACE
        less_quiet = f" (less quiet, so for where float32 takes more than {PACE:g})" if is_unneeded else ""
        return f"{TITLES[name]} {mine:.1f} ms{less_quiet}"


def choose(library: StyleLibrary, options: EngineOptions, clock: Callable[[], float] = time.perf_counter) -> Choice:
    """What streams of a library's trunk run on; measures it the first time. Imports no TensorFlow without a GPU.

    Raises BadStyle for a trunk without its compiled form.
    """
    if options.runtime != AUTO:
        return Choice(options.runtime, "that was asked for")
    if takes_gpu(options):
        return Choice(KERAS, "a GPU was asked for" if options.device == "gpu" else "there is a GPU")
    names = candidates(library)
    if len(names) == 1:
        learnt = library.trunk.is_for_int8
        why = "its 8-bit form is not beside its trunk" if learnt else "its network did not learn with 8-bit arithmetic"
        return Choice(LITERT, why)
    asked = question(library, options, names)
    if (known := recall(asked)) is not None:
        return known
    runtimes = _running(library, options, names)
    with contextlib.suppress(Exception):  # a job may have too little memory for it, and enough for what it is to paint
        return remember(asked, measure(runtimes, library, options.threads or cores(), clock))
    return Choice(LITERT, "which is fastest could not be measured")


def _running(library: StyleLibrary, options: EngineOptions, names: list[str]) -> dict[str, Runtime]:
    """LiteRT in float32, and of the others those that do run: a file may be damaged, a library lack an operator."""
    found = {LITERT: make_runtime(library, replace(options, runtime=LITERT))}
    frame = np.zeros((1, 64, 64, 3), np.uint8)
    batch = still(frame, library.trunk.identity, library.trunk.config.statistics_size)
    for name in names[1:]:
        with contextlib.suppress(Exception):  # whatever it is: streams do without, and `-v` says so
            runtime = make_runtime(library, replace(options, runtime=name))
            runtime.run(batch)
            found[name] = runtime
    return found


def measure(
    runtimes: dict[str, Runtime],
    library: StyleLibrary,
    threads: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Milliseconds that each takes for a frame of SIZE on so many threads; leaves none of their memory behind."""
    try:
        seconds = seconds_in_turns(runtimes, library.trunk, SIZE, WITHIN, clock, threads)
    finally:
        for runtime in runtimes.values():
            runtime.close()
    return {name: round(1000 * each, 3) for name, each in seconds.items()}


def best(milliseconds: dict[str, float]) -> str:
    """The runtime of those measured that streams run on: 8 bits only where float32 does not keep pace."""
    exact = {name: each for name, each in milliseconds.items() if name != LITERT_INT8}
    found = min(exact, key=lambda name: exact[name])
    if exact[found] >= MARGIN * milliseconds[LITERT]:
        found = LITERT
    in_8_bits = milliseconds.get(LITERT_INT8, math.inf)
    return LITERT_INT8 if milliseconds[found] > PACE and in_8_bits < MARGIN * milliseconds[found] else found


# What is remembered: a list of what was asked, as `question` has it, with its answer. The newest is the last.


def memory() -> Path:
    """The file."""
    return cache_folder() / "runtimes.json"


def question(library: StyleLibrary, options: EngineOptions, names: list[str]) -> Facts:
    """All that an answer depends on: the machine, the trunk, and what could run it."""
    packages = sorted({package for name in names for package in PACKAGES[name]})
    return {
        "cpu": cpu_identity(),
        "cores": cores(),
        "threads": options.threads or cores(),
        "trunk": library.trunk.checksum,
        "runtimes": names,
        "int8": int8_digest(library),  # one that does not run may be made anew
        "versions": {"streamer": streamer.__version__} | {name: package_version(name) for name in packages},
    }


def recall(asked: Facts) -> Choice | None:
    """What was measured when the same was asked; None when it never was, or when what is remembered makes no sense."""
    for entry in reversed(_remembered()):
        if entry["for"] == asked:
            times = entry["milliseconds"]
            return Choice(best(times), milliseconds=times, on=entry["on"], failed=_failed(asked, times))
    return None


def remember(asked: Facts, milliseconds: dict[str, float]) -> Choice:
    """The answer that follows from what was measured, kept for the next time where the cache can be written."""
    today = date.today().isoformat()
    others = [entry for entry in _remembered() if entry["for"] != asked]
    entries = [*others, {"for": asked, "milliseconds": milliseconds, "on": today}]
    is_kept = False
    with contextlib.suppress(OSError):
        memory().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(memory(), json.dumps(entries[-REMEMBERED:], indent=1).encode())
        is_kept = True
    failed = _failed(asked, milliseconds)
    return Choice(best(milliseconds), "", milliseconds, today, is_new=True, is_kept=is_kept, failed=failed)


def _failed(asked: Facts, milliseconds: dict[str, float]) -> tuple[str, ...]:
    return tuple(name for name in asked["runtimes"] if name not in milliseconds)


def _remembered() -> list[Facts]:
    """What the file says, as far as it can be believed."""
    try:
        entries = json.loads(memory().read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return [entry for entry in entries if _is_sound(entry)] if isinstance(entries, list) else []


def _is_sound(entry: Any) -> bool:
    try:
        times = entry["milliseconds"]
        were_asked = times.keys() <= set(entry["for"]["runtimes"]) and LITERT in times
        return were_asked and all(0 < each < 1e6 for each in times.values()) and isinstance(entry["on"], str)
    except (KeyError, TypeError, AttributeError):
        return False
