"""One step is the same step on one device and on two, under TensorFlow and under JAX."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.lessons import draw_photographs
from training.devices import sharing

Step = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment in which the processes of these tests find what others of them had JAX compile."""
    kept = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        # Compiling is most of what these tests take; what is compiled runs for a few steps.
        "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
    }
    return os.environ | kept | {"TF_CPP_MIN_LOG_LEVEL": "3"}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory, compiled: dict[str, str]) -> dict[tuple[str, int], Step]:
    """Losses and gradients of the same step, by framework and number of devices; each in a process of its own."""
    folder = draw_photographs(tmp_path_factory.mktemp("photographs"), height=120, width=120)
    started = {}
    for backend, count in itertools.product(("tensorflow", "jax"), (1, 2)):
        command = [
            sys.executable,
            "-m",
            "tests.one_step",
            str(folder),
            str(folder / f"{backend}{count}.npz"),
            str(count),
        ]
        environment = compiled | {"KERAS_BACKEND": backend}
        started[backend, count] = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    found = {}
    for (backend, count), process in started.items():
        _, complaint = process.communicate()
        assert process.returncode == 0, complaint[-2000:]
        with np.load(folder / f"{backend}{count}.npz") as archive:
            found[backend, count] = dict(archive)
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("other", [("tensorflow", 2), ("jax", 1), ("jax", 2)], ids=lambda it: f"{it[0]}-{it[1]}")
def test_losses_and_gradients_are_those_of_one_device_under_tensorflow(
    steps: dict[tuple[str, int], Step], other: tuple[str, int]
) -> None:
    expected, found = steps["tensorflow", 1], steps[other]
    assert set(found) == set(expected)
    for name, values in expected.items():
        largest = np.abs(values).max()
        assert largest > 0
        if name.startswith("own"):  # Adam divides by the gradient's size: the smallest are all rounding
            assert np.abs(found[name] - values).mean() < 0.01 * np.abs(values).mean(), name
            continue
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-4 * largest, err_msg=name)


def test_an_overflow_on_any_device_skips_the_step_on_all() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.one_overflow"],
        env=os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    good, on_first, on_second, again = json.loads(done.stdout)
    assert good == {"finite": True, "moved": True, "scale": 2.0**15}
    assert on_first == {"finite": True, "moved": False, "scale": 2.0**14}
    assert on_second == {"finite": True, "moved": False, "scale": 2.0**13}
    assert again == {"finite": True, "moved": True, "scale": 2.0**13}


@pytest.mark.timeout(900)
def test_whole_runs_go_under_jax(compiled: dict[str, str]) -> None:
    """The tests of runs once more, in a process whose framework is JAX; the others would need TensorFlow."""
    chosen = "(resumed and trunk and not videos) or mixed_float16 or blur or pupil or previews or accumulated"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/test_training_run.py", "-k", chosen, "-p", "no:cacheprovider"],
        env=compiled | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "6 passed" in done.stdout


def test_a_batch_is_shared_evenly() -> None:
    four = ["gpu:0", "gpu:1", "gpu:2", "gpu:3"]
    assert sharing(8, 1, four) == four
    assert sharing(6, 1, four) == four[:3]
    assert sharing(1, 1, four) == four[:1]
    assert sharing(8, 1, []) == []
    assert len(sharing(8, 2, four)) == 1  # TensorFlow's tf.distribute and accumulation exclude each other
