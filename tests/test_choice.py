"""Which runtime streams run on: measured once, remembered, and said; never a reason for an error."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamer import choice
from streamer.choice import MARGIN, PACE, REMEMBERED, Choice, best, choose, memory, question, recall, remember
from streamer.engine import Engine
from streamer.errors import BadOption
from streamer.runtime import PassthroughRuntime
from streamer.runtimes import candidates
from streamer.settings import EngineOptions, Look
from streamer.styles import StyleLibrary
from streamer.warmup import TURNS, seconds_in_turns
from tests import tiny
from tests.processes import Service

BOTH = ["litert", "litert-int8"]
CPU = EngineOptions(device="cpu")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is remembered yet; returns the folder of the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never() -> float:
    """A clock that must not be asked: nothing is to be measured."""
    pytest.fail("it was measured")


class Counting:
    """A clock, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return time.perf_counter()


def known(library: StyleLibrary, litert: float, int8: float) -> dict[str, Any]:
    """Have it remembered what each took, in milliseconds; returns the entry."""
    remember(question(library, CPU, BOTH), {"litert": litert, "litert-int8": int8})
    (entry,) = json.loads(memory().read_text())
    return dict(entry)


# The decision


@pytest.mark.parametrize(
    ("milliseconds", "wanted"),
    [
        ({"litert": 30.0, "litert-int8": 18.0}, "litert-int8"),
        ({"litert": PACE, "litert-int8": 12.0}, "litert"),  # float32 keeps pace, and is quieter
        ({"litert": 30.0, "litert-int8": 28.0}, "litert"),  # not by enough
        ({"litert": 30.0, "litert-int8": 36.0}, "litert"),
        ({"litert": 30.0, "litert-int8": 24.0, "onnx": 18.0}, "onnx"),
        ({"litert": 40.0, "litert-int8": 24.0, "onnx": 30.0}, "litert-int8"),
        ({"litert": 10.0, "onnx": 9.9}, "litert"),
    ],
)
def test_another_runtime_has_to_be_worth_it(milliseconds: dict[str, float], wanted: str) -> None:
    assert best(milliseconds) == wanted


def test_runtimes_take_turns_and_the_least_counts(int8_library: StyleLibrary) -> None:
    """On a clock by which every other turn of both takes a second longer, as on a machine with other things to do."""
    order: list[str] = []

    class Noting(PassthroughRuntime):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def run(self, batch: Any) -> Any:
            order.append(self.name)
            return super().run(batch)

    def clock() -> Iterator[float]:
        now = 0.0
        yield now  # the beginning
        for turn in itertools.count():
            if turn >= 2:
                yield now  # whether there is time for another
            for seconds in (0.010, 0.006):
                yield now
                now += seconds + turn % 2
                yield now

    ticks = clock()
    runtimes = {name: Noting(name) for name in "ab"}
    idle = itertools.count(step=1e6)  # the processor's time, by which nothing is faster
    taken = seconds_in_turns(runtimes, int8_library.trunk, (32, 48), 1e9, lambda: next(ticks), 1, lambda: next(idle))
    assert order == ["a", "b"] * (TURNS + 1)
    assert taken == pytest.approx({"a": 0.010, "b": 0.006})


def test_where_other_programs_have_the_cores_the_processors_time_counts(int8_library: StyleLibrary) -> None:
    slow = {"a": PassthroughRuntime(seconds_a_megapixel=20.0)}  # waits 30 ms, and computes nothing
    taken = seconds_in_turns(slow, int8_library.trunk, (32, 48), 1e9, time.perf_counter)
    assert 0 < taken["a"] < 0.02


def test_the_processors_time_is_shared_by_the_threads(int8_library: StyleLibrary) -> None:
    """20 ms of the processor on two threads are 10 of a machine that does nothing else."""
    spent, now = itertools.count(step=0.020), itertools.count()
    taken = seconds_in_turns(
        {"a": PassthroughRuntime()}, int8_library.trunk, (32, 48), 1e9, lambda: next(now), 2, lambda: next(spent)
    )
    assert taken == pytest.approx({"a": 0.010})


