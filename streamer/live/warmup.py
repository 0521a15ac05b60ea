"""How fast an engine is, measured before anybody waits for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from streamer.engine import Engine
from streamer.pacing import Size
from streamer.runtime import Batch, still

RUNS = 3  # that are timed, after one that allocates and compiles


def seconds_a_frame(engine: Engine, size: Size, clock: Callable[[], float]) -> float:
    """Device seconds for a frame of this size (height, width) in the fullest batch.

    Smaller batches are run too: a runtime may compile for each. The least of a few runs, since a machine that is busy
    at this moment is not slower for that.
    """
    trunk = engine.library.trunk
    frame = np.random.default_rng(0).integers(0, 255, (1, *size, 3), dtype=np.uint8)
    least, count = 0.0, 1
    while count <= engine.batch_size:
        batch = still(np.repeat(frame, count, axis=0), trunk.identity, trunk.config.statistics_size)
        engine.run(batch)
        least = min(_timed(engine, batch, clock) for _ in range(RUNS)) / count
        count *= 2
    return least


def _timed(engine: Engine, batch: Batch, clock: Callable[[], float]) -> float:
    began = clock()
    engine.run(batch)
    return clock() - began
