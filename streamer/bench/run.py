"""The measurement: rounds in which every stage takes its turn, until all are done or time is up."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streamer.bench.classic import TensorFlowJohnson
from streamer.bench.clip import FULL_HD, RATE, bench_clip, draw_clip
from streamer.bench.johnson import Johnson
from streamer.bench.machine import available_cores, machine_facts, pinned
from streamer.bench.matrix import MatrixMeter
from streamer.bench.report import report
from streamer.bench.stages import (
    Costs,
    DecodeStage,
    DenoiseStage,
    EncodeStage,
    JohnsonStage,
    Picture,
    Stage,
    StyleStage,
)
from streamer.bench.whole import Order, Outcome, transcode_alone
from streamer.choice import choose
from streamer.engine import Engine
from streamer.errors import BadOption, MissingDependency
from streamer.settings import LITERT, BenchOptions, EngineOptions, Look
from streamer.styles import StyleLibrary

DEFAULT_CORES = 2  # what the project's limits are stated for
STYLED_FRAMES = 48  # a turn of the style stage
LARGE_FRAMES = 48  # of the 1080p clip, at most
JOHNSON_STAGES = {"LiteRT": "johnson_litert", "TensorFlow": "johnson_tensorflow"}
TIME_LIMIT = 240.0  # seconds; no round is begun that would end after it


@dataclass
class Measured:
    """Everything that was measured, one entry a round, and what it was measured on."""

    library: StyleLibrary
    options: BenchOptions
    threads: int
    style: str
    runtime: str = LITERT
    facts: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, Costs] = field(default_factory=dict)
    matrix_seconds: list[float] = field(default_factory=list)
    wholes: list[Outcome] = field(default_factory=list)
    large: Outcome = field(init=False)
    johnson_macs: int = 0
    no_tensorflow: str | None = None
    clip: str = ""
    cores: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def whole(self, name: str) -> float:
        """The median of a figure of the whole transcode."""
        return float(statistics.median(getattr(outcome, name) for outcome in self.wholes))

    def johnson(self) -> tuple[str, Costs]:
        """The runtime that is the fastest for the classic network, of those installed, and what it took."""
        candidates = {name: self.costs[key] for name, key in JOHNSON_STAGES.items() if key in self.costs}
        return min(candidates.items(), key=lambda candidate: candidate[1].wall_ms)


def run_bench(
    library: StyleLibrary,
    engine_options: EngineOptions | None = None,
    options: BenchOptions | None = None,
    *,
    style: str = "mosaic",
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure this machine; returns plain JSON values, units in their names. Takes some three minutes, at most five.

    `progress` is told how many rounds are done, of how many. Raises BadOption for a device other than the CPU,
    UnknownStyle or BadStyle for the style, MissingDependency without the CPU runtime.
    """
    engine_options = engine_options or EngineOptions()
    if engine_options.device == "gpu":
        raise BadOption("streamer bench measures the CPU; received --device gpu.")
    threads = engine_options.threads or min(DEFAULT_CORES, len(available_cores()))
    library = library.select(style)
    measured = Measured(library, options or BenchOptions(), threads, style, facts=machine_facts())
    began = time.monotonic()
    with ExitStack() as stack:
        measured.cores = stack.enter_context(pinned(threads))
        measured.runtime = choose(library, replace(engine_options, device="cpu", threads=threads)).runtime
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="streamer-bench-")))
        rounds = _Rounds(measured, folder, stack)
        rounds.run(began + TIME_LIMIT, progress or (lambda done, total: None))
    measured.seconds = time.monotonic() - began
    return report(measured)


class _Rounds:
    """Prepares the stages, then lets them take turns."""

    def __init__(self, measured: Measured, folder: Path, stack: ExitStack) -> None:
        self._measured, self._folder = measured, folder
        options, library, threads = measured.options, measured.library, measured.threads
        clip = bench_clip(folder, options.frames)
        measured.clip = clip.name
        decode = DecodeStage(clip, options.frames)
        frames = decode.frames()
        some = frames[:STYLED_FRAMES]
        look = Look(style=measured.style)
        engine_options = EngineOptions(device="cpu", runtime=measured.runtime)
        engines = [
            stack.enter_context(Engine(library, replace(engine_options, threads=count))) for count in (threads, 1)
        ]
        styled = StyleStage(engines[0].stream(look), frames).pictures()
        repainted = [frame._replace(pixels=picture) for frame, picture in zip(frames, styled, strict=True)]
        johnson = Johnson(threads)
        measured.johnson_macs = johnson.macs
        self._stages: dict[str, Stage] = {
            "decode": decode,
            "denoise": DenoiseStage(frames),
            "style": StyleStage(engines[0].stream(look, denoise=False), some),
            "style_one_thread": StyleStage(engines[1].stream(look, denoise=False), some),
            "encode": EncodeStage(clip, repainted, folder),
            "johnson_litert": JohnsonStage(johnson, frames[0].pixels),
        }
        measured.costs.update({name: Costs() for name in self._stages})
        self._matrix = stack.enter_context(MatrixMeter(threads))
        self._tensorflow = self._start_tensorflow(frames[0].pixels, folder, stack)
        self._order = Order(
            source=str(clip),
            output=str(folder / "whole.mp4"),
            seconds=options.frames / RATE,
            folders=tuple(str(each) for each in library.folders),
            trunk=str(library.trunk_path),
            style=measured.style,
            threads=threads,
            model=library.model,
            runtime=measured.runtime,
        )

    def _start_tensorflow(self, picture: Picture, folder: Path, stack: ExitStack) -> TensorFlowJohnson | None:
        measured = self._measured
        try:
            tensorflow = stack.enter_context(TensorFlowJohnson(measured.threads, picture, folder))
        except MissingDependency as error:
            measured.no_tensorflow = str(error)
            return None
        measured.costs["johnson_tensorflow"] = Costs()
        return tensorflow

    def run(self, deadline: float, progress: Callable[[int, int], None]) -> None:
        """The large clip once, then all rounds, or as many as end before `deadline` on the monotonic clock."""
        self._measured.large = self._transcode_large()
        for name, stage in self._stages.items():
            if name != "encode":
                stage()  # the first turn allocates and is not counted
        take_turns(self._round, self._measured.options.rounds, deadline - time.monotonic(), progress)

    def _transcode_large(self) -> Outcome:
        count = min(LARGE_FRAMES, self._measured.options.frames)
        clip = draw_clip(self._folder / "large.mp4", count, FULL_HD)
        return transcode_alone(replace(self._order, source=str(clip), seconds=count / RATE))

    def _round(self) -> None:
        costs = self._measured.costs
        self._measured.matrix_seconds.append(self._matrix())
        for name, stage in self._stages.items():
            costs[name].take(stage)
        if self._tensorflow:
            costs["johnson_tensorflow"].note(*self._tensorflow())
        self._measured.wholes.append(transcode_alone(self._order))


def take_turns(
    turn: Callable[[], None],
    count: int,
    time_left: float,
    progress: Callable[[int, int], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Take `count` turns, but after the first none that would not end in `time_left` seconds if it took the longest."""
    began, longest = clock(), 0.0
    for done in range(1, count + 1):
        start = clock()
        if done > 1 and start + longest - began > time_left:
            return
        turn()
        longest = max(longest, clock() - start)
        progress(done, count)
