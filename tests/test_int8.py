"""8-bit convolutions: their graph, where it lies, and that streams in them keep every promise of streams."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from streamer.cli.main import run
from streamer.cli.serve import build
from streamer.compiled import compiled_path, int8_path, write_int8
from streamer.engine import Engine
from streamer.errors import BadStyle, MissingDependency
from streamer.export.frozen import layer_order
from streamer.image import tile_batch
from streamer.jobs import JobLimits, JobStore
from streamer.runtime import LiteRTRuntime, still
from streamer.runtimes import make_runtime
from streamer.settings import EngineOptions, LiveOptions, Look, ServeOptions
from streamer.styles import StyleLibrary
from streamer.tiles import plan_tiles
from streamer.trunk import save_trunk
from tests import tiny
from training.cli import keep_trunk

INT8 = EngineOptions(device="cpu", runtime="litert-int8")
FLOAT = EngineOptions(device="cpu", runtime="litert")


def graph_of(library: StyleLibrary) -> Path:
    return compiled_path(library.trunk, library.trunk_path.parent)


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """As if it were not installed."""
    monkeypatch.setitem(sys.modules, package, None)


# The graph


def test_every_convolution_and_nothing_else_is_in_8_bits(int8_library: StyleLibrary) -> None:
    small = int8_path(graph_of(int8_library))
    assert small.name == f"{int8_library.trunk.checksum[:16]}.int8.tflite"
    assert small.stat().st_size < 0.9 * graph_of(int8_library).stat().st_size
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(small.read_bytes()))
    (graph,) = model.subgraphs
    kinds = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    kernels = [
        graph.tensors[operator.inputs[1]].type
        for operator, kind in zip(graph.operators, kinds, strict=True)
        if kind == schema.BuiltinOperator.CONV_2D
    ]
    count = len(layer_order(int8_library.trunk.config))
    assert kernels == [schema.TensorType.INT8] * count
    with_8_bits = sum(tensor.type == schema.TensorType.INT8 for tensor in graph.tensors)
    assert with_8_bits == count, "what lies between convolutions is float32"


def test_only_a_trunk_that_learnt_for_it_gets_one(tiny_library: StyleLibrary) -> None:
    assert not tiny_library.trunk.is_for_int8
    assert not int8_path(graph_of(tiny_library)).exists()


def test_compile_says_what_it_wrote(
    int8_library: StyleLibrary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_trunk(int8_library.trunk, tmp_path / "mine.safetensors")
    assert run(["compile", str(tmp_path / "mine.safetensors")]) == 0
    graph = compiled_path(int8_library.trunk, tmp_path)
    assert capsys.readouterr().out.split() == [str(graph), str(int8_path(graph))]
    assert {path.name for path in tmp_path.iterdir()} == {
        "mine.safetensors", graph.name, int8_path(graph).name, graph.with_suffix(".tiles.tflite").name,
    }  # fmt: skip


def test_without_the_quantizer_a_trunk_is_left_with_its_other_forms(
    int8_library: StyleLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "ai_edge_quantizer")
    graph = tmp_path / "mine.tflite"
    shutil.copy(graph_of(int8_library), graph)
    said: list[str] = []
    write_int8(graph, said.append)
    assert list(tmp_path.iterdir()) == [graph]
    (sentence,) = said
    assert sentence == (
        "This trunk runs in float32 alone for now. An 8-bit graph needs the package ai-edge-quantizer: "
        "pip install '.[train]' in the checkout, or make train-env."
    )


def test_a_style_that_is_learnt_keeps_all_forms_of_its_trunk(int8_library: StyleLibrary, tmp_path: Path) -> None:
    keep_trunk(int8_library, tmp_path)
    name = int8_library.trunk.checksum[:16]
    suffixes = (".safetensors", ".tflite", ".tiles.tflite", ".int8.tflite")
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}{suffix}" for suffix in suffixes}


# On request, for any trunk


def test_a_trunk_without_an_8_bit_form_gets_one_on_the_spot_if_it_is_asked_for(
    tiny_library: StyleLibrary, int8_library: StyleLibrary
) -> None:
    frame = tiny.picture(48, 80)
    with Engine(tiny_library, INT8) as one, Engine(int8_library, INT8) as other:
        row = tiny_library.resolve("alpha")
        np.testing.assert_array_equal(one.stylize(frame, row), other.stylize(frame, row))


def test_what_is_missing_is_said(tiny_library: StyleLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "ai_edge_quantizer")
    with pytest.raises(MissingDependency, match=r"An 8-bit graph needs the package ai-edge-quantizer: pip install"):
        make_runtime(tiny_library, INT8)
    with pytest.raises(BadStyle, match=r"The compiled trunk gone.int8.tflite is missing"):
        LiteRTRuntime(graph_of(tiny_library), int8=tmp_path / "gone.int8.tflite")


# What it paints


@pytest.fixture(scope="module")
def in_int8(int8_library: StyleLibrary):
    with Engine(int8_library, INT8) as engine:
        yield engine


@pytest.fixture(scope="module")
def in_float(int8_library: StyleLibrary):
    with Engine(int8_library, FLOAT) as engine:
        yield engine


def test_it_is_near_float32_and_not_the_same(in_int8: Engine, in_float: Engine) -> None:
    row = in_float.library.resolve("alpha")
    off = [
        np.abs(in_int8.stylize(frame, row).astype(int) - in_float.stylize(frame, row)).mean()
        for frame in (tiny.picture(48, 80, seed) for seed in range(4))
    ]
    assert 0 < max(off) < 4


def test_frames_of_one_batch_do_not_see_each_others_ranges(in_int8: Engine) -> None:
    """A dark frame beside a light one: were both scaled by one range, the dark one would lose most of its levels."""
    light, dark = tiny.picture(48, 80, seed=1), tiny.picture(48, 80, seed=2) // 8
    library = in_int8.library
    row, size = library.resolve("alpha"), library.trunk.config.statistics_size
    together = in_int8.run(still(np.stack([light, dark]), row, size))
    for number, frame in enumerate((light, dark)):
        alone = in_int8.run(still(frame[None], row, size))
        np.testing.assert_array_equal(together.frames[number], alone.frames[0])
        np.testing.assert_allclose(together.own[number], alone.own[0], rtol=1e-5, atol=1e-6)


def test_the_first_frame_and_the_first_after_a_cut_are_stills_to_the_bit(in_int8: Engine) -> None:
    row = in_int8.library.resolve("alpha")
    stream = in_int8.stream(Look("alpha"), denoise=False)
    first, other = tiny.picture(48, 80, seed=1), 255 - tiny.picture(48, 80, seed=2) // 3
    painted = [stream([frame], [number / 24])[0] for number, frame in enumerate((first, first, first, other))]
    np.testing.assert_array_equal(painted[0], in_int8.stylize(first, row))
    np.testing.assert_array_equal(painted[3], in_int8.stylize(other, row))


def test_a_batch_of_a_stream_is_its_frames_one_by_one_but_for_a_rounding_here_and_there(in_int8: Engine) -> None:
    """Statistics differ in their last bit, so that a value between two of 256 levels may fall either way."""
    rng = np.random.default_rng(0)
    frames = [np.clip(tiny.picture(48, 80) + rng.normal(0, 2, (48, 80, 3)), 0, 255).astype(np.uint8) for _ in range(5)]
    times = [0.0, 0.04, 0.1, 0.14, 0.3]
    together = in_int8.stream(Look("beta"))(frames, times)
    stream = in_int8.stream(Look("beta"))
    alone = [stream([frame], [time])[0] for frame, time in zip(frames, times, strict=True)]
    off = np.abs(np.stack(together).astype(int) - np.stack(alone))
    assert off.mean() < 0.02
    assert np.quantile(off, 0.999) <= 2


def test_tiles_are_float32(in_int8: Engine, in_float: Engine) -> None:
    library = in_int8.library
    (tile, *_) = plan_tiles(200, 300, 20_000, 4)
    assert any(tile.margins)
    height, width = (8 * (span.stop - span.start) for span in (tile.rows, tile.columns))
    given = np.zeros(library.trunk.config.statistics_size, np.float32)
    batch = tile_batch(tiny.picture(height, width), library.resolve("alpha"), given, tile)
    np.testing.assert_array_equal(in_int8.run(batch).frames, in_float.run(batch).frames)


def test_an_upload_is_painted_by_the_runtime_that_the_service_was_told(
    int8_library: StyleLibrary, in_int8: Engine, in_float: Engine
) -> None:
    frame = tiny.picture(48, 80)
    row = int8_library.resolve("alpha")

    async def painted(runtime: str) -> np.ndarray:
        store = JobStore(int8_library, JobLimits(threads=1), runtime=runtime)
        try:
            job = await store.reserve("image", Look("alpha"), "png")
            cv2.imwrite(str(job.upload.with_suffix(".png")), frame[..., ::-1])
            job.upload.with_suffix(".png").rename(job.upload)
            store.start(job)
            done = await store.finished(job)
            return cv2.imread(str(done.result))[..., ::-1]
        finally:
            await store.close()

    np.testing.assert_array_equal(asyncio.run(painted("litert-int8")), in_int8.stylize(frame, row))
    np.testing.assert_array_equal(asyncio.run(painted("auto")), in_float.stylize(frame, row))


@pytest.mark.parametrize(
    ("streams", "wanted"), [("litert-int8", "litert-int8"), ("litert", "litert"), ("keras", "auto")]
)
def test_a_video_is_painted_by_what_streams_run_on(int8_library: StyleLibrary, streams: str, wanted: str) -> None:
    """Each job would measure it in little memory, for its own number of threads, and might find something else."""

    async def told() -> list[str]:
        store = JobStore(int8_library, for_videos=streams)
        try:
            return [(await store.reserve(kind, Look("alpha"))).task.runtime for kind in ("image", "video")]
        finally:
            await store.close()

    assert asyncio.run(told()) == ["auto", wanted]


def test_a_service_tells_its_jobs_what_its_streams_run_on(
    int8_library: StyleLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_LIBRARY", str(int8_library.folders[0]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    parts = build(ServeOptions(), LiveOptions(), EngineOptions(device="cpu"), lambda _: None)

    async def told() -> str:
        store = parts.make_jobs()
        try:
            return (await store.reserve("video", Look("mosaic"))).task.runtime
        finally:
            await store.close()

    try:
        assert parts.engine.choice is not None
        assert asyncio.run(told()) == parts.engine.choice.runtime
    finally:
        parts.live.close()
        parts.engine.close()
