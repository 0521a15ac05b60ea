"""`streamer bench`: the arithmetic behind its figures, and one short run of the real thing."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamer.bench import convolution_macs, run_bench
from streamer.bench.classic import ClassicNetwork, TensorFlowJohnson
from streamer.bench.clip import HEIGHT, WIDTH, draw_clip
from streamer.bench.johnson import FOLDER, Johnson
from streamer.bench.machine import available_cores, machine_facts, peak_memory, pinned
from streamer.bench.matrix import MatrixMeter
from streamer.bench.report import LIMITS, Limit, johnson_figures
from streamer.bench.run import Measured, take_turns
from streamer.bench.stages import Costs
from streamer.bench.whole import Order, transcode_alone
from streamer.cli.bench import lines
from streamer.errors import BadOption, MissingDependency, StreamerError
from streamer.settings import BenchOptions, EngineOptions
from streamer.styles import StyleLibrary
from streamer.trunk import TrunkConfig

CONFIGS = [
    TrunkConfig(),
    TrunkConfig(width=24, blocks=3, deep_width=16, deep_dilations=(1, 2, 4), head_width=8),
    TrunkConfig(inside_width=16, deep_inside_width=8),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_macs_are_those_of_the_layers(config: TrunkConfig) -> None:
    # 128 pixels: dilation pads to multiples of its rate, which must not add cells here.
    assert convolution_macs(config, 128, 192) == _macs_of_the_graph(config, 128, 192)


def _macs_of_the_graph(config: TrunkConfig, height: int, width: int) -> int:
    """Count what TensorFlow runs: for every convolution, its output's cells times its kernel."""
    import tensorflow as tf

    from streamer.model import build_network
    from streamer.trunk import neutral_modulation

    network = build_network(config)
    statistics = np.zeros((1, config.statistics_size), np.float32)
    inputs = {"modulation": neutral_modulation(config)[None], "given": statistics}
    inputs |= {"mix": np.ones((1, 1), np.float32), "carry": np.zeros((1, 1), np.float32)}
    call = tf.function(lambda frames: network({**inputs, "frames": frames})["frames"])
    graph = call.get_concrete_function(tf.TensorSpec((1, height, width, 3), tf.float32)).graph
    convolutions = [operation for operation in graph.get_operations() if operation.type == "Conv2D"]
    return sum(int(np.prod(each.outputs[0].shape[:3])) * int(np.prod(each.inputs[1].shape)) for each in convolutions)


def test_the_live_trunk_keeps_its_budget() -> None:
    assert convolution_macs(TrunkConfig(), 360, 640) <= 2.0e9


def test_the_docs_name_the_arithmetic_of_the_live_trunk() -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "runtimes.md").read_text(encoding="utf-8")
    macs = convolution_macs(TrunkConfig(), 360, 640) / 1e9
    assert f"{macs:.3f} GMAC" in page
    assert f"{2 * macs:.3f} GFLOP" in page


def test_johnson_has_the_published_size() -> None:
    network = Johnson(1)
    assert network.parameters == 1_677_638
    assert network.macs == _macs_of_the_file()


def _macs_of_the_file() -> int:
    from ai_edge_litert import schema_py_generated as schema

    graph = gzip.decompress((FOLDER / "johnson.tflite.gz").read_bytes())
    main = schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph, 0))
    plane = main.subgraphs[0]
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in main.operatorCodes]
    total = 0
    for operation in plane.operators:
        kind = kinds[operation.opcodeIndex]
        if kind == schema.BuiltinOperator.CONV_2D:
            cells, kernel = plane.tensors[operation.outputs[0]], plane.tensors[operation.inputs[1]]
        elif kind == schema.BuiltinOperator.TRANSPOSE_CONV:  # every cell of its input meets the whole kernel
            cells, kernel = plane.tensors[operation.inputs[2]], plane.tensors[operation.inputs[1]]
        else:
            continue
        total += int(np.prod(cells.shape[:3])) * int(np.prod(kernel.shape))
    return total


