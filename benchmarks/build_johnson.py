"""Rebuilds `streamer/library/bench/johnson.*`: the classic network that `streamer bench` compares ours with.

The image-transformation network of Johnson et al. 2016 with instance normalisation and transposed convolutions, layer
by layer as in the widely used implementation of Logan Engstrom (fast-style-transfer, `transform.py`), for speed only:
its weights are random. The file keeps zeros in their place, which pack into a few kilobytes; `streamer.bench.johnson`
draws the numbers when it loads the graph. Needs TensorFlow:

    .venv/bin/python benchmarks/build_johnson.py
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

FOLDER = Path(__file__).resolve().parent.parent / "streamer" / "library" / "bench"
HEIGHT, WIDTH = 360, 640
RESIDUAL_BLOCKS = 5
SMALLEST_KERNEL = 4096  # bytes; scales, shifts and shapes are smaller


class Johnson:
    """Builds the network's graph, drawing weights as it goes."""

    def __init__(self, tf: Any) -> None:
        self._tf = tf
        self._rng = np.random.default_rng(0)
        self.parameters = 0

    def __call__(self, frames: Any) -> Any:
        """uint8 (1, H, W, 3) to uint8 (1, H, W, 3)."""
        tf = self._tf
        x = tf.cast(frames, tf.float32) / 255.0
        x = tf.nn.relu(self.conv(x, 32, 9))
        x = tf.nn.relu(self.conv(x, 64, 3, 2))
        x = tf.nn.relu(self.conv(x, 128, 3, 2))
        for _ in range(RESIDUAL_BLOCKS):
            x = x + self.conv(tf.nn.relu(self.conv(x, 128, 3)), 128, 3)
        x = tf.nn.relu(self.rise(x, 64))
        x = tf.nn.relu(self.rise(x, 32))
        x = tf.tanh(self.conv(x, 3, 9)) * 150.0 + 255.0 / 2
        return tf.cast(tf.clip_by_value(x + 0.5, 0.0, 255.0), tf.uint8)

    def conv(self, x: Any, width: int, size: int, stride: int = 1) -> Any:
        """A convolution and its normalisation."""
        kernel = self._draw((size, size, x.shape[-1], width), size * size * x.shape[-1])
        return self.normalise(self._tf.nn.conv2d(x, kernel, stride, "SAME"))

    def rise(self, x: Any, width: int) -> Any:
        """A transposed convolution of stride 2 and its normalisation."""
        kernel = self._draw((3, 3, width, x.shape[-1]), 9 * x.shape[-1])
        shape = (1, 2 * x.shape[1], 2 * x.shape[2], width)
        return self.normalise(self._tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME"))

    def normalise(self, x: Any) -> Any:
        """Instance normalisation by the frame's own statistics, with scale and shift."""
        tf = self._tf
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        scale, shift = self._draw((x.shape[-1],), 1), self._draw((x.shape[-1],), 1)
        return scale * ((x - mean) / (variance + 1e-3) ** 0.5) + shift

    def _draw(self, shape: tuple[int, ...], inputs: int) -> np.ndarray:
        values = self._rng.normal(0, np.sqrt(2 / inputs), shape).astype(np.float32)
        self.parameters += values.size
        return values


def build() -> None:
    """Write the graph with zeros for weights, and the list of where they go."""
    import tensorflow as tf

    network = Johnson(tf)
    signature = tf.TensorSpec((1, HEIGHT, WIDTH, 3), tf.uint8, name="frames")
    serve = tf.function(lambda frames: {"frames": network(frames)}).get_concrete_function(signature)
    graph = bytearray(tf.lite.TFLiteConverter.from_concrete_functions([serve], tf.Module()).convert())
    places = _blank(graph)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "johnson.tflite.gz").write_bytes(gzip.compress(bytes(graph), 9, mtime=0))
    facts = {"height": HEIGHT, "width": WIDTH, "parameters": network.parameters, "macs": _macs(), "kernels": places}
    (FOLDER / "johnson.json").write_text(json.dumps(facts, indent=1) + "\n")


def _blank(graph: bytearray) -> list[dict[str, float]]:
    """Put zeros in the place of all kernels in the graph; returns where those are and how to fill them."""
    from ai_edge_litert import schema_py_generated as schema

    places = []
    for buffer in schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytes(graph), 0)).buffers:
        if buffer.data is None or len(buffer.data) < SMALLEST_KERNEL:
            continue
        values = np.asarray(buffer.data, np.uint8)
        at = graph.find(values.tobytes())
        deviation = round(float(values.view(np.float32).std()), 6)
        places.append({"offset": at, "floats": values.nbytes // 4, "deviation": deviation})
        graph[at : at + values.nbytes] = bytes(values.nbytes)
    return places


def _macs() -> int:
    """Multiply-adds of all convolutions of one frame."""
    full, half, quarter = (HEIGHT * WIDTH // step**2 for step in (1, 2, 4))
    ends = 2 * full * 81 * 3 * 32
    strided = half * 9 * 32 * 64 + quarter * 9 * 64 * 128
    transposed = quarter * 9 * 128 * 64 + half * 9 * 64 * 32
    return ends + strided + transposed + 2 * RESIDUAL_BLOCKS * quarter * 9 * 128 * 128


if __name__ == "__main__":
    build()
