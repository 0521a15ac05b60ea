"""LiteRT files in LiteRT give what the Keras network gives, in float32; in 8 bits they stay near it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from streamer.export.frozen import layer_order
from streamer.export.litert import litert_answer, litert_bytes, litert_convolutions, litert_facts
from streamer.export.litert_quantised import litert_quantised
from streamer.export.subject import Subject, trunk_subject
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import LiteRTRuntime
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


@pytest.fixture(scope="module")
def subject(tiny_library: StyleLibrary) -> Subject:
    return trunk_subject(tiny_library, ["alpha", "beta"])


@pytest.fixture(scope="module")
def data(subject: Subject) -> bytes:
    return litert_bytes(subject)


def test_any_size_number_and_state(tiny_library: StyleLibrary, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trunk.tflite"
    path.write_bytes(data)
    runtime, keras = LiteRTRuntime(path), KerasRuntime(tiny_library.trunk, precision="float32")
    for count, height, width in SIZES:
        batch = random_batch(tiny_library, count, height, width)
        assert_same(runtime.run(batch), keras.run(batch))
    assert_same_stream(tiny_library, runtime, keras)


def test_the_file_says_what_it_is_and_runs_as_it_is(subject: Subject, data: bytes) -> None:
    assert litert_facts(data) == subject.facts()
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()  # without a size from us it has a usual one
    shapes = {each["name"]: each["shape"].tolist() for each in interpreter.get_input_details()}
    assert shapes["serve_frames:0"] == [1, 376, 656, 3]
    assert set(interpreter.get_signature_list()["serve"]["inputs"]) == {
        "frames", "modulation", "given", "mix", "carry",
    }  # fmt: skip


@pytest.mark.parametrize("statistics", ["own", "frozen"])
def test_a_frozen_style_takes_and_gives_frames_alone(
    tiny_library: StyleLibrary, tmp_path: Path, statistics: str
) -> None:
    subject = frozen(tiny_library, statistics=statistics)
    path = tmp_path / "frozen.tflite"
    path.write_bytes(litert_bytes(subject))
    answer = litert_answer(path, subject)
    for count, height, width in [(1, 48, 64), (3, 32, 56), (1, 120, 16)]:
        pictures = frames(count, height, width)
        assert_same_frames(answer(subject.batch(pictures)), keras_frames(subject, pictures))
    with pytest.raises(RuntimeError):
        answer(subject.batch(frames(1, 33, 57)))


@pytest.mark.parametrize(("precision", "mean"), [("float16", 0.1), ("dynamic", 6), ("int8", 6)])
def test_quantised(subject: Subject, data: bytes, tmp_path: Path, precision: str, mean: float) -> None:
    path = tmp_path / "small.tflite"
    small = litert_quantised(data, subject, precision, frames(4, 64, 96), kept=("stem",))
    path.write_bytes(small)
    pictures = frames(2, 72, 80)
    off = np.abs(litert_answer(path, subject)(subject.batch(pictures)).astype(int) - keras_frames(subject, pictures))
    assert 0 < off.mean() < mean
    assert litert_facts(small) == subject.facts(), "credits stay"


def test_in_8_bits_are_convolutions_alone_and_not_those_kept(subject: Subject, data: bytes) -> None:
    small = litert_quantised(data, subject, "int8", frames(2, 64, 96), kept=("stem", "head"))
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(small))
    (graph,) = model.subgraphs
    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if not key.startswith("_")}
    with_8_bits = [
        operator
        for operator in graph.operators
        if any(graph.tensors[place].type == schema.TensorType.INT8 for place in [*operator.inputs, *operator.outputs])
    ]
    kinds = [names[model.operatorCodes[operator.opcodeIndex].builtinCode] for operator in with_8_bits]
    assert set(kinds) == {"CONV_2D", "QUANTIZE", "DEQUANTIZE"}
    assert kinds.count("CONV_2D") == len(layer_order(subject.config)) - 2
    assert len(litert_convolutions(small)) == len(layer_order(subject.config))


def test_the_shipped_network(tmp_path: Path) -> None:
    file = written(StyleLibrary.default(), tmp_path, format="litert", quantize="float16")
    assert file.off.largest <= 1 and file.off.mean < 0.05
    assert file.size == file.path.stat().st_size < 290_000
