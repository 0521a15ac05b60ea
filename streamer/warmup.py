"""How fast a runtime is, measured before anybody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from streamer.pacing import Size
from streamer.runtime import Batch, Runtime, Styled, still
from streamer.trunk import Trunk

RUNS = 3  # that are timed, after one that allocates and compiles
TURNS = 5  # of runtimes that are compared, at most


def seconds_a_frame(
    run: Callable[[Batch], Styled], trunk: Trunk, batch_size: int, size: Size, clock: Callable[[], float]
) -> float:
    """Device seconds for a frame of this size (height, width) in the fullest batch.

    Smaller batches are run too: a runtime may compile for each. The least of a few runs, since a machine that is busy
    at this moment is not slower for that.
    """
    least, count = 0.0, 1
    while count <= batch_size:
        batch = _noise(trunk, size, count)
        run(batch)
        least = min(_timed(run, batch, clock) for _ in range(RUNS)) / count
        count *= 2
    return least


def seconds_in_turns(
    runtimes: Mapping[str, Runtime],
    trunk: Trunk,
    size: Size,
    within: float,
    clock: Callable[[], float],
    threads: int = 1,
    processor: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Seconds that each runtime takes for one frame of this size (height, width): the least of TURNS, in turns.

    That of the clock or, where it is less, the processor's, shared by the runtime's `threads`: while other programs
    have the cores, the clock says more of them than of the runtime. After two turns none is begun once `within` seconds
    have gone by: a slow machine shows soon enough which is faster.
    """
    batch, began = _noise(trunk, size, 1), clock()
    for runtime in runtimes.values():
        runtime.run(batch)  # allocates
    taken: dict[str, list[float]] = {name: [] for name in runtimes}
    for turn in range(TURNS):
        if turn >= 2 and clock() - began > within:
            break
        for name, runtime in runtimes.items():
            spent = processor()
            by_clock = _timed(runtime.run, batch, clock)
            taken[name].append(min(by_clock, (processor() - spent) / threads))
    return {name: min(seconds) for name, seconds in taken.items()}


def _noise(trunk: Trunk, size: Size, count: int) -> Batch:
    frame = np.random.default_rng(0).integers(0, 255, (1, *size, 3), dtype=np.uint8)
    return still(np.repeat(frame, count, axis=0), trunk.identity, trunk.config.statistics_size)


def _timed(run: Callable[[Batch], Styled], batch: Batch, clock: Callable[[], float]) -> float:
    began = clock()
    run(batch)
    return clock() - began
