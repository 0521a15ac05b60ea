"""ONNX files in ONNX Runtime give what the Keras network gives: frames, statistics, and so a stream's state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from streamer.export.onnx_file import onnx_answer, onnx_model
from streamer.export.onnx_quantised import onnx_quantised
from streamer.export.run import Exported
from streamer.export.subject import trunk_subject
from streamer.keras_runtime import KerasRuntime
from streamer.onnx_runtime import OnnxRuntime
from streamer.styles import StyleLibrary
from tests.exported import (
    SIZES,
    assert_same,
    assert_same_frames,
    assert_same_stream,
    frames,
    frozen,
    keras_frames,
    random_batch,
    written,
)

# What comes out of an 8-bit convolution is rounded to 8 bits, and read by these as float32 again.
ALSO_FED = {"Mul", "ReduceMean", "Resize"}


@pytest.fixture(scope="module")
def trunk(tiny_library: StyleLibrary, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return written(tiny_library, tmp_path_factory.mktemp("onnx"), format="onnx")


@pytest.fixture(scope="module")
def keras(tiny_library: StyleLibrary) -> KerasRuntime:
    return KerasRuntime(tiny_library.trunk, precision="float32")


@pytest.mark.parametrize(("count", "height", "width"), [*SIZES, (2, 1, 90)])
def test_any_size_and_number_of_frames(
    tiny_library: StyleLibrary, trunk: Exported, keras: KerasRuntime, count: int, height: int, width: int
) -> None:
    batch = random_batch(tiny_library, count, height, width)
    assert_same(OnnxRuntime(trunk.path.read_bytes()).run(batch), keras.run(batch))


def test_a_streams_state_is_carried(tiny_library: StyleLibrary, trunk: Exported, keras: KerasRuntime) -> None:
    assert_same_stream(tiny_library, OnnxRuntime(trunk.path.read_bytes()), keras)


def test_the_file_says_what_it_is(tiny_library: StyleLibrary, trunk: Exported) -> None:
    model = onnx.load(trunk.path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["trunk"] == tiny_library.trunk.checksum
    assert '"title": "Alpha", "artist": "A script", "licence": "CC0-1.0"' in said["credits"]
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in [*model.graph.input, *model.graph.output]
    }
    sizes = tiny_library.trunk.config
    assert shapes == {
        "frames": ["batch", "height", "width", 3],
        "modulation": ["batch", sizes.modulation_size],
        "given": ["batch", sizes.statistics_size],
        "mix": ["batch", "batch"],
        "carry": ["batch", 1],
        "styled": ["batch", "height", "width", 3],
        "used": ["batch", sizes.statistics_size],
        "own": ["batch", sizes.statistics_size],
    }


@pytest.mark.parametrize("statistics", ["own", "frozen"])
def test_a_frozen_style_takes_and_gives_frames_alone(
    tiny_library: StyleLibrary, tmp_path: Path, statistics: str
) -> None:
    subject = frozen(tiny_library, statistics=statistics)
    model = onnx_model(subject)
    assert [value.name for value in model.graph.input] == ["frames"]
    assert [value.name for value in model.graph.output] == ["styled"]
    left = sum(node.op_type == "InstanceNormalization" for node in model.graph.node)
    assert left == (len(subject.config.norm_widths()) if statistics == "own" else 0)
    path = tmp_path / "frozen.onnx"
    path.write_bytes(model.SerializeToString())
    answer = onnx_answer(path, subject)
    for count, height, width in SIZES:
        pictures = frames(count, height, width)
        assert_same_frames(answer(subject.batch(pictures)), keras_frames(subject, pictures))


@pytest.mark.parametrize(("precision", "share", "mean"), [("float16", 0.75, 0.1), ("dynamic", 0.9, 6), ("int8", 1, 6)])
def test_quantised(tiny_library: StyleLibrary, tmp_path: Path, precision: str, share: float, mean: float) -> None:
    subject = trunk_subject(tiny_library, [])
    model = onnx_model(subject)
    data = onnx_quantised(model, subject, precision, frames(4, 64, 96), kept=("stem",))
    assert len(data) < share * model.ByteSize() + 12_000
    path = tmp_path / "small.onnx"
    path.write_bytes(data)
    pictures = frames(2, 72, 80)
    off = np.abs(onnx_answer(path, subject)(subject.batch(pictures)).astype(int) - keras_frames(subject, pictures))
    assert 0 < off.mean() < mean


def test_in_8_bits_are_convolutions_alone_and_not_those_kept(tiny_library: StyleLibrary) -> None:
    subject = trunk_subject(tiny_library, [])
    data = onnx_quantised(onnx_model(subject), subject, "int8", frames(2, 64, 96), kept=("stem", "head"))
    graph = onnx.load_from_string(data).graph
    kernels = {
        tensor.name.removesuffix("_quantized"): numpy_helper.to_array(tensor).dtype
        for tensor in graph.initializer
        if len(tensor.dims) == 4
    }
    assert {name for name, kind in kernels.items() if kind == np.float32} == {"stem/kernel", "head/kernel"}
    assert kernels["body0_0/kernel"] == np.int8
    whole = {node.output[0]: node for node in graph.node}
    readers = {node.op_type for node in graph.node for name in node.input if _is_dequantised(whole.get(name))}
    assert readers <= {"Conv", "QuantizeLinear"} | ALSO_FED


def _is_dequantised(node: onnx.NodeProto | None) -> bool:
    return node is not None and node.op_type == "DequantizeLinear"


def test_the_shipped_network(tmp_path: Path) -> None:
    file = written(StyleLibrary.default(), tmp_path, format="onnx")
    assert file.off.largest <= 1 and file.off.mean < 0.01
    assert file.size == file.path.stat().st_size < 450_000
