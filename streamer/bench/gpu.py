"""`streamer bench --device gpu`: frames a second of the engine on a GPU, by batch and precision, beside its floors.

The Keras runtime as a server runs it, on TensorFlow or JAX, host copies included: frames are stacked on one thread
while the device works on the batch before, and come back as NumPy arrays. Three floors stand beside each figure, each
measured on the same device: the arithmetic of the convolutions at the rate of a large matrix product in the same
precision, their inputs and outputs at the bandwidth of the device's memory, and the frames' way to the device and back.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.bench.device import allow_tf32, copy_seconds, device_facts, matrix_rate, memory_rate
from streamer.bench.flops import FLOP_PER_MAC, activation_values, convolution_macs
from streamer.bench.machine import machine_facts
from streamer.bench.report import Limit
from streamer.engine import Engine
from streamer.errors import MissingDependency
from streamer.geometry import STRIDE
from streamer.keras_runtime import KerasRuntime, gpu_count
from streamer.runtime import still
from streamer.styles import StyleLibrary

HEIGHT, WIDTH = 720, 1280
BATCHES = (1, 4, 8, 16, 32)
ROUNDS = 5
ROUND_SECONDS = 0.5
IN_FLIGHT = 2  # batches: one on the device, one that is stacked meanwhile
MATRIX_SIDE = 8192
MEMORY_VALUES = 1 << 28  # 1 GiB of float32
LIMITS = {"frames_per_second": Limit(2000.0, at_least=True), "mixed_vs_float32": Limit(1.7, at_least=True)}

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Precision:
    """How the network computes: a Keras policy, and whether products of float32 may be rounded to TF32."""

    name: str
    policy: str
    tf32: bool = False

    @property
    def dtype(self) -> str:
        """What the convolutions compute in."""
        return self.policy.removeprefix("mixed_")

    @property
    def bytes(self) -> int:
        """Of one number."""
        return 4 if self.dtype == "float32" else 2


PRECISIONS = (
    Precision("float32", "float32"),
    Precision("float32 as TF32", "float32", tf32=True),
    Precision("mixed float16", "mixed_float16", tf32=True),
    Precision("mixed bfloat16", "mixed_bfloat16", tf32=True),
)


@dataclass(frozen=True)
class Sizes:
    """How much is measured; a test measures less of everything."""

    height: int = HEIGHT
    width: int = WIDTH
    batches: Sequence[int] = BATCHES
    precisions: Sequence[Precision] = PRECISIONS
    rounds: int = ROUNDS
    round_seconds: float = ROUND_SECONDS
    matrix_side: int = MATRIX_SIDE
    memory_values: int = MEMORY_VALUES


def run_gpu_bench(
    library: StyleLibrary, *, style: str = "mosaic", progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Measure the GPU; plain JSON values, units in their names. Some minutes, most of them compilation.

    Raises MissingDependency without a GPU or without Keras, UnknownStyle or BadStyle for the style.
    """
    if gpu_count() == 0:
        raise MissingDependency(
            "--device gpu: nothing was measured, because Keras finds no GPU here; --device cpu always works."
        )
    return measure(library, style=style, progress=progress)