def test_a_slow_machine_takes_two_turns(int8_library: StyleLibrary) -> None:
    slow = {"a": PassthroughRuntime(seconds_a_megapixel=20.0)}  # 30 ms
    began = time.perf_counter()
    seconds_in_turns(slow, int8_library.trunk, (32, 48), 0.001, time.perf_counter)
    assert time.perf_counter() - began < 0.15, "one run that allocates, and two turns"


# What is asked for, and what there is no choice about


@pytest.mark.parametrize("runtime", ["litert", "litert-int8", "onnx", "keras"])
def test_a_runtime_that_is_asked_for_is_taken_unmeasured(int8_library: StyleLibrary, runtime: str) -> None:
    found = choose(int8_library, replace(CPU, runtime=runtime), never)
    assert found.runtime == runtime
    assert str(found).endswith(": that was asked for.")


@pytest.mark.parametrize("runtime", ["litert", "litert-int8", "onnx", "keras"])
def test_each_runtime_paints(int8_library: StyleLibrary, runtime: str) -> None:
    frame, look = tiny.picture(48, 80), Look("alpha")
    painted = []
    for name in ("litert", runtime):
        with Engine.for_streams(int8_library, replace(CPU, runtime=name)) as engine:
            painted.append(engine.stream(look)([frame], [0.0])[0].astype(int))
            still = engine.stylize(frame, engine.library.resolve("alpha"))
            np.testing.assert_array_equal(painted[-1], still)  # asked for is asked for: of stills as well
            expected = {"litert": "LiteRT", "litert-int8": "LiteRT int8", "onnx": "ONNX Runtime"}
            assert engine.runtime_name == expected.get(name, "Keras on tensorflow (float32)")
    off = np.abs(painted[0] - painted[1])
    assert off.max() <= (40 if runtime == "litert-int8" else 1)


def test_a_gpu_has_keras_alone() -> None:
    assert EngineOptions(device="gpu", runtime="keras").runtime == "keras"
    with pytest.raises(BadOption, match="--device gpu needs --runtime keras or auto; received --runtime litert-int8"):
        EngineOptions(device="gpu", runtime="litert-int8")


def test_a_gpu_that_is_asked_for_is_not_said_to_be_there(int8_library: StyleLibrary) -> None:
    """Whether it is shows when the runtime is made."""
    found = choose(int8_library, EngineOptions(device="gpu"), never)
    assert str(found) == "Streams run on Keras: a GPU was asked for."


def test_without_another_candidate_nothing_is_measured(tiny_library: StyleLibrary, home: Path) -> None:
    assert candidates(tiny_library) == ["litert"]
    found = choose(tiny_library, CPU, never)
    assert str(found) == "Streams run on LiteRT float32: its network did not learn with 8-bit arithmetic."
    assert not home.exists()


def test_an_8_bit_form_that_is_not_there_is_no_candidate(int8_library: StyleLibrary, tmp_path: Path) -> None:
    library = tiny.copy_for_int8(int8_library, tmp_path)
    (graph,) = (tmp_path / "trunks").glob("*.int8.tflite")
    assert candidates(library) == BOTH
    graph.unlink()
    assert str(choose(library, CPU, never)).endswith("its 8-bit form is not beside its trunk.")


def test_a_candidate_that_does_not_run_costs_nobody_a_start(int8_library: StyleLibrary, tmp_path: Path) -> None:
    library = tiny.copy_for_int8(int8_library, tmp_path / "library")
    (graph,) = (tmp_path / "library" / "trunks").glob("*.int8.tflite")
    whole = graph.read_bytes()
    graph.write_bytes(b"no graph at all")
    said: list[str] = []
    for clock in (time.perf_counter, never):
        found = choose(library, CPU, clock)
        assert (found.runtime, list(found.milliseconds), found.failed) == ("litert", ["litert"], ("litert-int8",))
        said.append(str(found))
    assert all("ms a frame of 640x360, LiteRT int8 does not run here; measured " in each for each in said)
    graph.write_bytes(whole)  # as `streamer compile` makes it anew
    repaired = choose(library, CPU)
    assert repaired.is_new and not repaired.failed and list(repaired.milliseconds) == BOTH


