"""What limits a device that Keras computes on, measured: its arithmetic, its memory, the way there and back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np


def matrix_rate(side: int, dtype: str) -> float:
    """FLOP a second of a product of two large square matrices."""
    from keras import ops

    left = ops.cast(np.random.default_rng(0).standard_normal((side, side), np.float32), dtype)
    seconds = _best(lambda: ops.matmul(left, left))
    return 2 * side**3 / seconds


def memory_rate(values: int) -> float:
    """Bytes a second that the device reads and writes when it adds to a large array of float32."""
    from keras import ops

    array = ops.zeros((values,), "float32")
    return 2 * 4 * values / _best(lambda: ops.add(array, 1.0))


def copy_seconds(size: tuple[int, int], count: int = 8) -> float:
    """Seconds that a frame of this size (height, width) takes to the device and back, `count` at once."""
    from keras import ops

    frames = np.zeros((count, *size, 3), np.uint8)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        # Bitwise, so that neither way can be saved: the array that comes back is another than the one that went.
        np.array(ops.convert_to_numpy(ops.bitwise_or(ops.convert_to_tensor(frames), 1)))
        seconds.append(time.perf_counter() - began)
    return min(seconds) / count


def _best(work: Callable[[], Any], repeats: int = 10) -> float:
    """Seconds of one call, several in a row without waiting in between, since a device works behind one's back."""
    from keras import ops

    def wait(result: Any) -> None:
        ops.convert_to_numpy(ops.ravel(result)[:1])

    wait(work())
    found = []
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(repeats):
            result = work()
        wait(result)
        found.append((time.perf_counter() - began) / repeats)
    return min(found)


def allow_tf32(allowed: bool) -> None:
    """Whether the device may round factors of float32 products to 10 bits, which is TF32; a backend-wide setting."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(allowed)
    elif keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if allowed else "highest")


def device_facts() -> dict[str, Any]:
    """The accelerator that Keras computes on, or the processor, and the versions of what drives it."""
    import keras

    backend = keras.backend.backend()
    name = "cpu"
    if backend == "tensorflow":
        import tensorflow as tf

        if gpus := tf.config.list_physical_devices("GPU"):
            name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu")
        version = tf.__version__
    else:
        module = __import__(backend)
        name = module.devices()[0].device_kind if backend == "jax" else name
        version = module.__version__
    return {"device": name, "backend": backend, "backend_version": version, "keras": keras.__version__}
