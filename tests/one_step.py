"""One step of plain SGD, in a process of its own: `python -m tests.one_step FOLDER OUT.npz DEVICES`, KERAS_BACKEND set.

Two virtual processors are made, and DEVICES of them used. Plain SGD, because Adam would hide a loss that is doubled.
FOLDER holds photographs; OUT gets each loss and each variable's gradient; and, as `own..`, what two steps of a run's
own optimiser, which clips gradients and averages weights, make of each variable.
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
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
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

    def learnt(optimizer: Any, steps: int) -> tuple[dict[str, Any], list[Any]]:
        trainer = Trainer(recipe, random_weights((4, 6, 96, 96, 8)))  # wide enough for `training.winograd`, too
        trainer.load(tiny.random_trunk(), {})  # frameworks draw different numbers
        compile_trainer(trainer, optimizer)
        before = [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]
        pairs = Pairs(paths, styles=2, batch=4, size=64, steps=steps)
        history = trainer.fit(pairs, verbose=0, shuffle=False).history
        after = [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]
        return history, [new - old for old, new in zip(before, after, strict=True)]

    with several(devices):
        history, changes = learnt(keras.optimizers.SGD(RATE), 1)
        _, by_own_optimizer = learnt(None, 2)
    found = {name: np.float64(values[0]) for name, values in history.items()}
    found |= {f"gradient{i:02}": -change / RATE for i, change in enumerate(changes)}
    return found | {f"own{i:02}": change for i, change in enumerate(by_own_optimizer)}


if __name__ == "__main__":
    import numpy

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    place, out, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    make_virtual_processors()
    numpy.savez(out, **one_step(place, [f"cpu:{i}" for i in range(count)]))
