"""The optimizer: kernels move by orthogonal matrices, scales and shifts as Adam moves them, all of a known size."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from tests.lessons import tiny_recipe
from training.optimizer import STEP_SIZE, KernelMuon, make_optimizer

RATE = 1e-2


def moved(shape: tuple[int, ...], name: str, gradient: np.ndarray) -> np.ndarray:
    """What one step subtracts from a variable of zeros."""
    with keras.name_scope(name):
        variable = keras.Variable(np.zeros(shape, np.float32), name="kernel")
    optimizer = KernelMuon(RATE, rms_rate=STEP_SIZE, weight_decay=None)
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return -np.asarray(variable)


def test_a_kernel_moves_alike_in_all_directions() -> None:
    rng = np.random.default_rng(0)
    # A gradient that is nearly of rank one: 100 times as large in one direction as in the others.
    gradient = np.outer(rng.normal(size=72), rng.normal(size=16)) * 100 + rng.normal(size=(72, 16))
    step = moved((3, 3, 8, 16), "fuse", gradient.reshape(3, 3, 8, 16).astype(np.float32))
    sizes = np.linalg.svd(step.reshape(72, 16), compute_uv=False)
    assert sizes.max() / sizes.min() < 3  # the quintic iteration ends between 0.7 and 1.2, where it ends
    assert np.sum(step * gradient.reshape(step.shape)) > 0


def test_a_step_has_the_size_of_adams_whatever_the_shape() -> None:
    rng = np.random.default_rng(1)
    for shape in ((3, 3, 32, 32), (1, 1, 8, 64), (4, 4, 12, 16)):
        step = moved(shape, "stem", rng.normal(size=shape).astype(np.float32))
        assert 0.6 < np.sqrt(np.mean(step**2)) / (RATE * STEP_SIZE) < 1.3


def test_where_sizes_count_adam_moves_every_number_by_its_rate() -> None:
    rng = np.random.default_rng(2)
    for shape, name in (((3, 3, 16, 12), "paint"), ((4, 100), "modulation_offsets")):
        gradient = rng.choice([-3.0, -0.1, 0.1, 3.0], shape).astype(np.float32)
        np.testing.assert_allclose(moved(shape, name, gradient), RATE * np.sign(gradient), rtol=1e-3)


def test_nothing_decays(tmp_path: Path) -> None:
    variables = []
    for name, shape in (("stem", (3, 3, 4, 8)), ("paint", (3, 3, 8, 12)), ("modulation_offsets", (4, 100))):
        with keras.name_scope(name):
            variables.append(keras.Variable(np.ones(shape, np.float32), name="kernel"))
    optimizer = make_optimizer(tiny_recipe(tmp_path, learning_rate=1e-2))
    for _ in range(5):
        optimizer.apply([keras.ops.zeros(variable.shape) for variable in variables], variables)
    for variable in variables:
        np.testing.assert_array_equal(np.asarray(variable), 1)


def test_gradients_are_clipped(tmp_path: Path) -> None:
    assert make_optimizer(tiny_recipe(tmp_path)).global_clipnorm == 2.0
    assert isinstance(make_optimizer(tiny_recipe(tmp_path, precision="mixed_float16")).inner_optimizer, KernelMuon)
