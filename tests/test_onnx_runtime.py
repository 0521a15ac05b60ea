"""ONNX Runtime as a runtime of ours: its graph is made without TensorFlow, kept by checksum, made again if need be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer import caches
from streamer.engine import Engine
from streamer.errors import MissingDependency
from streamer.image import tile_batch
from streamer.onnx_runtime import graph_name, onnx_graph_of, onnx_session
from streamer.runtimes import candidates, make_runtime
from streamer.settings import EngineOptions, Look
from streamer.styles import StyleLibrary
from streamer.tiles import plan_tiles
from tests import tiny

ONNX = EngineOptions(device="cpu", runtime="onnx")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; returns our folder in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "streamer"


def test_a_stream_is_what_litert_makes_of_it(tiny_library: StyleLibrary, tiny_engine: Engine) -> None:
    frames = [tiny.picture(48, 80, seed) for seed in range(4)]
    times = [0.0, 0.04, 0.08, 0.3]
    with Engine(tiny_library, ONNX) as engine:
        ours = engine.stream(Look("alpha"))(frames, times)
    theirs = tiny_engine.stream(Look("alpha"))(frames, times)
    assert np.abs(np.stack(ours).astype(int) - np.stack(theirs)).max() <= 1


def test_it_keeps_to_the_cores_that_the_process_may_use(tiny_library: StyleLibrary) -> None:
    graph, allowed = onnx_graph_of(tiny_library.trunk), os.sched_getaffinity(0)
    before = set(os.listdir("/proc/self/task"))
    try:
        os.sched_setaffinity(0, {min(allowed)})
        alone = onnx_session(graph)
        assert set(os.listdir("/proc/self/task")) == before, "one core, and no thread beside ours"
        assert alone.get_session_options().intra_op_num_threads == 1
        assert onnx_session(graph, 3).get_session_options().intra_op_num_threads == 3
    finally:
        os.sched_setaffinity(0, allowed)


def test_tiles_are_litert_s(tiny_library: StyleLibrary, tiny_engine: Engine) -> None:
    (tile, *_) = plan_tiles(200, 300, 20_000, 4)
    assert any(tile.margins)
    height, width = (8 * (span.stop - span.start) for span in (tile.rows, tile.columns))
    given = np.zeros(tiny_library.trunk.config.statistics_size, np.float32)
    batch = tile_batch(tiny.picture(height, width), tiny_library.resolve("alpha"), given, tile)
    with Engine(tiny_library, ONNX) as engine:
        got, wanted = engine.run(batch), tiny_engine.run(batch)
    np.testing.assert_array_equal(got.frames, wanted.frames)
    np.testing.assert_array_equal(got.own, wanted.own)


def test_its_graph_is_kept_and_is_then_a_candidate(
    tiny_library: StyleLibrary, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert candidates(tiny_library) == ["litert"]
    made = onnx_graph_of(tiny_library.trunk)
    (kept,) = home.iterdir()
    assert kept.name == graph_name(tiny_library.trunk) and tiny_library.trunk.checksum[:16] in kept.name
    assert candidates(tiny_library) == ["litert", "onnx"]
    monkeypatch.setitem(sys.modules, "onnx", None)  # what made it is no longer needed
    assert onnx_graph_of(tiny_library.trunk) == made
    make_runtime(tiny_library, ONNX).close()


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: b"\0" * len(data)])
def test_a_damaged_graph_is_made_again(tiny_library: StyleLibrary, home: Path, damage) -> None:
    made = onnx_graph_of(tiny_library.trunk)
    kept = home / graph_name(tiny_library.trunk)
    kept.write_bytes(damage(kept.read_bytes()))
    assert caches.kept(kept.name) is None
    assert onnx_graph_of(tiny_library.trunk) == made
    assert caches.kept(kept.name) == made


def test_where_nothing_can_be_kept_it_is_made_each_time(
    tiny_library: StyleLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert onnx_graph_of(tiny_library.trunk) == onnx_graph_of(tiny_library.trunk)
    assert candidates(tiny_library) == ["litert"]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_what_is_not_installed_is_said(
    tiny_library: StyleLibrary, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "streamer.onnx_graph", raising=False)
    with pytest.raises(MissingDependency) as caught:
        make_runtime(tiny_library, ONNX)
    assert str(caught.value) == (
        f"ONNX Runtime needs the package {package}: pip install '.[export]' in the checkout, or make train-env."
    )


def test_neither_its_graph_nor_its_run_needs_tensorflow(tiny_library: StyleLibrary) -> None:
    program = (
        "import sys; from pathlib import Path; from streamer.runtimes import make_runtime;"
        "from streamer.settings import EngineOptions; from streamer.styles import StyleLibrary;"
        "library = StyleLibrary([Path(sys.argv[1])], Path(sys.argv[2]));"
        "print(make_runtime(library, EngineOptions(device='cpu', runtime='onnx')).name);"
        "print(*({'tensorflow', 'keras', 'jax'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, str(tiny_library.folders[0]), str(tiny_library.trunk_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "ONNX Runtime\n\n"
