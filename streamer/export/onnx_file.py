"""ONNX: `NAME.onnx`, for ONNX Runtime, browsers and TensorRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from streamer.export.frozen import fold, whole_weights
from streamer.export.onnx_graph import frozen_graph, trunk_graph
from streamer.export.subject import Subject
from streamer.runtime import Batch, Styled, pad

SUFFIX = ".onnx"
OUTPUTS = ("styled", "used", "own")


def onnx_model(subject: Subject) -> onnx.ModelProto:
    """The model in float32, with its metadata."""
    if subject.is_frozen:
        model = frozen_graph(subject.config, fold(subject.trunk, subject.row(), subject.statistics))
    else:
        model = trunk_graph(subject.config, whole_weights(subject.trunk))
    helper.set_model_props(model, subject.facts())
    return model


class OnnxTrunk:
    """An exported trunk in ONNX Runtime, on the CPU: `streamer.runtime.Runtime` but for tiles."""

    name = "ONNX Runtime"
    batch_size = 1

    def __init__(self, path: Path, threads: int = 0) -> None:
        """threads: 0 is all cores."""
        self._session: Any = onnx_session(path, threads)

    def run(self, batch: Batch) -> Styled:
        """Style a batch."""
        padded, inside = pad(batch.frames)
        values = {"modulation": batch.modulation, "given": batch.given, "mix": batch.mix, "carry": batch.carry}
        frames, used, own = self._session.run(OUTPUTS, {"frames": padded, **values})
        return Styled(np.ascontiguousarray(frames[:, *inside]), used, own)

    def close(self) -> None:
        """Drop the session."""
        self._session = None


def onnx_answer(path: Path, subject: Subject, threads: int = 0) -> Any:
    """Runs the file in ONNX Runtime: see `streamer.export.check.Answer`."""
    if not subject.is_frozen:
        trunk = OnnxTrunk(path, threads)
        return lambda batch: trunk.run(batch).frames
    session = onnx_session(path, threads)
    return lambda batch: session.run(["styled"], {"frames": batch.frames})[0]


def onnx_session(path: Path, threads: int = 0) -> Any:
    """A session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
