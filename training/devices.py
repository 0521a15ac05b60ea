"""Several devices share every batch: `tf.distribute` under TensorFlow, `keras.distribution` under JAX.

A processor counts as one device; its cores work together within an operation already.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras


def accelerators() -> list[str]:
    """The GPUs or TPUs of this machine, as `several` takes them; none where there are only processors."""
    if keras.backend.backend() == "jax":
        import jax

        return [f"{device.platform}:{device.id}" for device in jax.devices() if device.platform != "cpu"]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("GPU")]
    return []


def sharing(batch: int, accumulate: int, devices: Sequence[str]) -> list[str]:
    """As many of the devices as can share a batch evenly; under TensorFlow one alone can accumulate gradients."""
    if accumulate > 1 and keras.backend.backend() == "tensorflow":  # Keras branches there, which tf.distribute forbids
        devices = devices[:1]
    count = max(n for n in range(1, max(1, min(batch, len(devices))) + 1) if batch % n == 0)
    return list(devices[:count])


@contextlib.contextmanager
def several(devices: Sequence[str]) -> Iterator[None]:
    """Networks that are built and fitted inside are copied to all the devices; each takes an equal part of a batch."""
    if len(devices) < 2:
        yield
    elif keras.backend.backend() == "jax":
        with keras.distribution.DataParallel(devices=list(devices), auto_shard_dataset=False).scope():
            yield
    else:
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(list(devices)).scope():
            yield


def sum_over_devices(values: Sequence[Any]) -> list[Any]:
    """Inside a training step: the sum of what each device has, on every device."""
    import tensorflow as tf

    return list(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, list(values)))


def replicas() -> int:
    """On how many devices the loss is computed apart, its gradients summed; JAX sees a batch whole."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)
