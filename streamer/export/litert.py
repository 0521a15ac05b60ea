"""LiteRT: `NAME.tflite`, for phones and small computers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from streamer.compiled import frames_signature, litert_graph, trunk_signature
from streamer.export.frozen import FrozenNetwork, fold
from streamer.export.subject import Subject
from streamer.model import BorderedNetwork, ByteNetwork, load_network
from streamer.runtime import Batch, Frames, LiteRTRuntime, padded_shape

SUFFIX = ".tflite"
METADATA = "streamer"  # the name of our entry among the file's metadata
USUAL = (1, 360, 640, 3)  # the size that a file has until its user gives another


def litert_bytes(subject: Subject) -> bytes:
    """The file in float32, with its metadata. Raises MissingDependency without TensorFlow."""
    if subject.is_frozen:
        style = FrozenNetwork(subject.trunk, fold(subject.trunk, subject.row(), subject.statistics))
        return _finished(litert_graph(ByteNetwork(BorderedNetwork(style)), frames_signature()), subject, USUAL)
    network = ByteNetwork(load_network(subject.trunk))
    return _finished(litert_graph(network, trunk_signature(subject.config)), subject, padded_shape(USUAL))


def _finished(data: bytes, subject: Subject, shape: tuple[int, ...]) -> bytes:
    """With our metadata, and a usual size in place of 1x1, which nothing can be allocated for."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    for signature in model.signatureDefs:
        for entry in signature.inputs:
            if entry.name == b"frames":
                model.subgraphs[signature.subgraphIndex].tensors[entry.tensorIndex].shape = np.asarray(shape, np.int32)
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(json.dumps(subject.facts()).encode(), np.uint8)
    entry.name, entry.buffer = METADATA, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(2 * len(data))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def litert_facts(data: bytes) -> dict[str, str]:
    """What `Subject.facts` wrote into a file."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    (entry,) = (entry for entry in model.metadata if entry.name == METADATA.encode())
    return dict(json.loads(bytes(model.buffers[entry.buffer].data)))


def litert_convolutions(data: bytes) -> list[str]:
    """Names of what the convolutions of a file give, in the order in which they run."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    (graph,) = model.subgraphs
    kinds = [code.builtinCode for code in model.operatorCodes]
    convolutions = [each for each in graph.operators if kinds[each.opcodeIndex] == schema.BuiltinOperator.CONV_2D]
    return [graph.tensors[each.outputs[0]].name.decode() for each in convolutions]


def litert_answer(path: Path, subject: Subject, threads: int | None = None) -> Any:
    """Runs the file in LiteRT: see `streamer.export.check.Answer`."""
    if not subject.is_frozen:
        runtime = LiteRTRuntime(path, threads)
        return lambda batch: runtime.run(batch).frames
    interpreter = Interpreter(str(path), num_threads=threads)

    interpreter.allocate_tensors()
    (place,) = (each["index"] for each in interpreter.get_input_details())

    def answer(batch: Batch) -> Frames:
        if tuple(interpreter.get_input_details()[0]["shape"]) != batch.frames.shape:
            interpreter.resize_tensor_input(place, batch.frames.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(place, batch.frames)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))

    return answer
