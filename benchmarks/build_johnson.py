"""Rebuilds `streamer/library/bench/johnson.*`: the classic network that `streamer bench` compares ours with.

The network is defined in `streamer.bench.classic`; here it becomes a LiteRT graph. The file keeps zeros in the place of
its weights, which pack into a few kilobytes; `streamer.bench.johnson` draws random ones when it loads the graph. Needs
TensorFlow:

    .venv/bin/python benchmarks/build_johnson.py
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np

from streamer.bench.classic import RESIDUAL_BLOCKS, ClassicNetwork

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

FOLDER = Path(__file__).resolve().parent.parent / "streamer" / "library" / "bench"
HEIGHT, WIDTH = 360, 640
SMALLEST_KERNEL = 4096  # bytes; scales, shifts and shapes are smaller


def build() -> None:
    """Write the graph with zeros for weights, and the list of where they go."""
    import tensorflow as tf

    network = ClassicNetwork(tf)
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
