"""Gradients overflow on one of two virtual processors: `python -m tests.one_overflow`, under TensorFlow.

Prints, for a step without an overflow, one for each device's and one without: whether weights are finite and moved,
and the scale of the loss after it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.one_step import make_virtual_processors

DEVICES_THAT_OVERFLOW = (None, 0, 1, None)


def what_steps_do(folder: Path) -> list[dict[str, float]]:
    import keras
    import numpy as np
    import tensorflow as tf

    from tests.lessons import tiny_recipe
    from training.devices import several
    from training.optimizer import make_optimizer

    def of_first(variable: keras.Variable) -> np.ndarray:
        return np.array(variable.value.values[0])

    found = []
    with several(["CPU:0", "CPU:1"]):
        strategy = tf.distribute.get_strategy()
        weights = keras.Variable(np.ones((3, 3, 4, 8), np.float32), name="kernel")
        optimizer = make_optimizer(tiny_recipe(folder, precision="mixed_float16"))
        optimizer.build([weights])

        def learn(overflows: tf.Tensor) -> None:
            device = tf.distribute.get_replica_context().replica_id_in_sync_group
            size = tf.where(tf.equal(device, overflows), np.float32("inf"), np.float32(1))
            optimizer.apply([tf.ones((3, 3, 4, 8)) * size], [weights])

        step = tf.function(lambda overflows: strategy.run(learn, args=(overflows,)))
        for device in DEVICES_THAT_OVERFLOW:
            before = of_first(weights)
            step(tf.constant(-1 if device is None else device))
            after = of_first(weights)
            found.append(
                {
                    "finite": bool(np.isfinite(after).all()),
                    "moved": bool(np.any(after != before)),
                    "scale": float(of_first(optimizer.dynamic_scale)),
                }
            )
    return found


if __name__ == "__main__":
    make_virtual_processors()
    with TemporaryDirectory() as place:
        sys.stdout.write(json.dumps(what_steps_do(Path(place))))
