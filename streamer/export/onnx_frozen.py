"""One style for good as an ONNX graph: `streamer.onnx_graph` with the style folded into its weights."""

from __future__ import annotations

import numpy as np
import onnx

from streamer.export.frozen import Folded
from streamer.geometry import BORDER, STRIDE
from streamer.kernels import EPSILON
from streamer.onnx_graph import FRAMES, STYLED, Body, Graph, frames_value, from_bytes, to_bytes, whole_model
from streamer.trunk import TrunkConfig


class FixedStyle:
    """A style folded into the weights (`streamer.export.frozen`)."""

    def __init__(self, folded: Folded) -> None:
        self._affine = iter(folded.affine)
        self._is_affine = bool(folded.affine)
        self._gate = folded.gate

    def normalise(self, graph: Graph, x: str) -> str:
        """By each frame's own statistics, or not any more."""
        if not self._is_affine:
            return x
        scale, shift = (graph.constant(values) for values in next(self._affine))
        return graph.add("InstanceNormalization", x, scale, shift, epsilon=EPSILON)

    def compose(self, graph: Graph, painted: str, half: str) -> str:
        """Gain and bias are in the last convolution."""
        if not self._gate.any():
            return painted
        gate = graph.constant(self._gate.reshape(1, -1, 1, 1))
        return graph.add("Add", painted, graph.add("Mul", half, gate))


def frozen_graph(config: TrunkConfig, folded: Folded) -> onnx.ModelProto:
    """One style for good: frames of any size from BORDER + STRIDE on, padded and cropped inside."""
    graph = Graph()
    height, width = (graph.add("Shape", FRAMES, start=axis, end=axis + 1) for axis in (1, 2))
    x = _padded(graph, from_bytes(graph, FRAMES), height, width)
    x = Body(graph, config, folded.weights, FixedStyle(folded))(x)
    border = graph.constant(np.array([BORDER, BORDER]))
    ends = graph.add("Add", graph.add("Concat", height, width, axis=0), border)
    to_bytes(graph, graph.add("Slice", x, border, ends, graph.constant(np.array([2, 3]))))
    return whole_model(graph, [frames_value(FRAMES)], [frames_value(STYLED)])


def _padded(graph: Graph, x: str, height: str, width: str) -> str:
    """(B, 3, H, W) with a reflected border, as `streamer.geometry.padding` reckons it."""
    stride, border = graph.constant(np.array([STRIDE])), graph.constant(np.array([BORDER]))
    # Both sides together are a multiple of STRIDE, so what is missing is a side's own rest.
    bottom, right = (
        graph.add("Add", graph.add("Mod", graph.add("Neg", side), stride), border) for side in (height, width)
    )
    none = graph.constant(np.array([0, 0]))
    pads = graph.add("Concat", none, border, border, none, bottom, right, axis=0)
    return graph.add("Pad", x, pads, mode="reflect")
