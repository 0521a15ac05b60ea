"""Which runtimes there are, and how each is made for a trunk."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from streamer import caches
from streamer.compiled import compiled_path, int8_path
from streamer.errors import BadStyle, MissingDependency
from streamer.onnx_runtime import OnnxRuntime, graph_name, onnx_graph_of
from streamer.options import AUTO
from streamer.quantised import quantised
from streamer.runtime import LiteRTRuntime, Runtime
from streamer.settings import KERAS, LITERT, LITERT_INT8, ONNX, EngineOptions
from streamer.styles import StyleLibrary

# For people; and the packages that make a runtime what it is.
TITLES = {LITERT: "LiteRT float32", LITERT_INT8: "LiteRT int8", ONNX: "ONNX Runtime", KERAS: "Keras"}
PACKAGES = {LITERT: ("ai-edge-litert",), LITERT_INT8: ("ai-edge-litert",), ONNX: ("onnxruntime",), KERAS: ("keras",)}


def make_runtime(library: StyleLibrary, options: EngineOptions) -> Runtime:
    """The runtime that was asked for; `auto` is a GPU if there is one that Keras, if installed, can use, else LiteRT.

    Raises BadStyle for a trunk without its compiled form, MissingDependency where something is not installed or there
    is no GPU.
    """
    if options.runtime != AUTO:
        return _MAKERS[options.runtime](library, options)
    return (_keras if takes_gpu(options) else _litert)(library, options)


def takes_gpu(options: EngineOptions) -> bool:
    """Whether `auto` means a GPU here."""
    if options.device == "auto" and _has_gpu_driver():
        from streamer.keras_runtime import gpu_count

        return gpu_count() > 0
    return options.device == "gpu"


def candidates(library: StyleLibrary) -> list[str]:
    """The CPU runtimes that paint a trunk's styles as they should be and can be tried in no time; LiteRT is the first.

    8 bits only where the trunk learnt with them. ONNX Runtime only where it is installed and has been asked for
    before, so that its graph is there: nobody's first frame waits for one to be made.
    """
    trunk = library.trunk
    found = [LITERT]
    if trunk.is_for_int8 and int8_path(graph_of(library)).exists():
        found.append(LITERT_INT8)
    if find_spec("onnxruntime") and caches.kept(graph_name(trunk)) is not None:
        found.append(ONNX)
    return found


def int8_digest(library: StyleLibrary) -> str:
    """SHA-256 of a trunk's 8-bit form, by which it is known when it is made anew; "" where none can be read."""
    try:
        return sha256(int8_path(graph_of(library)).read_bytes()).hexdigest()
    except OSError:
        return ""


def graph_size(library: StyleLibrary, runtime: str) -> int | None:
    """Bytes of the graph that a runtime runs; None of Keras, which has none."""
    if runtime == LITERT:
        return graph_of(library).stat().st_size
    if runtime == LITERT_INT8:
        graph = _int8_graph(library)
        return len(graph) if isinstance(graph, bytes) else graph.stat().st_size
    return len(onnx_graph_of(library.trunk)) if runtime == ONNX else None


def _litert(library: StyleLibrary, options: EngineOptions) -> Runtime:
    return LiteRTRuntime(graph_of(library), options.threads)


def _litert_int8(library: StyleLibrary, options: EngineOptions) -> Runtime:
    return LiteRTRuntime(graph_of(library), options.threads, int8=_int8_graph(library), name=TITLES[LITERT_INT8])


def _onnx(library: StyleLibrary, options: EngineOptions) -> Runtime:
    return OnnxRuntime(onnx_graph_of(library.trunk), options.threads, tiles=_litert(library, options))


def _keras(library: StyleLibrary, options: EngineOptions) -> Runtime:
    from streamer.keras_runtime import KerasRuntime, gpu_count

    if options.device == "gpu" and gpu_count() == 0:
        raise MissingDependency("--device gpu: no GPU that TensorFlow can use was found; --device cpu always works.")
    return KerasRuntime(library.trunk, on_cpu=options.device == "cpu")


_MAKERS: dict[str, Callable[[StyleLibrary, EngineOptions], Runtime]] = {
    LITERT: _litert,
    LITERT_INT8: _litert_int8,
    ONNX: _onnx,
    KERAS: _keras,
}


def graph_of(library: StyleLibrary) -> Path:
    """A trunk's compiled form. Raises BadStyle when there is none."""
    graph = compiled_path(library.trunk, library.trunk_path.parent)
    if not graph.exists():
        raise BadStyle(
            f"The trunk {library.trunk_path.name} has no compiled form, for CPUs and browsers: "
            f"`streamer compile {library.trunk_path}` builds it."
        )
    return graph


def _int8_graph(library: StyleLibrary) -> Path | bytes:
    """Its 8-bit form; made on the spot for a trunk that has none, which is asked for at one's own risk."""
    graph = graph_of(library)
    return small if (small := int8_path(graph)).exists() else quantised(graph.read_bytes(), "dynamic")


def _has_gpu_driver() -> bool:
    """Cheap enough for every start: importing TensorFlow to find no GPU takes seconds."""
    return Path("/proc/driver/nvidia/version").exists()