def test_johnson_has_weights_and_answers_in_bytes() -> None:
    network = Johnson(1)
    frame = np.random.default_rng(0).integers(0, 255, (network.height, network.width, 3), dtype=np.uint8)
    styled = network(frame)
    assert styled.shape == frame.shape
    assert styled.dtype == np.uint8
    assert styled.std() > 10  # with zeros for weights it would be one colour


@pytest.fixture(scope="module")
def figures(tiny_library: StyleLibrary) -> dict[str, Any]:
    options = BenchOptions(rounds=1, frames=8)
    return run_bench(tiny_library, EngineOptions(threads=1), options, style="alpha")


def test_a_short_run_measures_everything(figures: dict[str, Any]) -> None:
    json.dumps(figures, allow_nan=False)
    for stage in ("decode", "denoise", "style", "encode", "johnson"):
        assert figures[stage]["wall_ms_per_frame"] > 0
        assert figures[stage]["cpu_ms_per_frame"] > 0
    assert figures["transcode"]["frames"] == 8
    assert figures["transcode"]["cpu_seconds"] > 0
    assert 30 < figures["transcode"]["peak_memory_mib"] < figures["peak_memory_1080p_mib"]
    assert figures["conditions"]["frames_1080p"] == 8
    assert figures["matrix_multiply_gflop_per_second"] > 1
    assert figures["conditions"]["threads"] == 1
    assert figures["conditions"]["runtime"] == "LiteRT float32"
    assert figures["conditions"]["pinned_to_cores"] == available_cores()[:1]
    assert figures["conditions"]["rounds"] == 1
    assert figures["machine"]["versions"]["numpy"] == np.__version__


def test_derived_figures_follow_from_the_measured(figures: dict[str, Any]) -> None:
    style = figures["style"]["wall_ms_per_frame"]
    floor = 1000 * figures["gflop_per_frame"] / figures["matrix_multiply_gflop_per_second"]
    per_frame = 1000 * figures["transcode"]["wall_seconds"] / figures["transcode"]["frames"]
    alone = sum(figures[stage]["cpu_ms_per_frame"] for stage in ("decode", "denoise", "encode"))
    alone += figures["style"]["one_thread_cpu_ms_per_frame"]
    assert figures["floor_ratio"] == pytest.approx(style / floor, rel=0.01)
    assert figures["speedup_vs_johnson"] == pytest.approx(figures["johnson"]["wall_ms_per_frame"] / style, rel=0.01)
    assert figures["pipeline_efficiency"] == pytest.approx(alone / 1 / per_frame, rel=0.01)
    assert figures["realtime_fps"] == pytest.approx(1000 / per_frame, rel=0.01)


def test_johnson_is_timed_in_the_fastest_runtime(figures: dict[str, Any]) -> None:
    johnson = figures["johnson"]
    times = {"LiteRT": johnson["litert_wall_ms"], "TensorFlow": johnson["tensorflow_wall_ms"]}
    assert johnson["note"] is None
    assert johnson["wall_ms_per_frame"] == min(times.values()) == times[johnson["runtime"]]
    assert any(johnson["runtime"] in line for line in lines(figures))


def test_without_tensorflow_johnson_is_that_of_litert(tiny_library: StyleLibrary) -> None:
    reason = "Johnson's network was not measured in TensorFlow because TensorFlow is not installed."
    measured = Measured(tiny_library, BenchOptions(), 1, "alpha", no_tensorflow=reason)
    measured.costs["johnson_litert"] = Costs([0.5], [0.5])
    assert measured.johnson() == ("LiteRT", measured.costs["johnson_litert"])
    assert johnson_figures(measured)["tensorflow_wall_ms"] is None
    assert johnson_figures(measured)["note"] == reason


def test_a_missing_tensorflow_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingDependency, match="because TensorFlow is not installed"):
        TensorFlowJohnson(1, np.zeros((HEIGHT, WIDTH, 3), np.uint8), tmp_path)


def test_a_broken_tensorflow_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no such instruction')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MissingDependency, match="not measured in TensorFlow: .* no such instruction"):
        TensorFlowJohnson(1, np.zeros((HEIGHT, WIDTH, 3), np.uint8), tmp_path)


