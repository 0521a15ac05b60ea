"""The style network as an ONNX graph, written down operator by operator.

Converters from TensorFlow keep its order of axes and wrap every convolution, which ONNX runtimes compute channels
first, in transpositions: 43 of them, where this graph has two, and no library between Keras and the file that has to
know both. It is the same network all the same, which the tests hold it to, output by output.

Names are those of the LiteRT graph (`streamer.compiled`), but for the frames that come out: in ONNX an output cannot
be called what an input is, so they are `styled`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from streamer.kernels import EPSILON
from streamer.trunk import TrunkConfig, Weights

OPSET, IR_VERSION = 18, 10  # of 2022 and 2024: what TensorRT 10 and ONNX Runtime from 1.18 on read
FRAMES, STYLED = "frames", "styled"


class Graph:
    """Nodes and constants in the making. Every method adds what it says and returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._known: dict[str, str] = {}

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """An operator with one output."""
        output = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def split(self, source: str, widths: Sequence[int]) -> list[str]:
        """(B, sum of widths) -> one (B, width) each."""
        names = [f"{source}_{number}" for number in range(len(widths))]
        sizes = self.constant(np.asarray(widths, np.int64))
        self.nodes.append(helper.make_node("Split", [source, sizes], names, name=f"split_{source}", axis=1))
        return names

    def constant(self, values: NDArray[Any] | float, name: str = "") -> str:
        """A constant; of equal ones without a name of their own there is one."""
        array = np.asarray(values, np.float32) if isinstance(values, float) else np.ascontiguousarray(values)
        key = name or f"{array.dtype}{array.shape}{array.tobytes().hex()}"
        if key not in self._known:
            self._known[key] = name or f"constant_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]


class Conditioning(Protocol):
    """What comes after a convolution, and after the last."""

    def normalise(self, graph: Graph, x: str) -> str:
        """Conditional instance normalisation of (B, C, H, W)."""
        ...

    def compose(self, graph: Graph, painted: str, half: str) -> str:
        """The frame's 12 sub-pixel channels of what was painted and of the input."""
        ...


class StyleInputs:
    """Style and statistics as inputs of the graph; `streamer.model` says what they are."""

    def __init__(self, graph: Graph, config: TrunkConfig) -> None:
        widths = config.norm_widths()
        rows = graph.split("modulation", [part for width in widths for part in (width, width)] + [3, 3, 3])
        self._rows = iter(zip(rows[0:-3:2], rows[1:-3:2], strict=True))
        self._terms = rows[-3:]
        kept = graph.add("Mul", "carry", "given", name="kept")
        self._kept: Iterator[str] = iter(graph.split(kept, [2 * width for width in widths]))
        self._widths = iter(widths)
        self.used: list[str] = []
        self.own: list[str] = []

    def normalise(self, graph: Graph, x: str) -> str:
        """By the statistics that are to be used, which are written down."""
        mean, second = self._statistics(graph, x)
        variance = graph.add("Sub", second, graph.add("Mul", mean, mean))
        variance = graph.add("Max", variance, graph.constant(0.0))
        deviation = graph.add("Sqrt", graph.add("Add", variance, graph.constant(EPSILON)))
        gamma, beta = next(self._rows)
        scale = graph.add("Div", gamma, deviation)
        shift = graph.add("Sub", beta, graph.add("Mul", mean, scale))
        return graph.add("Add", graph.add("Mul", x, _per_channel(graph, scale)), _per_channel(graph, shift))

    def _statistics(self, graph: Graph, x: str) -> list[str]:
        axes = graph.constant(np.array([2, 3]))
        moments = [graph.add("ReduceMean", each, axes, keepdims=0) for each in (x, graph.add("Mul", x, x))]
        own = graph.add("Concat", *moments, axis=1)
        used = graph.add("Add", next(self._kept), graph.add("MatMul", "mix", own))
        self.own.append(own)
        self.used.append(used)
        width = next(self._widths)
        return graph.split(used, [width, width])

    def compose(self, graph: Graph, painted: str, half: str) -> str:
        """By the style's gain, bias and gate."""
        four = graph.constant(np.array([1, 4]))
        gain, bias, gate = (_per_channel(graph, graph.add("Tile", term, four)) for term in self._terms)
        painted = graph.add("Add", graph.add("Mul", painted, gain), bias)
        return graph.add("Add", painted, graph.add("Mul", half, gate))


def _per_channel(graph: Graph, values: str) -> str:
    """(B, C) -> (B, C, 1, 1)."""
    return graph.add("Unsqueeze", values, graph.constant(np.array([2, 3])))


