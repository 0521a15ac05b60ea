"""The rate of a matrix product, the arithmetic that a convolution is measured by.

`main`, run in a process of its own, measures once for every line that it reads. It has to be a
program of its own: how many threads NumPy's BLAS takes is settled when NumPy is imported.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from streamer.bench.child import Child

SIDE = 2048
REPEATS = 4
FLOP = 2 * SIDE**3
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class MatrixMeter(Child):
    """The product of two float32 matrices, 2048x2048, by NumPy in a process of its own."""

    def __init__(self, threads: int) -> None:
        super().__init__(__name__, environment=dict.fromkeys(THREAD_VARIABLES, str(threads)))

    def __call__(self) -> float:
        """Seconds that one product takes now. Raises OSError when the process has gone."""
        return self.ask()[0]


def main() -> None:
    """Measure for every line of stdin; write seconds for one product to stdout."""
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((SIDE, SIDE), np.float32) for _ in range(2))
    product = left @ right
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(REPEATS):
            np.matmul(left, right, out=product)
        sys.stdout.write(f"{(time.perf_counter() - began) / REPEATS!r}\n")
        sys.stdout.flush()
