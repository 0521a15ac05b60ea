"""Smaller LiteRT graphs, by Google's AI Edge Quantizer: convolutions alone, all else stays float32."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from streamer.errors import MissingDependency

INT8 = {"num_bits": 8, "symmetric": True, "granularity": "CHANNELWISE", "dtype": "INT"}
ACTIVATIONS = {"num_bits": 8, "symmetric": False, "granularity": "TENSORWISE", "dtype": "INT"}
HOW: dict[str, tuple[str, dict[str, Any]]] = {
    "float16": (
        "float_casting",
        {
            "weight_tensor_config": {"num_bits": 16, "dtype": "FLOAT"},
            "compute_precision": "FLOAT",
            "explicit_dequantize": True,
        },
    ),
    # Kernels are stored in 8 bits, and what they meet is rounded to 8 bits by the range that each frame has there.
    "dynamic": (
        "min_max_uniform_quantize",
        {"weight_tensor_config": INT8, "compute_precision": "INTEGER", "explicit_dequantize": False},
    ),
    "int8": (
        "min_max_uniform_quantize",
        {
            "weight_tensor_config": INT8,
            "activation_tensor_config": ACTIVATIONS,
            "compute_precision": "INTEGER",
            "explicit_dequantize": False,
        },
    ),
}
Examples = Sequence[dict[str, Any]]  # inputs of a graph, by name


def quantised(
    graph: bytes, precision: str, convolutions: Sequence[str] | None = None, examples: Examples | None = None
) -> bytes:
    """A float32 graph in another precision, a key of HOW.

    convolutions: those that change, by the names of what they give; None is all. examples: what `int8` is scaled by.
    Raises MissingDependency without AI Edge Quantizer.
    """
    quantizer, profiling = _quantizer()
    algorithm, config = HOW[precision]
    chosen = [".*"] if convolutions is None else [f"^{re.escape(name)}(;|$)" for name in convolutions]
    common = {"operation": "CONV_2D", "algorithm_key": algorithm, "op_config": config}
    with _silence():
        work = quantizer.Quantizer(graph)
        work.load_quantization_recipe([common | {"regex": regex} for regex in chosen])
        ranges = work.calibrate({"serve": list(examples)}, mode=profiling) if examples else None
        return bytes(work.quantize(calibration_result=ranges).quantized_model)


def without_names(graph: bytes) -> bytes:
    """A graph whose tensors have no names, which are a tenth of a small one; it is called by its signature."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph))
    for part in model.subgraphs:
        for tensor in part.tensors:
            tensor.name = b""
    builder = flatbuffers.Builder(len(graph))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _quantizer() -> tuple[Any, Any]:
    """The quantizer's module, and how it is to measure ranges."""
    try:
        from ai_edge_quantizer import quantizer
        from ai_edge_quantizer.calibrator import CalibrationMode
    except ImportError as error:
        raise MissingDependency(
            "An 8-bit graph needs the package ai-edge-quantizer: "
            "pip install '.[train]' in the checkout, or make train-env."
        ) from error
    return quantizer, CalibrationMode.CALIBRATION_PROFILER_BASED


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The quantizer prints what it does, and LiteRT warns that it is watched."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