def test_tensorflow_runs_the_network_that_litert_runs() -> None:
    import tensorflow as tf

    network = ClassicNetwork(tf)
    shape = network(tf.zeros((1, 32, 48, 3), tf.uint8)).shape
    assert tuple(shape) == (1, 32, 48, 3)
    assert network.parameters == Johnson(1).parameters


def test_every_limit_is_judged(figures: dict[str, Any]) -> None:
    assert set(figures["thresholds"]) == set(LIMITS)
    for name, verdict in figures["thresholds"].items():
        above = figures[name] >= verdict["limit"]
        assert verdict["holds"] == (above if verdict["must_be"] == "at least" else not above)


@pytest.mark.parametrize(
    ("at_least", "figure", "holds"), [(True, 2, True), (True, 1, False), (False, 1, True), (False, 2, False)]
)
def test_limits_have_a_direction(at_least: bool, figure: float, holds: bool) -> None:
    assert Limit(1.5, at_least).judge(figure)["holds"] is holds


def test_a_gpu_is_refused(tiny_library: StyleLibrary) -> None:
    with pytest.raises(BadOption, match="--device gpu"):
        run_bench(tiny_library, EngineOptions(device="gpu"))


def test_turns_end_before_the_time_does() -> None:
    now = 0.0
    taken: list[int] = []

    def turn() -> None:
        nonlocal now
        now += 10 + len(taken)

    def note(done: int, total: int) -> None:
        taken.append(done)

    take_turns(turn, 100, 35.0, note, lambda: now)
    assert taken == [1, 2, 3]  # 10 + 11 + 12 seconds; a fourth as long as the longest would end after 45


def test_one_turn_is_taken_however_little_time_there_is() -> None:
    taken: list[int] = []
    take_turns(lambda: None, 1, 0.0, lambda done, total: taken.append(done))
    assert taken == [1]


def test_a_failed_transcode_is_told_in_a_sentence(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", 4)
    folders = tuple(str(folder) for folder in tiny_library.folders)
    order = Order(str(clip), str(tmp_path / "out.mp4"), 1.0, folders, str(tiny_library.trunk_path), "nobody", 1)
    with pytest.raises(StreamerError, match="no style 'nobody'"):
        transcode_alone(order)


def test_the_whole_is_transcoded_by_the_runtime_that_was_chosen(int8_library: StyleLibrary, tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", 4, (96, 64))
    folders = tuple(str(folder) for folder in int8_library.folders)
    pixels = []
    for runtime in ("litert", "litert-int8"):
        order = Order(
            *(str(clip), str(tmp_path / f"{runtime}.mp4"), 1.0, folders, str(int8_library.trunk_path), "alpha", 1),
            runtime=runtime,
        )
        assert transcode_alone(order).frames == 4
        with av.open(order.output) as container:
            pixels.append(next(container.decode(video=0)).to_ndarray(format="rgb24"))
    assert (pixels[0] != pixels[1]).any()


def test_the_drawn_clip_has_picture_and_sound(tmp_path: Path) -> None:
    with av.open(str(draw_clip(tmp_path / "clip.mp4", 12))) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 12
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 2  # it moves
    with av.open(str(tmp_path / "clip.mp4")) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(0.5, abs=0.1)


def test_the_matrix_meter_measures_each_time_it_is_asked() -> None:
    with MatrixMeter(1) as meter:
        assert meter() > 0
        assert meter() > 0
    with pytest.raises((OSError, ValueError)):
        meter()


def test_pinning_ends_with_its_block() -> None:
    before = available_cores()
    with pinned(1) as cores:
        assert available_cores() == cores == before[:1]
    assert available_cores() == before


def test_peak_memory_is_not_that_of_the_parent() -> None:
    ballast = np.ones(600 << 17)  # 600 MiB
    code = "from streamer.bench.machine import peak_memory; print(peak_memory())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert peak_memory() > ballast.nbytes
    assert int(child.stdout) < ballast.nbytes // 2


def test_machine_facts_name_the_processor_and_what_runs_on_it() -> None:
    facts = machine_facts()
    assert facts["cpu"]
    assert facts["cores"] == len(available_cores())
    assert all(facts["versions"].values())


def test_measuring_needs_no_tensorflow() -> None:
    code = (
        "import streamer.bench, streamer.bench.whole, sys; print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
