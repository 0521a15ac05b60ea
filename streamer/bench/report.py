"""The figures that follow from what was measured, and whether the project's limits hold."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamer.bench.clip import HEIGHT, WIDTH
from streamer.bench.flops import FLOP_PER_MAC, blur_macs, convolution_macs
from streamer.bench.matrix import FLOP
from streamer.runtimes import TITLES

if TYPE_CHECKING:
    from streamer.bench.run import Measured
    from streamer.bench.stages import Costs


@dataclass(frozen=True)
class Limit:
    """What a figure has to keep to, and what it should become."""

    value: float
    at_least: bool
    aim: float | None = None

    def judge(self, figure: float) -> dict[str, Any]:
        """The limit in words, and whether it holds."""
        holds = figure >= self.value if self.at_least else figure <= self.value
        bound = "at least" if self.at_least else "at most"
        return {"must_be": bound, "limit": self.value, "aim": self.aim, "holds": holds}


LIMITS = {
    "floor_ratio": Limit(1.2, at_least=False, aim=1.0),
    "speedup_vs_johnson": Limit(16.0, at_least=True, aim=40.0),
    "pipeline_efficiency": Limit(0.85, at_least=True),
    "realtime_fps": Limit(24.0, at_least=True, aim=60.0),
    "gmac_per_frame": Limit(2.0, at_least=False),
    "peak_memory_mib": Limit(1024.0, at_least=False),
    "peak_memory_1080p_mib": Limit(1024.0, at_least=False),
}


def report(measured: Measured) -> dict[str, Any]:
    """One object of plain JSON values; docs/runtimes.md explains each."""
    macs = convolution_macs(measured.library.trunk.config, HEIGHT, WIDTH)
    matrix_rate = FLOP / statistics.median(measured.matrix_seconds)
    figures = derived(measured, macs, matrix_rate)
    costs = measured.costs
    return {
        **figures,
        "thresholds": {name: limit.judge(figures[name]) for name, limit in LIMITS.items()},
        "matrix_multiply_gflop_per_second": _short(matrix_rate / 1e9),
        "gflop_per_frame": _short(FLOP_PER_MAC * macs / 1e9),
        "gflop_per_frame_of_fixed_blur": _short(FLOP_PER_MAC * blur_macs(HEIGHT, WIDTH) / 1e9),
        "decode": _stage(costs["decode"]),
        "denoise": _stage(costs["denoise"]),
        "style": {
            **_stage(costs["style"]),
            "one_thread_wall_ms_per_frame": _short(costs["style_one_thread"].wall_ms),
            "one_thread_cpu_ms_per_frame": _short(costs["style_one_thread"].cpu_ms),
        },
        "encode": _stage(costs["encode"]),
        "johnson": johnson_figures(measured),
        "transcode": _whole(measured),
        "conditions": _conditions(measured),
        "machine": measured.facts,
    }


def derived(measured: Measured, macs: int, matrix_rate: float) -> dict[str, float]:
    """The figures that have limits. matrix_rate: FLOP per second."""
    costs = measured.costs
    style_seconds = costs["style"].wall_ms / 1000
    # What the stages cost when each has one thread and the machine to itself: nothing of it can be left out, so
    # spread evenly over the cores it is the least time that the whole can take.
    alone = sum(costs[name].cpu_ms for name in ("decode", "denoise", "style_one_thread", "encode")) / 1000
    per_frame = measured.whole("wall_seconds") / measured.whole("frames")
    return {
        "floor_ratio": _short(style_seconds / (FLOP_PER_MAC * macs / matrix_rate)),
        "speedup_vs_johnson": _short(measured.johnson()[1].wall_ms / costs["style"].wall_ms),
        "pipeline_efficiency": _short(alone / len(measured.cores) / per_frame),
        "realtime_fps": _short(1 / per_frame),
        "gmac_per_frame": _short(macs / 1e9),
        "peak_memory_mib": _short(max(outcome.peak_memory_bytes for outcome in measured.wholes) / 2**20),
        "peak_memory_1080p_mib": _short(measured.large.peak_memory_bytes / 2**20),
    }


def _stage(costs: Costs) -> dict[str, Any]:
    return {
        "wall_ms_per_frame": _short(costs.wall_ms),
        "cpu_ms_per_frame": _short(costs.cpu_ms),
        "wall_ms_per_frame_least": _short(1000 * min(costs.wall)),
        "wall_ms_per_frame_most": _short(1000 * max(costs.wall)),
    }


def johnson_figures(measured: Measured) -> dict[str, Any]:
    """The classic network in its fastest runtime, and its time in each."""
    runtime, costs = measured.johnson()
    tensorflow = measured.costs.get("johnson_tensorflow")
    return {
        "runtime": runtime,
        **_stage(costs),
        "litert_wall_ms": _short(measured.costs["johnson_litert"].wall_ms),
        "tensorflow_wall_ms": _short(tensorflow.wall_ms) if tensorflow else None,
        "note": measured.no_tensorflow,
        "gflop_per_frame": _short(FLOP_PER_MAC * measured.johnson_macs / 1e9),
    }


def _whole(measured: Measured) -> dict[str, Any]:
    return {
        "frames": measured.wholes[0].frames,
        "wall_seconds": _short(measured.whole("wall_seconds")),
        "cpu_seconds": _short(measured.whole("cpu_seconds")),
        "process_wall_seconds": _short(measured.whole("process_seconds")),
        "peak_memory_mib": _short(measured.whole("peak_memory_bytes") / 2**20),
    }


def _conditions(measured: Measured) -> dict[str, Any]:
    return {
        "clip": measured.clip,
        "width": WIDTH,
        "height": HEIGHT,
        "style": measured.style,
        "runtime": TITLES[measured.runtime],
        "threads": measured.threads,
        "pinned_to_cores": measured.cores,
        "frames_1080p": measured.large.frames,
        "rounds": len(measured.wholes),
        "rounds_asked_for": measured.options.rounds,
        "seconds": _short(measured.seconds),
    }


def _short(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")