def test_where_nothing_can_be_measured_streams_run_all_the_same(
    int8_library: StyleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a job that has no memory for a frame of that size."""
    closed: list[bool] = []

    class Small(PassthroughRuntime):
        def run(self, batch: Any) -> Any:
            if batch.frames.shape[1] > 64:
                raise RuntimeError("XNNPack delegate failed to reshape runtime")
            return super().run(batch)

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(choice, "make_runtime", lambda *_: Small())
    found = choose(int8_library, CPU)
    assert str(found) == "Streams run on LiteRT float32: which is fastest could not be measured."
    assert closed == [True, True] and not memory().exists()


# Memory


def test_it_is_measured_once(int8_library: StyleLibrary) -> None:
    first = choose(int8_library, CPU)
    assert list(first.milliseconds) == BOTH and all(each > 0 for each in first.milliseconds.values())
    assert first.runtime == best(first.milliseconds)
    again = choose(int8_library, CPU, never)
    assert (again.runtime, again.milliseconds) == (first.runtime, first.milliseconds)


def test_what_is_remembered_decides_and_is_said(int8_library: StyleLibrary) -> None:
    entry = known(int8_library, 30.2, 18.1)
    assert str(choose(int8_library, CPU, never)) == (
        f"Streams run on LiteRT int8: 18.1 ms a frame of 640x360, LiteRT float32 30.2 ms; measured on {entry['on']}, "
        f"remembered in {memory()}."
    )
    known(int8_library, 10.2, 6.1)
    assert str(choose(int8_library, CPU, never)).startswith(
        "Streams run on LiteRT float32: 10.2 ms a frame of 640x360, LiteRT int8 6.1 ms (less quiet, so for where "
        "float32 takes more than 20); measured on "
    )


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        ({"litert": 30.0}, ": 30.0 ms a frame of 640x360, LiteRT int8 does not run here; "),
        ({"litert": 30.0, "litert-int8": 28.0}, ", LiteRT int8 28.0 ms; "),  # too little faster, at any pace
        ({"litert": 9.0, "litert-int8": 9.5}, ", LiteRT int8 9.5 ms; "),
        (
            {"litert": 10.0, "litert-int8": 6.0, "onnx": 14.0},
            ", LiteRT int8 6.0 ms (less quiet, so for where float32 takes more than 20), ONNX Runtime 14.0 ms; ",
        ),
    ],
)
def test_8_bits_are_said_to_be_for_slower_machines_on_faster_ones_alone(
    milliseconds: dict[str, float], said: str
) -> None:
    failed = tuple({"litert-int8"} - milliseconds.keys())
    assert said in str(Choice(best(milliseconds), milliseconds=milliseconds, on="2026-11-23", failed=failed))


def test_stills_stay_float32(int8_library: StyleLibrary) -> None:
    """Beside a stream in 8 bits, and in the same engine."""
    known(int8_library, 30.0, 15.0)
    frame, row = tiny.picture(48, 80), int8_library.resolve("alpha")
    with Engine(int8_library, CPU) as plain, Engine(int8_library, replace(CPU, runtime="litert-int8")) as small:
        wanted, rounded = plain.stylize(frame, row), small.stylize(frame, row)
    assert (wanted != rounded).any()
    with Engine.for_streams(int8_library, CPU) as engine:
        assert engine.runtime_name == "LiteRT int8"
        np.testing.assert_array_equal(engine.stylize(frame, row), wanted)
        np.testing.assert_array_equal(engine.stream(Look("alpha"))([frame], [0.0])[0], rounded)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "cpu": lambda asked: asked.update(cpu="Another 12345678"),
    "cores": lambda asked: asked.update(cores=asked["cores"] + 1),
    "threads": lambda asked: asked.update(threads=asked["threads"] + 1),
    "trunk": lambda asked: asked.update(trunk="0" * 64),
    "runtimes": lambda asked: asked.update(runtimes=[*BOTH, "onnx"]),
    "version": lambda asked: asked["versions"].update({"ai-edge-litert": "0.0.1"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_machine_trunk_or_version_is_measured_anew(
    int8_library: StyleLibrary, change: Callable[[dict[str, Any]], object]
) -> None:
    entry = known(int8_library, 30.0, 15.0)
    change(entry["for"])
    memory().write_text(json.dumps([entry]))
    clock = Counting()
    choose(int8_library, CPU, clock)
    assert clock.asked > 4
    choose(int8_library, CPU, never)


DAMAGES = [
    b"",
    b"\xff\xfe",
    b"{}",
    b"[1, null, {}]",
    b"[" * 100_000,
    b'[{"for": {"runtimes": ["litert"]}, "milliseconds": {"litert": NaN}, "on": ""}]',
    b'[{"for": {"runtimes": ["onnx"]}, "milliseconds": {"onnx": 1.0}, "on": ""}]',
    b'[{"for": {"runtimes": ["litert"]}, "milliseconds": {"litert": "1"}, "on": ""}]',
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_memory_is_measured_over(int8_library: StyleLibrary, damage: bytes) -> None:
    known(int8_library, 30.0, 15.0)
    memory().write_bytes(damage)
    assert recall(question(int8_library, CPU, BOTH)) is None
    assert choose(int8_library, CPU).is_new
    assert not choose(int8_library, CPU, never).is_new


def test_a_memory_that_cannot_be_written_is_no_error(
    int8_library: StyleLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        found = choose(int8_library, CPU)
        assert found.is_new
        assert re.search(rf"measured just now, not remembered, for {memory()} cannot be written\.$", str(found))


def test_a_user_without_a_home_is_no_error(int8_library: StyleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user id has no name, where HOME is not set."""

    def nobody(user: int) -> None:
        raise KeyError(user)

    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert memory() == Path("/nonexistent/.cache/streamer/runtimes.json")
    assert candidates(int8_library) == BOTH
    assert recall(question(int8_library, CPU, BOTH)) is None


def test_the_memory_has_a_bound(int8_library: StyleLibrary) -> None:
    asked = question(int8_library, CPU, BOTH)
    for threads in range(REMEMBERED + 3):
        remember(asked | {"threads": 1000 + threads}, {"litert": 30.0, "litert-int8": 3.0})
    entries = json.loads(memory().read_text())
    assert [entry["for"]["threads"] for entry in entries] == [1003 + number for number in range(REMEMBERED)]
    assert MARGIN < 1 and choice.WITHIN <= 0.5


# As users meet it


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(tiny.picture(64, 96, number), format="rgb24")))
        out.mux(stream.encode(None))
    return path


