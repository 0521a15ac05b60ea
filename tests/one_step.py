"""One step of plain SGD, in a process of its own: `python -m tests.one_step FOLDER OUT.npz DEVICES`, KERAS_BACKEND set.

Two virtual processors are made, and DEVICES of them used. Plain SGD, because Adam would hide a loss that is doubled.
FOLDER holds photographs; OUT gets each loss and, for each variable, what the step added to it over the rate.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

RATE = 1e-3


def make_virtual_processors() -> None:
    """Two of them, before the framework looks."""
    if os.environ["KERAS_BACKEND"] == "jax":
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
        return
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)


def one_step(folder: Path, devices: list[str]) -> dict[str, Any]:
    import keras
    import numpy as np
    from keras import ops

    from tests import tiny
    from training.data import Pairs
    from training.devices import several
    from training.recipe import Recipe, StyleSource
    from training.train import Trainer, compile_trainer
    from training.vgg import random_weights

    paths = sorted(folder.glob("*.png"))
    sources = tuple(StyleSource(f"style{i}", str(path), (64,)) for i, path in enumerate(paths[:2]))
    recipe = Recipe(sources, (), config=tiny.CONFIG, batch=4, size=64, temporal_ramp=(-1, -0.5), variation_weight=0.5)
    with several(devices):
        trainer = Trainer(recipe, random_weights())
        trainer.load(tiny.random_trunk(), {})  # frameworks draw different numbers
        compile_trainer(trainer, keras.optimizers.SGD(RATE))
        before = [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]
        history = trainer.fit(Pairs(paths, styles=2, batch=4, size=64, steps=1), verbose=0, shuffle=False).history
        after = [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]
    losses = {name: np.float64(values[0]) for name, values in history.items()}
    steps = {f"step{i:02}": (b - a) / RATE for i, (a, b) in enumerate(zip(before, after, strict=True))}
    return losses | steps


if __name__ == "__main__":
    import numpy

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    place, out, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    make_virtual_processors()
    numpy.savez(out, **one_step(place, [f"cpu:{i}" for i in range(count)]))