class Body:
    """The convolutions of a network, of which `weights` has all by layer name."""

    def __init__(self, graph: Graph, config: TrunkConfig, weights: Weights, conditioning: Conditioning) -> None:
        self._graph = graph
        self._config = config
        self._weights = weights
        self._conditioning = conditioning

    def __call__(self, x: str) -> str:
        """(B, 3, H, W) of -1 to 1 -> the same, styled."""
        graph = self._graph
        half = graph.add("SpaceToDepth", x, blocksize=2)
        skip = self._relu(self._conv("stem", half, (1, 1, 1, 1), strides=[2, 2]))
        y = self._relu(self._edge("down", skip, strides=[2, 2]))
        for number, rate in enumerate(self._config.deep_dilations):
            y = self._residual(f"deep{number}", y, dilations=[rate, rate])
        y = self._upsample(self._conv("up", y))
        y = self._relu(self._conv("fuse", graph.add("Concat", y, skip, axis=1)))
        for number in range(self._config.blocks):
            y = self._residual(f"body{number}", y)
        y = self._upsample(self._conv("rise", y))
        y = self._relu(self._conv("head", graph.add("Concat", y, half, axis=1), (1, 1, 1, 1)))
        painted = self._conv("smooth", self._conv("paint", y, (1, 1, 1, 1)), (1, 1, 1, 1))
        return graph.add("DepthToSpace", self._conditioning.compose(graph, painted, half), blocksize=2, mode="DCR")

    def _relu(self, x: str) -> str:
        return self._graph.add("Relu", self._conditioning.normalise(self._graph, x))

    def _residual(self, name: str, y: str, **options: Any) -> str:
        z = self._relu(self._edge(f"{name}_0", y, **options))
        z = self._conditioning.normalise(self._graph, self._edge(f"{name}_1", z, **options))
        return self._graph.add("Add", y, z)

    def _conv(self, name: str, x: str, pads: Sequence[int] = (0, 0, 0, 0), **options: Any) -> str:
        kernel = self._weights[f"{name}/kernel"].transpose(3, 2, 0, 1)
        inputs = [x, self._graph.constant(kernel, f"{name}/kernel")]
        if (bias := self._weights.get(f"{name}/bias")) is not None:
            inputs.append(self._graph.constant(bias, f"{name}/bias"))
        return self._graph.add("Conv", *inputs, name=name, kernel_shape=kernel.shape[2:], pads=pads, **options)

    def _edge(self, name: str, x: str, **options: Any) -> str:
        """A 3x3 convolution that repeats the outermost cells (`streamer.layers.EdgeConv`)."""
        (stride, _), (rate, _) = options.get("strides", (1, 1)), options.get("dilations", (1, 1))
        missing = 2 * rate + 1 - stride
        before, after = missing // 2, missing - missing // 2
        pads = self._graph.constant(np.array([0, 0, before, before, 0, 0, after, after]))
        return self._conv(name, self._graph.add("Pad", x, pads, mode="edge"), **options)

    def _upsample(self, x: str) -> str:
        """`streamer.layers.upsample`, which is linear interpolation with the origin in the first cell."""
        scales = self._graph.constant(np.array([1, 1, 2, 2], np.float32))
        options = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
        return self._graph.add("Resize", x, "", scales, **options)


def from_bytes(graph: Graph, frames: str) -> str:
    """(B, H, W, 3) bytes -> (B, 3, H, W) of -1 to 1."""
    x = graph.add("Cast", frames, to=TensorProto.FLOAT)  # first of all: TensorRT has bytes at its doors only
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    return graph.add("Sub", graph.add("Mul", x, graph.constant(1 / 127.5)), graph.constant(1.0))


def to_bytes(graph: Graph, x: str) -> str:
    """The inverse, rounded; the graph's output."""
    x = graph.add("Mul", graph.add("Add", x, graph.constant(1.0)), graph.constant(127.5))
    x = graph.add("Add", x, graph.constant(0.5))  # the cast truncates
    x = graph.add("Clip", x, graph.constant(0.0), graph.constant(255.0))
    return graph.add("Cast", graph.add("Transpose", x, perm=[0, 2, 3, 1]), to=TensorProto.UINT8, name=STYLED)


def trunk_graph(config: TrunkConfig, weights: Weights) -> onnx.ModelProto:
    """The trunk with the style as an input; frames are padded already, as `streamer.runtime.pad` does it."""
    graph = Graph()
    style = StyleInputs(graph, config)
    to_bytes(graph, Body(graph, config, weights, style)(from_bytes(graph, FRAMES)))
    for name, parts in (("used", style.used), ("own", style.own)):
        graph.add("Concat", *parts, axis=1, name=name)
    inputs = [
        frames_value(FRAMES),
        _value("modulation", TensorProto.FLOAT, ["batch", config.modulation_size]),
        _value("given", TensorProto.FLOAT, ["batch", config.statistics_size]),
        _value("mix", TensorProto.FLOAT, ["batch", "batch"]),
        _value("carry", TensorProto.FLOAT, ["batch", 1]),
    ]
    outputs = [
        frames_value(STYLED),
        _value("used", TensorProto.FLOAT, ["batch", config.statistics_size]),
        _value("own", TensorProto.FLOAT, ["batch", config.statistics_size]),
    ]
    return whole_model(graph, inputs, outputs)


def frames_value(name: str) -> onnx.ValueInfoProto:
    """Frames at a graph's door: bytes, (B, H, W, 3), of any size and number."""
    return _value(name, TensorProto.UINT8, ["batch", "height", "width", 3])


def _value(name: str, kind: int, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def whole_model(graph: Graph, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
    """The graph as a model, checked."""
    whole = helper.make_graph(graph.nodes, "style_network", inputs, outputs, graph.constants)
    model = helper.make_model(
        whole, producer_name="streamer", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model, full_check=True)
    return model
