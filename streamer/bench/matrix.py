"""The rate of a matrix product, the arithmetic that a convolution is measured by.

`main`, run in a process of its own, measures once for every line that it reads. It has to be a
program of its own: how many threads NumPy's BLAS takes is settled when NumPy is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import numpy as np

SIDE = 2048
REPEATS = 4
FLOP = 2 * SIDE**3
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class MatrixMeter:
    """The product of two float32 matrices, 2048x2048, by NumPy in a process of its own."""

    def __init__(self, threads: int) -> None:
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
        command = [sys.executable, "-c", "from streamer.bench.matrix import main; main()"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, bufsize=1
        )

    def __call__(self) -> float:
        """Seconds that one product takes now. Raises OSError when the process has gone."""
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("The process that multiplies matrices has no pipes.")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OSError("The process that multiplies matrices ended early.")
        return float(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


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
