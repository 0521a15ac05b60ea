"""Smaller ONNX files, by ONNX Runtime's quantiser: convolutions alone, all else stays float32."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from streamer.export.precision import KEPT_FLOAT
from streamer.export.subject import Subject
from streamer.runtime import Frames, pad


def onnx_quantised(
    model: onnx.ModelProto, subject: Subject, precision: str, frames: Frames | None, kept: tuple[str, ...] = KEPT_FLOAT
) -> bytes:
    """A float32 model in another precision.

    frames: (B, H, W, 3), which int8 is scaled by; kept: convolutions that stay float32 where others get 8 bits.
    """
    if precision == "none":
        return bytes(model.SerializeToString())
    if precision == "float16":
        return bytes(_halved(model).SerializeToString())
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
        whole = Path(folder) / "whole.onnx"
        onnx.save(model, whole)
        quant_pre_process(whole, plain, skip_symbolic_shape=True)
        options: dict[str, Any] = {
            "op_types_to_quantize": ["Conv"],
            "nodes_to_exclude": list(kept),
            "weight_type": QuantType.QInt8,
            "per_channel": True,
        }
        if precision == "dynamic" or frames is None:
            quantize_dynamic(plain, small, **options | {"weight_type": QuantType.QUInt8, "per_channel": False})
        else:
            examples = _Examples(subject, frames)
            quantize_static(plain, small, examples, activation_type=QuantType.QUInt8, **options)
        return small.read_bytes()


def _halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Kernels in float16, cast back as a runtime loads them: it computes as before, and the file is half as large."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    casts = []
    for number, tensor in enumerate(model.graph.initializer):
        if len(tensor.dims) != 4 or tensor.data_type != TensorProto.FLOAT:
            continue
        name = f"{tensor.name}/half"
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name)
        small.graph.initializer[number].CopyFrom(half)
        casts.append(helper.make_node("Cast", [name], [tensor.name], name=f"{tensor.name}/whole", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del small.graph.node[:]
    small.graph.node.extend(nodes)
    return small


class _Examples(CalibrationDataReader):  # type: ignore[misc]
    """Frames as the model takes them; the styles take turns."""

    def __init__(self, subject: Subject, frames: Frames) -> None:
        self._inputs: Iterator[dict[str, Any]] = (_inputs(subject, frame, n) for n, frame in enumerate(frames))

    def get_next(self) -> dict[str, Any] | None:
        """The next one, or None."""
        return next(self._inputs, None)


def _inputs(subject: Subject, frame: Frames, number: int) -> dict[str, Any]:
    if subject.is_frozen:
        return {"frames": frame[None]}
    batch = subject.batch(frame[None], subject.styles[number % len(subject.styles)].name)
    values = {name: getattr(batch, name) for name in ("modulation", "given", "mix", "carry")}
    return {"frames": np.asarray(pad(batch.frames)[0])} | values
