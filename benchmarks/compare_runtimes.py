"""Measures the CPU runtimes on the shipped trunk and rewrites the tables in docs/runtimes.md.

Every runtime gets the same padded frame of 640x360, uint8 in and uint8 out, the same threads and an otherwise idle
machine; they take turns, and medians count. The classic network of Johnson et al. is measured in the same way, for
`streamer bench` compares ours with it. Needs TensorFlow and, of the packages below, whichever are installed:

    .venv/bin/pip install tf2onnx onnx onnxruntime openvino
    .venv/bin/python benchmarks/compare_runtimes.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from streamer.bench.classic import classic_function, limit_threads
from streamer.bench.clip import HEIGHT, WIDTH, bench_clip
from streamer.bench.johnson import Johnson
from streamer.bench.machine import machine_facts, pinned
from streamer.bench.matrix import FLOP, MatrixMeter
from streamer.bench.stages import Costs, DecodeStage, Stage
from streamer.compiled import compile_trunk
from streamer.runtime import pad
from streamer.styles import StyleLibrary

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PAGE = Path(__file__).resolve().parent.parent / "docs" / "runtimes.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PACKAGES = ("tensorflow", "ai-edge-litert", "onnxruntime", "openvino", "tf2onnx")

Values = dict[str, np.ndarray]
Call = Callable[[], np.ndarray]


@dataclass
class Candidate:
    """A runtime ready to run: a call that returns the styled frame, and what its turns took."""

    name: str
    call: Call
    johnson: Call | None = None
    costs: Costs = field(default_factory=Costs)
    johnson_costs: Costs = field(default_factory=Costs)
    output: np.ndarray | None = None


@dataclass(frozen=True)
class Subject:
    """What is run: the trunk's graph as Keras has it, the classic one, and their inputs."""

    library: StyleLibrary
    inputs: Values
    picture: np.ndarray
    threads: int
    folder: Path


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="turns of each runtime")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--style", default="mosaic")
    parser.add_argument("--library", type=Path, help="a folder of styles with trunks/live.safetensors in it")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page whose tables are rewritten")
    arguments = parser.parse_args()
    library = StyleLibrary.default()
    if arguments.library:
        library = StyleLibrary([arguments.library], arguments.library / "trunks" / "live.safetensors")
    with tempfile.TemporaryDirectory() as folder, pinned(arguments.threads), MatrixMeter(arguments.threads) as matrix:
        subject = prepare(library, arguments.style, arguments.threads, Path(folder))
        reference, candidates = build(subject)
        rates = measure(candidates, arguments.rounds, matrix)
    text = tables(candidates, reference, rates, arguments.threads, arguments.rounds)
    sys.stdout.write(text)
    write(arguments.page, text)


def prepare(library: StyleLibrary, style: str, threads: int, folder: Path) -> Subject:
    """The inputs: a frame of the bench's clip, padded, in one style, by its own statistics."""
    frame = DecodeStage(bench_clip(folder, 24), 24).frames()[-1].pixels
    padded, _ = pad(frame[None])
    inputs: Values = {
        "frames": padded,
        "modulation": library.resolve(style)[None],
        "given": np.zeros((1, library.trunk.config.statistics_size), np.float32),
        "mix": np.ones((1, 1), np.float32),
        "carry": np.zeros((1, 1), np.float32),
    }
    return Subject(library, inputs, frame, threads, folder)


def build(subject: Subject) -> tuple[np.ndarray, list[Candidate]]:
    """What the Keras network answers, and every runtime that is installed."""
    import tensorflow as tf

    limit_threads(tf, subject.threads)
    from streamer.model import ByteNetwork, load_network

    network = ByteNetwork(load_network(subject.library.trunk))
    signature = [tf.TensorSpec(value.shape, value.dtype, name=name) for name, value in subject.inputs.items()]
    names = list(subject.inputs)
    run = tf.function(
        lambda *values: network(dict(zip(names, values, strict=True)))["frames"], input_signature=signature
    )
    classic = classic_function(tf, HEIGHT, WIDTH)
    candidates = [tensorflow_candidate(tf, run, classic, subject), litert_candidate(subject)]
    for maker in (onnx_candidates, openvino_candidates):
        try:
            candidates += maker(subject, run, classic)
        except ImportError as error:
            sys.stderr.write(f"Left out, because it is not installed: {error.name}\n")
    reference = np.asarray(network(subject.inputs)["frames"])
    return reference, candidates


def tensorflow_candidate(tf: Any, run: Any, classic: Any, subject: Subject) -> Candidate:
    """TensorFlow itself, with oneDNN inside."""
    values = [tf.constant(value) for value in subject.inputs.values()]
    picture = tf.constant(subject.picture[None])
    return Candidate("TensorFlow", lambda: run(*values).numpy(), lambda: classic(picture).numpy())


def litert_candidate(subject: Subject) -> Candidate:
    """LiteRT with XNNPACK: the graph that we ship, whose size is free."""
    from streamer.runtime import Batch, LiteRTRuntime

    graph = compile_trunk(subject.library.trunk, subject.folder)
    runtime = LiteRTRuntime(graph, subject.threads)
    frames, modulation, given, mix, carry = subject.inputs.values()
    batch = Batch(frames, modulation, given, mix, carry, margins=(0, 0, 0, 0))  # which says that they are padded
    interpreter = runtime._interpreter(batch.frames.shape)  # the graph for whole frames, not that for tiles
    johnson = Johnson(subject.threads)
    return Candidate("LiteRT (XNNPACK)", lambda: interpreter.run(batch).frames, lambda: johnson(subject.picture))


