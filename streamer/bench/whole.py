"""The whole transcode, in a process of its own so that its memory is its own.

`main`, run in a process of its own, reads what to do as JSON and writes what came of it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from streamer.bench.machine import peak_memory
from streamer.errors import StreamerError
from streamer.settings import LITERT
from streamer.styles import StyleLibrary
from streamer.trunk import DEFAULT_MODEL


@dataclass(frozen=True)
class Order:
    """What to transcode, and with what."""

    source: str
    output: str
    seconds: float  # of the media
    folders: tuple[str, ...]  # of the style library
    trunk: str
    style: str
    threads: int
    model: str = DEFAULT_MODEL
    runtime: str = LITERT


@dataclass(frozen=True)
class Outcome:
    """What a transcode took. The process adds the start of Python to the wall clock of the transcode."""

    frames: int
    wall_seconds: float
    cpu_seconds: float
    process_seconds: float
    peak_memory_bytes: int


def transcode_alone(order: Order) -> Outcome:
    """Transcode in a new process. Raises StreamerError with what the process said when it failed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "from streamer.bench.whole import main; main()"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise StreamerError(f"The transcode that was to be measured failed: {said[-1]}")
    return Outcome(**json.loads(done.stdout) | {"process_seconds": time.perf_counter() - began})


def obey(order: Order) -> Outcome:
    """Transcode here and now."""
    from streamer.engine import Engine
    from streamer.settings import EngineOptions, Look, TranscodeOptions
    from streamer.transcode import transcode

    library = StyleLibrary([Path(folder) for folder in order.folders], Path(order.trunk), order.model)
    options = TranscodeOptions(duration=order.seconds, overwrite=True)
    engine_options = EngineOptions(device="cpu", threads=order.threads, runtime=order.runtime)
    cpu_before = time.process_time()
    with Engine(library, engine_options) as engine:
        report = transcode(order.source, Path(order.output), engine.stream(Look(style=order.style)), options)
    return Outcome(report.frames, report.elapsed, time.process_time() - cpu_before, 0.0, peak_memory())


def main() -> None:
    """Read an order from stdin, write its outcome to stdout."""
    values = json.load(sys.stdin)
    outcome = obey(Order(**values | {"folders": tuple(values["folders"])}))
    json.dump(asdict(outcome), sys.stdout)
