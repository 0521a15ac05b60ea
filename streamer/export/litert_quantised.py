"""Smaller LiteRT files, by Google's AI Edge Quantizer: convolutions alone, all else stays float32."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_quantizer import quantizer
from ai_edge_quantizer.calibrator import CalibrationMode

from streamer.export.frozen import layer_order
from streamer.export.litert import litert_convolutions
from streamer.export.precision import KEPT_FLOAT
from streamer.export.subject import Subject
from streamer.runtime import Frames, pad

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


def litert_quantised(
    data: bytes, subject: Subject, precision: str, frames: Frames | None, kept: tuple[str, ...] = KEPT_FLOAT
) -> bytes:
    """A float32 file in another precision.

    frames: (B, H, W, 3), which int8 is scaled by; kept: convolutions that stay float32 where others get 8 bits.
    """
    if precision == "none":
        return data
    outputs = dict(zip(layer_order(subject.config), litert_convolutions(data), strict=True))
    chosen = [name for layer, name in outputs.items() if precision == "float16" or layer not in kept]
    algorithm, config = HOW[precision]
    with _silence():
        work = quantizer.Quantizer(data)
        work.load_quantization_recipe(
            [
                {
                    "regex": f"^{re.escape(name)}(;|$)",
                    "operation": "CONV_2D",
                    "algorithm_key": algorithm,
                    "op_config": config,
                }
                for name in chosen
            ]
        )
        ranges = None
        if precision == "int8" and frames is not None:
            examples = {"serve": [_inputs(subject, frame, number) for number, frame in enumerate(frames)]}
            ranges = work.calibrate(examples, mode=CalibrationMode.CALIBRATION_PROFILER_BASED)
        return bytes(work.quantize(calibration_result=ranges).quantized_model)


def _inputs(subject: Subject, frame: Frames, number: int) -> dict[str, Any]:
    """Of the file's signature; the styles take turns."""
    if subject.is_frozen:
        return {"frames": frame[None]}
    batch = subject.batch(frame[None], subject.styles[number % len(subject.styles)].name)
    values = {name: getattr(batch, name) for name in ("modulation", "given", "mix", "carry")}
    return {"frames": np.asarray(pad(batch.frames)[0])} | values


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The quantizer prints what it does, and LiteRT warns that it is watched."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
