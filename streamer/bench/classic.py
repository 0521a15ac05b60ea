"""The classic network of Johnson et al. 2016 as TensorFlow runs it: the other candidate for its fastest runtime.

The image-transformation network with instance normalisation and transposed convolutions, layer by layer as in the
widely used implementation of Logan Engstrom (fast-style-transfer, `transform.py`), with random weights: for speed only.
`benchmarks/build_johnson.py` makes the LiteRT graph of `streamer.bench.johnson` from the same definition.

`main`, run in a process of its own that keeps TensorFlow's threads and memory to itself, measures one frame for every
line that it reads. TensorFlow is optional, and imported nowhere else.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.bench.child import Child
from streamer.errors import MissingDependency

RESIDUAL_BLOCKS = 5


class ClassicNetwork:
    """Builds the network's graph, drawing weights as it goes; `parameters` counts them."""

    def __init__(self, tf: Any) -> None:
        self._tf = tf
        self._rng = np.random.default_rng(0)
        self.parameters = 0

    def __call__(self, frames: Any) -> Any:
        """uint8 (1, H, W, 3) to uint8 (1, H, W, 3)."""
        tf = self._tf
        x = tf.cast(frames, tf.float32) / 255.0
        x = tf.nn.relu(self._conv(x, 32, 9))
        x = tf.nn.relu(self._conv(x, 64, 3, 2))
        x = tf.nn.relu(self._conv(x, 128, 3, 2))
        for _ in range(RESIDUAL_BLOCKS):
            x = x + self._conv(tf.nn.relu(self._conv(x, 128, 3)), 128, 3)
        x = tf.nn.relu(self._rise(x, 64))
        x = tf.nn.relu(self._rise(x, 32))
        x = tf.tanh(self._conv(x, 3, 9)) * 150.0 + 255.0 / 2
        return tf.cast(tf.clip_by_value(x + 0.5, 0.0, 255.0), tf.uint8)

    def _conv(self, x: Any, width: int, size: int, stride: int = 1) -> Any:
        """A convolution and its normalisation."""
        kernel = self._draw((size, size, x.shape[-1], width), size * size * x.shape[-1])
        return self._normalise(self._tf.nn.conv2d(x, kernel, stride, "SAME"))

    def _rise(self, x: Any, width: int) -> Any:
        """A transposed convolution of stride 2 and its normalisation."""
        kernel = self._draw((3, 3, width, x.shape[-1]), 9 * x.shape[-1])
        shape = (1, 2 * x.shape[1], 2 * x.shape[2], width)
        return self._normalise(self._tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME"))

    def _normalise(self, x: Any) -> Any:
        """Instance normalisation by the frame's own statistics, with scale and shift."""
        mean, variance = self._tf.nn.moments(x, [1, 2], keepdims=True)
        scale, shift = self._draw((x.shape[-1],), 1), self._draw((x.shape[-1],), 1)
        return scale * ((x - mean) / (variance + 1e-3) ** 0.5) + shift

    def _draw(self, shape: tuple[int, ...], inputs: int) -> NDArray[np.float32]:
        values = self._rng.normal(0, np.sqrt(2 / inputs), shape).astype(np.float32)
        self.parameters += values.size
        return values


def classic_function(tf: Any, height: int, width: int) -> Any:
    """The network as a `tf.function` of one uint8 frame (1, height, width, 3)."""
    network = ClassicNetwork(tf)
    signature = [tf.TensorSpec((1, height, width, 3), tf.uint8, name="frames")]
    return tf.function(lambda frames: network(frames), input_signature=signature)


def limit_threads(tf: Any, threads: int) -> None:
    """So many threads for each operation, one operation at a time. Before TensorFlow has run anything."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


class TensorFlowJohnson(Child):
    """The network in TensorFlow, on the CPU, in a process of its own."""

    def __init__(self, threads: int, picture: NDArray[np.uint8], folder: Path) -> None:
        """picture: (H, W, 3), handed over as a file in `folder`. Raises MissingDependency without TensorFlow."""
        if importlib.util.find_spec("tensorflow") is None:
            raise MissingDependency(
                "Johnson's network was not measured in TensorFlow because TensorFlow is not installed."
            )
        path = folder / "picture.npy"
        np.save(path, picture)
        quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        super().__init__(__name__, str(threads), str(path), environment=quiet)
        try:
            self.ask()
        except OSError as error:
            self.close()
            raise MissingDependency(f"Johnson's network was not measured in TensorFlow: {error}") from error

    def __call__(self) -> tuple[float, float]:
        """Wall-clock and CPU seconds that one frame takes now. Raises OSError when the process has gone."""
        wall, cpu = self.ask()
        return wall, cpu


def main() -> None:
    """Measure for every line of stdin; write the wall-clock and CPU seconds of one frame to stdout."""
    import tensorflow as tf

    picture = np.load(sys.argv[2])
    limit_threads(tf, int(sys.argv[1]))
    run = classic_function(tf, *picture.shape[:2])
    run(tf.constant(picture[None])).numpy()  # the first traces, and is not counted
    for _ in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        run(tf.constant(picture[None])).numpy()
        sys.stdout.write(f"{time.perf_counter() - wall!r} {time.process_time() - cpu!r}\n")
        sys.stdout.flush()
