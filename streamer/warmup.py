"""How fast a runtime is, measured before anybody waits for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from streamer.pacing import Size
from streamer.runtime import Batch, Styled, still
from streamer.trunk import Trunk

RUNS = 3  # that are timed, after one that allocates and compiles


def seconds_a_frame(
    run: Callable[[Batch], Styled], trunk: Trunk, batch_size: int, size: Size, clock: Callable[[], float]
) -> float:
    """Device seconds for a frame of this size (height, width) in the fullest batch.

    Smaller batches are run too: a runtime may compile for each. The least of a few runs, since a machine that is busy
    at this moment is not slower for that.
    """
    frame = np.random.default_rng(0).integers(0, 255, (1, *size, 3), dtype=np.uint8)
    least, count = 0.0, 1
    while count <= batch_size:
        batch = still(np.repeat(frame, count, axis=0), trunk.identity, trunk.config.statistics_size)
        run(batch)
        least = min(_timed(run, batch, clock) for _ in range(RUNS)) / count
        count *= 2
    return least


def _timed(run: Callable[[Batch], Styled], batch: Batch, clock: Callable[[], float]) -> float:
    began = clock()
    run(batch)
    return clock() - began
