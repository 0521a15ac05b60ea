"""ONNX: `NAME.onnx`, for ONNX Runtime, browsers and TensorRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnxruntime  # noqa: F401  that it is not there is better known before a graph is made
from onnx import helper

from streamer.export.frozen import fold
from streamer.export.onnx_frozen import frozen_graph
from streamer.export.subject import Subject
from streamer.kernels import whole_weights
from streamer.onnx_graph import trunk_graph
from streamer.onnx_runtime import OnnxRuntime, onnx_session

SUFFIX = ".onnx"


def onnx_model(subject: Subject) -> onnx.ModelProto:
    """The model in float32, with its metadata."""
    if subject.is_frozen:
        model = frozen_graph(subject.config, fold(subject.trunk, subject.row(), subject.statistics))
    else:
        model = trunk_graph(subject.config, whole_weights(subject.trunk))
    helper.set_model_props(model, subject.facts())
    return model


def onnx_answer(path: Path, subject: Subject, threads: int | None = None) -> Any:
    """Runs the file in ONNX Runtime: see `streamer.export.check.Answer`."""
    if not subject.is_frozen:
        trunk = OnnxRuntime(path.read_bytes(), threads)
        return lambda batch: trunk.run(batch).frames
    session = onnx_session(path.read_bytes(), threads)
    return lambda batch: session.run(["styled"], {"frames": batch.frames})[0]
