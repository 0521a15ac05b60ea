"""`streamer bench --compare`: all runtimes on one network, and what streams then run on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamer.bench import run_comparison
from streamer.choice import best, choose
from streamer.cli.bench import comparison_lines
from streamer.cli.main import run
from streamer.errors import BadOption
from streamer.runtimes import graph_size
from streamer.settings import RUNTIMES, BenchOptions, EngineOptions
from streamer.styles import StyleLibrary
from tests import tiny

ONE_ROUND = BenchOptions(rounds=1)
CPU = EngineOptions(device="cpu", threads=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty cache for all that is measured here."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def measured(int8_library: StyleLibrary, home: Path) -> dict[str, Any]:
    told: list[tuple[int, int]] = []
    found = run_comparison(
        int8_library, CPU, ONE_ROUND, style="alpha", progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 1)]
    return found


def rows(measured: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["runtime"]: row for row in measured["rows"]}


def test_every_runtime_is_there_with_its_figures(measured: dict[str, Any], int8_library: StyleLibrary) -> None:
    json.dumps(measured, allow_nan=False)
    assert tuple(rows(measured)) == RUNTIMES and not measured["missing"]
    for name, row in rows(measured).items():
        assert row["ms_per_frame"] > 0 and row["cpu_ms_per_frame"] > 0
        size = graph_size(int8_library, name)
        assert row["kilobytes"] == (None if size is None else round(size / 1000))
    assert rows(measured)["litert-int8"]["kilobytes"] < rows(measured)["litert"]["kilobytes"]
    assert measured["conditions"] | {"width": 640, "height": 360, "threads": 1, "rounds": 1} == measured["conditions"]
    assert measured["machine"]["versions"]["onnxruntime"]


def test_differences_are_those_from_float32(measured: dict[str, Any]) -> None:
    off = {name: (row["off_float32_max"], row["off_float32_mean"]) for name, row in rows(measured).items()}
    assert off["litert"] == (0, 0.0)
    assert off["onnx"][0] <= 1 and off["keras"][0] <= 1
    largest, mean = off["litert-int8"]
    assert 1 < largest < 100 and 0.01 < mean < 4
    assert not rows(measured)["litert-int8"]["note"], "this network says that it learnt for it"


def test_streams_run_on_the_fastest_from_then_on(measured: dict[str, Any], int8_library: StyleLibrary) -> None:
    figures = {name: row for name, row in rows(measured).items() if name != "keras"}
    times = {name: min(row["ms_per_frame"], row["cpu_ms_per_frame"]) for name, row in figures.items()}
    assert measured["chosen"] == best(times)
    assert [name for name, row in rows(measured).items() if row["chosen"]] == [measured["chosen"]]

    def never() -> float:
        pytest.fail("it was measured")

    found = choose(int8_library, CPU, never)
    assert (found.runtime, found.milliseconds) == (measured["chosen"], times)


def test_people_get_a_table(measured: dict[str, Any]) -> None:
    first, head, *table = comparison_lines(measured)
    assert first.startswith("640x360, 1 thread, ")
    assert head.split() == ["ms", "CPU", "ms", "kB", "off", "float32:", "max", "mean"]
    assert [line[:16].strip() for line in table[:4]] == ["LiteRT float32", "LiteRT int8", "ONNX Runtime", "Keras"]
    (marked,) = (line for line in table[:4] if "< streams" in line)
    assert table[4] == measured["why"]
    assert table[4].startswith(f"Streams run on {marked[:16].strip()}: ")


def test_what_is_not_installed_and_what_was_not_learnt_is_said(
    tiny_library: StyleLibrary, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "keras", None)
    found = run_comparison(tiny_library, CPU, ONE_ROUND, style="alpha")
    assert set(rows(found)) == {"litert", "litert-int8"} and set(found["missing"]) == {"onnx", "keras"}
    assert rows(found)["litert-int8"]["note"] == "the network did not learn with 8-bit arithmetic"
    assert found["chosen"] == "litert"
    said = comparison_lines(found)
    assert any("needs the package onnxruntime" in line for line in said)
    assert any("needs TensorFlow" in line for line in said)
    assert said[-1] == "Streams run on LiteRT float32: its network did not learn with 8-bit arithmetic."


def test_what_is_damaged_is_said_and_the_others_are_measured(
    int8_library: StyleLibrary, measured: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tiny.copy_for_int8(int8_library, tmp_path)
    (graph,) = (tmp_path / "trunks").glob("*.int8.tflite")
    graph.write_bytes(b"no graph at all")
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('a shared library is missing')")
    monkeypatch.syspath_prepend(tmp_path)  # so it is installed; and its graph is kept
    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setitem(sys.modules, "keras", None)
    found = run_comparison(library, CPU, ONE_ROUND, style="alpha")
    assert set(rows(found)) == {"litert"} and found["chosen"] == "litert"
    assert found["missing"]["litert-int8"].startswith("LiteRT int8 does not run here: ")
    assert ", LiteRT int8 does not run here, ONNX Runtime does not run here; measured just now" in found["why"]


def test_one_runtime_or_a_gpu_is_no_comparison(tiny_library: StyleLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (EngineOptions(runtime="onnx"), EngineOptions(device="gpu")):
        with pytest.raises(BadOption, match="it goes without --device gpu and --runtime"):
            run_comparison(tiny_library, options, ONE_ROUND, style="alpha")
    assert run(["bench", "--compare", "--runtime", "litert"]) == 2
    assert "it goes without --device gpu and --runtime" in capsys.readouterr().err
    assert run(["bench", "--compare", "--live"]) == 2
    assert "--compare and --live exclude each other" in capsys.readouterr().err
