"""How many steps fit into the minutes that somebody has: a few are run and timed, and then forgotten.

The number becomes part of the recipe, so a resumed run is as long as it was going to be, on whatever machine.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from streamer.styles import StyleLibrary
from streamer.trunk import Weights
from training.recipe import Recipe
from training.run import run

TIMED_STEPS = 6  # the first builds the graph, so it counts as the start of a run


def fit_steps(
    recipe: Recipe,
    minutes: float,
    *,
    library: StyleLibrary | None,
    vgg: Weights | None,
    start_from: Path | None = None,
    check: Callable[[], None],
) -> Recipe:
    """The recipe with as many steps as fit into `minutes`, at least one; what the timing itself took is subtracted.

    check: called after each timed step; may raise Interrupted.
    """
    begun = time.perf_counter()
    moments: list[float] = []

    def note(step: int, total: int, losses: dict[str, float]) -> None:
        moments.append(time.perf_counter())
        check()

    trial = replace(recipe, steps=TIMED_STEPS, reconstruction_steps=0)
    with tempfile.TemporaryDirectory(prefix="streamer-") as folder:
        run(trial, Path(folder), report=note, library=library, start_from=start_from, vgg=vgg)
    steps = steps_within(60 * minutes, begun, moments, time.perf_counter())
    return replace(recipe, steps=steps)


def steps_within(seconds: float, begun: float, moments: list[float], now: float) -> int:
    """How many steps fit into `seconds` from `begun`, if a run starts `now` and goes as the timed one went.

    moments: when each timed step ended; what came before the first is the cost of a start.
    """
    each = statistics.median(after - before for before, after in itertools.pairwise(moments))
    left = seconds - (now - begun) - (moments[0] - begun)
    return max(1, int(left / each))
