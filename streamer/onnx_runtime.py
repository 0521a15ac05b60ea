"""ONNX Runtime on CPU threads: the trunk as `streamer.onnx_graph` writes it down. Needs the extra `export`."""

from __future__ import annotations

from typing import Any

import numpy as np

import streamer
from streamer import caches
from streamer.errors import MissingDependency
from streamer.kernels import whole_weights
from streamer.runtime import Batch, Runtime, Styled, pad
from streamer.settings import cores
from streamer.trunk import Trunk

OUTPUTS = ("styled", "used", "own")


class OnnxRuntime:
    """A trunk in ONNX Runtime; without `tiles` it runs whole frames alone."""

    name = "ONNX Runtime"
    batch_size = 1  # as in LiteRT: one frame keeps all cores busy

    def __init__(self, graph: bytes, threads: int | None = None, tiles: Runtime | None = None) -> None:
        """graph: an ONNX file's content; tiles: runs the batches with margins, for which the graph has no input.

        Raises MissingDependency without ONNX Runtime.
        """
        self._session: Any = onnx_session(graph, threads)
        self._tiles = tiles

    def run(self, batch: Batch) -> Styled:
        """Style a batch on the CPU."""
        if batch.margins is not None and self._tiles is not None:
            return self._tiles.run(batch)
        padded, inside = pad(batch.frames)
        values = {"modulation": batch.modulation, "given": batch.given, "mix": batch.mix, "carry": batch.carry}
        frames, used, own = self._session.run(OUTPUTS, {"frames": padded, **values})
        return Styled(np.ascontiguousarray(frames[:, *inside]), used, own)

    def close(self) -> None:
        """Drop the session."""
        self._session = None
        if self._tiles is not None:
            self._tiles.close()


def onnx_session(graph: bytes, threads: int | None = None) -> Any:
    """A session on the CPU; by default on all cores that this process may use. Raises MissingDependency."""
    try:
        import onnxruntime
    except ImportError as error:
        raise _missing("onnxruntime") from error
    options = onnxruntime.SessionOptions()
    # Left to itself it takes all that there are, and pins its threads to them, whatever the process may use.
    options.intra_op_num_threads = threads or cores()
    # Threads that wait would spin, on cores that a decoder and an encoder have work for.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def graph_name(trunk: Trunk) -> str:
    """What the graph of a trunk is called in the cache: another version of ours may write it down differently."""
    return f"{trunk.checksum[:16]}-{streamer.__version__}.onnx"


def onnx_graph_of(trunk: Trunk) -> bytes:
    """The graph of a trunk, from the cache, or made and left there. Raises MissingDependency without onnx."""
    if (known := caches.kept(graph_name(trunk))) is not None:
        return known
    try:
        from streamer.onnx_graph import trunk_graph
    except ImportError as error:
        raise _missing("onnx") from error
    graph = bytes(trunk_graph(trunk.config, whole_weights(trunk)).SerializeToString())
    caches.keep(graph_name(trunk), graph)
    return graph


def _missing(package: str) -> MissingDependency:
    return MissingDependency(
        f"ONNX Runtime needs the package {package}: pip install '.[export]' in the checkout, or make train-env."
    )
