"""`streamer bench --device gpu`: the code that measures a GPU, run on whatever Keras has here and at a tiny size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from streamer.bench.flops import activation_values
from streamer.bench.gpu import LIMITS, PRECISIONS, Sizes, measure, run_gpu_bench
from streamer.cli.bench import gpu_lines
from streamer.cli.main import main
from streamer.errors import MissingDependency
from streamer.keras_runtime import KerasRuntime, gpu_count
from streamer.runtime import pad, still
from streamer.styles import StyleLibrary
from streamer.trunk import TrunkConfig
from tests import tiny

without_gpu = pytest.mark.skipif(gpu_count() > 0, reason="this machine has a GPU")
TINY = Sizes(48, 80, (1, 3), PRECISIONS[:1] + PRECISIONS[-1:], 2, 0.02, 64, 4096)


@pytest.fixture(scope="module")
def figures(tiny_library: StyleLibrary) -> dict[str, Any]:
    told: list[tuple[int, int]] = []
    found = measure(tiny_library, style="alpha", sizes=TINY, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    return found


def test_every_precision_and_batch_has_its_figures_and_its_floors(figures: dict[str, Any]) -> None:
    json.dumps(figures, allow_nan=False)
    assert [(row["precision"], row["batch"]) for row in figures["rows"]] == [
        (precision, batch) for precision in ("float32", "mixed bfloat16") for batch in (1, 3)
    ]
    for row in figures["rows"]:
        assert row["frames_per_second_least"] <= row["frames_per_second"] <= row["frames_per_second_most"]
        assert row["ms_per_frame"] == pytest.approx(1000 / row["frames_per_second"], rel=0.01)
        assert set(row["floors_ms_per_frame"]) == {"arithmetic", "device_memory", "host_copies"}
        assert all(floor > 0 for floor in row["floors_ms_per_frame"].values())
    assert figures["conditions"]["width"] == 80
    assert figures["conditions"]["backend"] == "tensorflow"


def test_its_limits_are_judged_by_the_best_of_each_precision(figures: dict[str, Any]) -> None:
    best = {
        name: max(row["frames_per_second"] for row in figures["rows"] if row["precision"] == name)
        for name in ("float32", "mixed bfloat16")
    }
    assert figures["frames_per_second"] == max(best.values())
    assert figures["mixed_vs_float32"] == pytest.approx(best["mixed bfloat16"] / best["float32"], rel=0.01)
    assert figures["mixed_vs_tf32"] is None  # was not measured
    for name, limit in LIMITS.items():
        assert figures["thresholds"][name]["holds"] == (figures[name] >= limit.value)


def test_people_get_a_line_for_each(figures: dict[str, Any]) -> None:
    lines = gpu_lines(figures)
    assert sum("frames/s" in line for line in lines) == 4
    assert any("missed" in line for line in lines) or all(each["holds"] for each in figures["thresholds"].values())


def test_a_batch_that_does_not_fit_is_told_and_the_rest_goes_on(
    tiny_library: StyleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(KerasRuntime):
        def run(self, batch: Any) -> Any:
            if len(batch.frames) > 1:
                raise MemoryError("out of memory\nat great length")
            return super().run(batch)

    monkeypatch.setattr("streamer.bench.gpu.KerasRuntime", Small)
    found = measure(tiny_library, style="alpha", sizes=Sizes(48, 80, (1, 2), PRECISIONS[:1], 1, 0.01, 64, 4096))
    assert found["rows"][0]["frames_per_second"] > 0
    assert found["rows"][1] | {"floors": None} == {
        "precision": "float32",
        "batch": 2,
        "frames_per_second": None,
        "error": "out of memory",
        "floors": None,
    }
    assert "not measured: out of memory" in "\n".join(gpu_lines(found))


@without_gpu
def test_without_a_gpu_one_sentence_says_so(tiny_library: StyleLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingDependency, match="nothing was measured, because Keras finds no GPU"):
        run_gpu_bench(tiny_library)
    with pytest.raises(SystemExit) as ended:
        main(["bench", "--device", "gpu"])
    assert ended.value.code == 1
    assert "Keras finds no GPU" in capsys.readouterr().err


def test_activation_traffic_is_that_of_the_layers() -> None:
    """Every convolution's input and output, by the shapes that Keras itself gives them; and the residual sums."""
    from streamer.layers import EdgeConv
    from streamer.model import build_network
    from streamer.trunk import neutral_modulation

    config = TrunkConfig()
    moved = 0
    network = build_network(config)
    layers = [each for each in network._flatten_layers() if type(each).__name__ in ("Conv2D", EdgeConv.__name__)]
    for layer in layers:

        def counting(inputs: Any, call: Any = layer.call) -> Any:
            nonlocal moved
            output = call(inputs)
            moved += int(np.prod(inputs.shape)) + int(np.prod(output.shape))
            return output

        layer.call = counting
    size = 64
    network(
        {
            "frames": np.zeros((1, size, size, 3), np.float32),
            "modulation": neutral_modulation(config)[None],
            "given": np.zeros((1, config.statistics_size), np.float32),
            "mix": np.ones((1, 1), np.float32),
            "carry": np.zeros((1, 1), np.float32),
        }
    )
    sums = len(config.deep_dilations) * config.deep_width * (size // 8) ** 2
    sums += config.blocks * config.width * (size // 4) ** 2
    assert activation_values(config, size, size) == moved + sums


@pytest.mark.parametrize("size", [(48, 80), (1, 1), (2, 9), (41, 33)])
def test_a_gpu_s_own_padding_is_that_of_the_cpu(tiny_library: StyleLibrary, size: tuple[int, int]) -> None:
    """Any number of frames of any size: padded by the network itself, as `pad` does on the host."""
    trunk = tiny_library.trunk
    runtime = KerasRuntime(trunk, precision="float32")
    frames = np.random.default_rng(0).integers(0, 255, (3, *size, 3), dtype=np.uint8)
    batch = still(frames, tiny_library.resolve("alpha"), trunk.config.statistics_size)
    padded, inside = pad(frames)
    named = {"modulation": batch.modulation, "given": batch.given, "mix": batch.mix, "carry": batch.carry}
    expected = runtime._tiles({**named, "frames": padded})
    styled = runtime.run(batch)
    assert styled.frames.shape == frames.shape
    np.testing.assert_allclose(styled.frames, np.asarray(expected["frames"])[:, *inside], atol=1)
    np.testing.assert_allclose(styled.used, np.asarray(expected["used"]), atol=1e-4)


def test_jax_runs_the_same_code() -> None:
    pytest.importorskip("jax")
    code = (
        "import json\n"
        "from streamer.bench.gpu import PRECISIONS, Sizes, measure\n"
        "from streamer.styles import StyleLibrary\n"
        "sizes = Sizes(24, 32, (1,), PRECISIONS[:1], 1, 0.01, 32, 1024)\n"
        "print(json.dumps(measure(StyleLibrary.default(), style='mosaic', sizes=sizes)))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["conditions"]["backend"] == "jax"
    assert figures["rows"][0]["frames_per_second"] > 0


def test_a_batch_is_filled_up_to_a_power_of_two(tiny_library: StyleLibrary) -> None:
    """So that a compiler meets few numbers of frames; what is filled in changes nothing."""
    trunk = tiny_library.trunk
    runtime = KerasRuntime(trunk, precision="float32")
    frames = np.stack([tiny.picture(48, 80, seed) for seed in range(5)])
    row = tiny_library.resolve("alpha")
    together = runtime.run(still(frames, row, trunk.config.statistics_size))
    for i in (0, 4):
        alone = runtime.run(still(frames[i : i + 1], row, trunk.config.statistics_size))
        np.testing.assert_allclose(together.frames[i], alone.frames[0], atol=1)
        np.testing.assert_allclose(together.used[i], alone.used[0], atol=1e-4)