def onnx_candidates(subject: Subject, run: Any, classic: Any) -> list[Candidate]:
    """ONNX Runtime, in float32 and with dynamically quantised weights."""
    import onnxruntime as ort
    from onnxruntime.quantization import QuantType, quantize_dynamic

    paths = onnx_files(subject, run, classic)
    small = subject.folder / "ours.int8.onnx"
    quantize_dynamic(paths["ours"], small, weight_type=QuantType.QUInt8)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = subject.threads, 1
    options.log_severity_level = 3

    def call(path: Path, inputs: Values) -> Call:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        known = {each.name for each in session.get_inputs()}
        feed = {name: value for name, value in inputs.items() if name in known}
        return lambda: np.asarray(session.run(None, feed)[0])

    picture = {"frames": subject.picture[None]}
    return [
        Candidate("ONNX Runtime", call(paths["ours"], subject.inputs), call(paths["classic"], picture)),
        Candidate("ONNX Runtime, dynamic int8", call(small, subject.inputs)),
    ]


def openvino_candidates(subject: Subject, run: Any, classic: Any) -> list[Candidate]:
    """OpenVINO, in float32 and in bfloat16 where the processor has it."""
    import openvino as ov

    paths = onnx_files(subject, run, classic)
    core = ov.Core()

    def call(path: Path, inputs: Values, precision: str) -> Call:
        settings = {
            "INFERENCE_NUM_THREADS": subject.threads,
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        model = core.compile_model(core.read_model(path), "CPU", settings)
        request = model.create_infer_request()
        feed = {each.any_name: inputs[each.any_name] for each in model.inputs}
        return lambda: np.array(next(iter(request.infer(feed).values())))

    picture = {"frames": subject.picture[None]}
    return [
        Candidate("OpenVINO", call(paths["ours"], subject.inputs, "f32"), call(paths["classic"], picture, "f32")),
        Candidate("OpenVINO, bfloat16", call(paths["ours"], subject.inputs, "bf16")),
    ]


def onnx_files(subject: Subject, run: Any, classic: Any) -> dict[str, Path]:
    """Both networks as ONNX files of a fixed size, written once."""
    import tf2onnx

    paths = {name: subject.folder / f"{name}.onnx" for name in ("ours", "classic")}
    for function, path in zip((run, classic), paths.values(), strict=True):
        if not path.exists():
            tf2onnx.convert.from_function(
                function, input_signature=function.input_signature, opset=17, output_path=str(path)
            )
    return paths


def measure(candidates: list[Candidate], rounds: int, matrix: MatrixMeter) -> list[float]:
    """Let all take turns; returns the rates of the matrix product that were measured between, in GFLOP/s."""
    for each in candidates:
        each.output = each.call()
        for call in (each.call, each.johnson):
            if call is not None:
                call()
    rates = []
    for number in range(rounds):
        for each in candidates:
            each.costs.take(once(each.call))
            if each.johnson is not None and number % 5 == 0:
                each.johnson_costs.take(once(each.johnson))
        if number % 5 == 0:
            rates.append(FLOP / matrix() / 1e9)
    return rates


def once(call: Call) -> Stage:
    """A call as a stage of one frame."""

    def stage() -> int:
        call()
        return 1

    return stage


def tables(candidates: list[Candidate], reference: np.ndarray, rates: list[float], threads: int, rounds: int) -> str:
    """Markdown: the conditions and a row for every runtime."""
    facts = machine_facts()
    packages = ", ".join(f"{name} {number}" for name in PACKAGES if (number := installed(name)))
    cores = f"{threads} thread{'s' if threads > 1 else ''}"
    rate = f"the matrix product runs at {statistics.median(rates):.0f} GFLOP/s."
    lines = [
        f"{facts['cpu']}, {cores}, {rounds} rounds, Python {facts['python']}, {packages}; {rate}",
        "",
        "| runtime | ours, ms | fastest turn | CPU ms | Johnson et al., ms | CPU ms | off Keras, max | mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [row(each, reference) for each in sorted(candidates, key=lambda each: each.costs.wall_ms)]
    return "\n".join(lines) + "\n"


def row(candidate: Candidate, reference: np.ndarray) -> str:
    """One line of the table."""
    difference = np.abs(np.asarray(candidate.output, np.int16) - reference)
    ours, classic = candidate.costs, candidate.johnson_costs
    cells = [candidate.name, f"{ours.wall_ms:.1f}", f"{1000 * min(ours.wall):.1f}", f"{ours.cpu_ms:.1f}"]
    cells += [f"{classic.wall_ms:.0f}", f"{classic.cpu_ms:.0f}"] if classic.wall else ["", ""]
    cells += [f"{difference.max()}/255", f"{difference.mean():.4f}/255"]
    return "| " + " | ".join(cells) + " |"


def installed(package: str) -> str | None:
    """The version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write(page: Path, text: str) -> None:
    """Replace what stands between the marks of the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
