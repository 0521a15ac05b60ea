"""The Keras runtime: the network itself, on a GPU in batches and mixed precision, on whichever backend Keras has."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import MissingDependency
from streamer.runtime import Batch, Styled
from streamer.trunk import Trunk


def gpu_count() -> int:
    """GPUs that the Keras backend sees; 0 when there is none or Keras is not installed."""
    try:
        import keras

        return len(keras.distribution.list_devices("gpu"))
    except (ImportError, RuntimeError):
        return 0


class KerasRuntime:
    """Runs the Keras network. Mixed precision keeps normalisation statistics in float32."""

    def __init__(
        self, trunk: Trunk, *, precision: str | None = None, batch_size: int = 8, on_cpu: bool = False
    ) -> None:
        """precision: a Keras policy; default mixed_float16 on a GPU, float32 without one. on_cpu: leave a GPU alone.

        Raises MissingDependency when Keras or its backend is not installed.
        """
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            import keras

            from streamer.model import ByteNetwork, FrameNetwork, load_network
        except ImportError as error:
            raise MissingDependency(
                "Styling with Keras, on a GPU or not, needs TensorFlow: "
                "pip install '.[train]' in the checkout, or make train-env."
            ) from error
        on_gpu = not on_cpu and gpu_count() > 0
        self._place = functools.partial(keras.device, "cpu:0") if on_cpu else contextlib.nullcontext
        self.precision = precision or ("mixed_float16" if on_gpu else "float32")
        self.name = f"Keras on {keras.backend.backend()} ({self.precision})"
        self.batch_size = batch_size
        with self._place():
            self._tiles: Any = ByteNetwork(load_network(trunk, self.precision))
        self._frames: Any = FrameNetwork(self._tiles)
        # XLA's CPU convolutions are several times slower than oneDNN's; on a GPU Keras decides.
        tensorflow_cpu = keras.backend.backend() == "tensorflow" and not on_gpu
        self._frames.compile(jit_compile=False if tensorflow_cpu else "auto")

    def run(self, batch: Batch) -> Styled:
        """Style a batch."""
        with self._place():
            return self._run(batch)

    def _run(self, batch: Batch) -> Styled:
        inputs = {name: getattr(batch, name) for name in ("frames", "modulation", "given", "mix", "carry")}
        if batch.margins is not None:
            outputs = self._tiles({**inputs, "margins": np.asarray(batch.margins, np.int32)})
            return Styled(*(np.asarray(outputs[name]) for name in ("frames", "used", "own")))
        count = len(batch.frames)
        outputs = self._frames.predict_on_batch(_filled_up(inputs, count))
        return Styled(*(outputs[name][:count] for name in ("frames", "used", "own")))

    def close(self) -> None:
        """Drop the network."""
        self._tiles = self._frames = None


def _filled_up(inputs: dict[str, NDArray[Any]], count: int) -> dict[str, NDArray[Any]]:
    """The batch, filled up to a power of two with zeros: a compiler works for each number of frames, so few it is."""
    missing = (1 << (count - 1).bit_length()) - count
    if not missing:
        return inputs
    spread = {"mix": [(0, missing), (0, missing)]}
    return {
        name: np.pad(value, spread.get(name, [(0, missing), *[(0, 0)] * (value.ndim - 1)]))
        for name, value in inputs.items()
    }
