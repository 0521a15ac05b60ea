"""The classic network of Johnson et al. 2016, as a yardstick of speed: 1.68 million parameters, random weights.

`benchmarks/build_johnson.py` makes the graph. It is shipped with zeros for weights, a few kilobytes; they are drawn
here, because zeros would make a processor faster than it is.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import MissingDependency

FOLDER = Path(__file__).resolve().parent.parent / "library" / "bench"


class Johnson:
    """The network in the same runtime, with as many threads, as ours."""

    def __init__(self, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingDependency("The CPU runtime needs the package ai-edge-litert.") from error
        facts: dict[str, Any] = json.loads((FOLDER / "johnson.json").read_text(encoding="utf-8"))
        self.height, self.width = int(facts["height"]), int(facts["width"])
        self.parameters, self.macs = int(facts["parameters"]), int(facts["macs"])
        self._interpreter = Interpreter(model_content=_filled(facts["kernels"]), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 RGB (height, width, 3) in, the same out."""
        self._interpreter.set_tensor(self._input, frame[None])
        self._interpreter.invoke()
        styled: NDArray[np.uint8] = self._interpreter.get_tensor(self._output)[0]
        return styled


def _filled(kernels: list[dict[str, float]]) -> bytes:
    """The graph with random numbers of each kernel's own deviation in their places."""
    graph = bytearray(gzip.decompress((FOLDER / "johnson.tflite.gz").read_bytes()))
    rng = np.random.default_rng(0)
    for kernel in kernels:
        offset, count = int(kernel["offset"]), int(kernel["floats"])
        values = rng.standard_normal(count, np.float32) * np.float32(kernel["deviation"])
        graph[offset : offset + values.nbytes] = values.tobytes()
    return bytes(graph)
