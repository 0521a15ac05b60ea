"""ONNX files in ONNX Runtime give what the Keras network gives: frames, statistics, and so a stream's state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from streamer.export.onnx_file import OnnxTrunk
from streamer.export.run import Exported, export
from streamer.export_settings import ExportOptions
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import Batch, Runtime, Styled
from streamer.styles import StyleLibrary
from tests import tiny


@pytest.fixture(scope="module")
def written(tiny_library: StyleLibrary, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    (file,) = export(tiny_library, [], tmp_path_factory.mktemp("onnx"), ExportOptions(format="onnx"))
    return file


@pytest.fixture(scope="module")
def keras(tiny_library: StyleLibrary) -> KerasRuntime:
    return KerasRuntime(tiny_library.trunk, precision="float32")


def random_batch(library: StyleLibrary, count: int, height: int, width: int, seed: int = 0) -> Batch:
    """Frames of several styles whose statistics come from everywhere: their own, each other's and given ones."""
    rng = np.random.default_rng(seed)
    names = library.names()
    return Batch(
        np.stack([tiny.picture(height, width, seed + number) for number in range(count)]),
        np.stack([library.resolve(names[number % len(names)]) for number in range(count)]),
        rng.uniform(0, 1, (count, library.trunk.config.statistics_size)).astype(np.float32),
        np.tril(rng.uniform(0, 1, (count, count))).astype(np.float32),
        rng.uniform(0, 1, (count, 1)).astype(np.float32),
    )


def assert_same(got: Styled, wanted: Styled) -> None:
    assert got.frames.shape == wanted.frames.shape and got.frames.dtype == np.uint8
    assert np.abs(got.frames.astype(int) - wanted.frames).max() <= 1
    for name in ("used", "own"):
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("count", "height", "width"), [(1, 48, 64), (3, 33, 57), (2, 1, 90), (1, 121, 16)])
def test_any_size_and_number_of_frames(
    tiny_library: StyleLibrary, written: Exported, keras: KerasRuntime, count: int, height: int, width: int
) -> None:
    batch = random_batch(tiny_library, count, height, width)
    assert_same(OnnxTrunk(written.path).run(batch), keras.run(batch))


def test_a_streams_state_is_carried(tiny_library: StyleLibrary, written: Exported, keras: KerasRuntime) -> None:
    """Each goes on from its own statistics over six frames that change."""
    states = [np.zeros((1, tiny_library.trunk.config.statistics_size), np.float32)] * 2
    row = tiny_library.resolve("beta")[None]
    runtimes: tuple[Runtime, ...] = (OnnxTrunk(written.path), keras)
    for number in range(6):
        frame = tiny.picture(40, 56, seed=number)[None]
        carry = np.full((1, 1), 0.8 if number else 0.0, np.float32)
        results = [
            runtime.run(Batch(frame, row, state, 1 - carry, carry))
            for runtime, state in zip(runtimes, states, strict=True)
        ]
        assert_same(*results)
        states = [result.used for result in results]


def test_the_file_says_what_it_is(tiny_library: StyleLibrary, written: Exported) -> None:
    model = onnx.load(written.path)
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


def test_the_shipped_network(tmp_path: Path) -> None:
    (file,) = export(StyleLibrary.default(), [], tmp_path, ExportOptions(format="onnx"))
    assert file.off.largest <= 1 and file.off.mean < 0.01
    assert file.size == file.path.stat().st_size < 450_000