def measure(
    library: StyleLibrary,
    *,
    style: str,
    sizes: Sizes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """What `run_gpu_bench` does, on whatever device Keras has."""
    sizes, library = sizes or Sizes(), library.select(style)
    row = library.resolve(style)
    began, rows = time.monotonic(), []
    total = len(sizes.precisions) * len(sizes.batches)
    for precision in sizes.precisions:
        allow_tf32(precision.tf32)
        floors = _floors(library, precision, sizes)
        runtime = KerasRuntime(library.trunk, precision=precision.policy, batch_size=max(sizes.batches))
        with Engine(library, runtime=runtime) as engine:
            for batch in sizes.batches:
                rows.append({"precision": precision.name, "batch": batch} | _row(engine, row, batch, sizes, floors))
                if progress:
                    progress(len(rows), total)
    return _report(library, style, sizes, rows, time.monotonic() - began)


def _row(
    engine: Engine, modulation: NDArray[np.float32], batch: int, sizes: Sizes, floors: dict[str, float]
) -> dict[str, Any]:
    """The figures of one precision and batch, or why there are none: a batch may be too large for the device."""
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (sizes.height, sizes.width, 3), dtype=np.uint8) for _ in range(batch)]
    try:
        rates = _rates(engine, frames, modulation, sizes)
    except Exception as error:  # noqa: BLE001 - each framework has its own error for a lack of memory
        return {"frames_per_second": None, "error": str(error).strip().splitlines()[0][:200]}
    frame_ms = 1000 / statistics.median(rates)
    return {
        "frames_per_second": _short(statistics.median(rates)),
        "frames_per_second_least": _short(min(rates)),
        "frames_per_second_most": _short(max(rates)),
        "ms_per_frame": _short(frame_ms),
        "floors_ms_per_frame": floors,
        "times_the_highest_floor": _short(frame_ms / max(floors.values())),
    }


def _rates(engine: Engine, frames: Sequence[Frames], modulation: NDArray[np.float32], sizes: Sizes) -> list[float]:
    """Frames a second, round by round."""
    size = engine.library.trunk.config.statistics_size

    def begin() -> Any:
        batch = still(np.stack(frames), modulation, size)
        return engine.on_device(lambda runtime: runtime.run(batch))

    for _ in range(2):  # the first compiles
        begin().result()
    rates = []
    for _ in range(sizes.rounds):
        count, began = 0, time.perf_counter()
        flying = [begin() for _ in range(IN_FLIGHT)]
        while time.perf_counter() - began < sizes.round_seconds:
            flying.append(begin())
            flying.pop(0).result()
            count += 1
        for future in flying:
            future.result()
            count += 1
        rates.append(count * len(frames) / (time.perf_counter() - began))
    return rates


def _floors(library: StyleLibrary, precision: Precision, sizes: Sizes) -> dict[str, float]:
    """Milliseconds that a frame takes at least, by each of three limits."""
    config, pixels = library.trunk.config, sizes.height * sizes.width
    height, width = (side // STRIDE * STRIDE for side in (sizes.height, sizes.width))
    flop = FLOP_PER_MAC * convolution_macs(config, height, width)
    moved = activation_values(config, height, width) * precision.bytes + 2 * 3 * pixels
    return {
        "arithmetic": _short(1000 * flop / matrix_rate(sizes.matrix_side, precision.dtype)),
        "device_memory": _short(1000 * moved / memory_rate(sizes.memory_values)),
        "host_copies": _short(1000 * copy_seconds((sizes.height, sizes.width))),
    }


def _report(
    library: StyleLibrary, style: str, sizes: Sizes, rows: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    best: dict[str, float] = {}
    for row in rows:
        best[row["precision"]] = max(best.get(row["precision"], 0.0), row["frames_per_second"] or 0.0)
    mixed = max((rate for name, rate in best.items() if name.startswith("mixed")), default=0.0)
    figures = {
        "frames_per_second": max(best.values()),
        "mixed_vs_float32": _ratio(mixed, best.get("float32")),
        "mixed_vs_tf32": _ratio(mixed, best.get("float32 as TF32")),
    }
    judged = {name: limit.judge(figures[name] or 0.0) for name, limit in LIMITS.items()}
    macs = convolution_macs(library.trunk.config, *(side // STRIDE * STRIDE for side in (sizes.height, sizes.width)))
    return {
        **figures,
        "thresholds": judged,
        "rows": rows,
        "gflop_per_frame": _short(FLOP_PER_MAC * macs / 1e9),
        "conditions": {
            "width": sizes.width,
            "height": sizes.height,
            "style": style,
            "batches_in_flight": IN_FLIGHT,
            "rounds": sizes.rounds,
            "seconds": _short(seconds),
            **device_facts(),
        },
        "machine": machine_facts(),
    }


def _ratio(one: float, other: float | None) -> float | None:
    return _short(one / other) if other else None


def _short(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")