def transcode(clip: Path, *options: str) -> str:
    """What `streamer transcode -v` says on stderr, in a process of its own, which must not have met TensorFlow."""
    program = (
        "import sys; from streamer.cli.main import run; code = run(sys.argv[1:]);"
        "print(*({'tensorflow', 'keras', 'onnx', 'ai_edge_quantizer'} & sys.modules.keys()), file=sys.stderr);"
        "sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "transcode", str(clip), "--style", "alpha", "-v", "--overwrite", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("\n\n"), "nothing heavy was imported"
    return done.stderr


def test_transcode_says_which_and_why(
    int8_library: StyleLibrary, clip: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("STREAMER_LIBRARY", str(int8_library.folders[0]))
    figures = r"streamer: Streams run on LiteRT (int8|float32): [\d.]+ ms a frame of 640x360, LiteRT \w+ [\d.]+ ms.*; "
    assert re.search(figures + "measured just now, remembered in ", transcode(clip))
    assert re.search(figures + r"measured on \d{4}-\d\d-\d\d, remembered in ", transcode(clip))
    assert (home / "streamer" / "runtimes.json").exists()
    said = transcode(clip, "--runtime", "litert-int8")
    assert "streamer: Streams run on LiteRT int8: that was asked for." in said


def test_serve_says_which_and_why(clean_environment: Path) -> None:
    service = Service(clean_environment, "-v")
    try:
        assert re.search(r"streamer: Streams run on (LiteRT|Keras)[^:\n]*: ", service.log)
        assert re.search(r"ready capacity=.* runtime=(LiteRT|Keras)", service.log)
    finally:
        service.stop()
