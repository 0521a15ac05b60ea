"""ONNX: `NAME.onnx`, for ONNX Runtime, browsers and TensorRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from streamer.errors import MissingDependency
from streamer.export.subject import Subject
from streamer.layers import binomial_on_subpixels
from streamer.runtime import Batch, Styled, pad
from streamer.trunk import Weights

NEEDED = "ONNX files need onnx and onnxruntime: pip install '.[train,export]' in the checkout, or make train-env."
SUFFIX = ".onnx"


def whole_weights(subject: Subject) -> Weights:
    """The trunk's weights and the fixed kernel, by layer name."""
    smooth = ops.convert_to_numpy(binomial_on_subpixels((3, 3, 12, 12)))
    return subject.trunk.weights | {"smooth/kernel": smooth}


def onnx_bytes(subject: Subject) -> bytes:
    """The file in float32. Raises MissingDependency without the package onnx."""
    try:
        from onnx import helper

        from streamer.export.onnx_graph import trunk_graph
    except ImportError as error:
        raise MissingDependency(NEEDED) from error
    model = trunk_graph(subject.config, whole_weights(subject))
    helper.set_model_props(model, subject.facts())
    return bytes(model.SerializeToString())


class OnnxTrunk:
    """An exported trunk in ONNX Runtime, on the CPU: `streamer.runtime.Runtime` but for tiles."""

    name = "ONNX Runtime"
    batch_size = 1

    def __init__(self, path: Path, threads: int = 0) -> None:
        """threads: 0 is all cores. Raises MissingDependency without ONNX Runtime."""
        self._session: Any = onnx_session(path, threads)

    def run(self, batch: Batch) -> Styled:
        """Style a batch."""
        padded, inside = pad(batch.frames)
        values = {"modulation": batch.modulation, "given": batch.given, "mix": batch.mix, "carry": batch.carry}
        frames, used, own = self._session.run(["styled", "used", "own"], {"frames": padded, **values})
        return Styled(np.ascontiguousarray(frames[:, *inside]), used, own)

    def close(self) -> None:
        """Drop the session."""
        self._session = None


def onnx_session(path: Path, threads: int = 0) -> Any:
    """A session on the CPU. Raises MissingDependency without ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependency(NEEDED) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
