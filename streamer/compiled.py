"""Compiles a trunk to the portable graph that the CPU runtime runs. Needs TensorFlow, once per trunk.

The graph takes frames of any size and any number; modulation and statistics stay inputs, so one file serves all styles.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamer.errors import MissingDependency
from streamer.files import write_atomically
from streamer.quantised import quantised, without_names
from streamer.trunk import Trunk, TrunkConfig

Signature = dict[str, Any]  # inputs by name, as tf.TensorSpec
Serve = Callable[..., dict[str, Any]]


def compiled_path(trunk: Trunk, folder: Path) -> Path:
    """Where the compiled form of a trunk is kept: its name is the trunk's checksum."""
    return folder / f"{trunk.checksum[:16]}.tflite"


def int8_path(graph: Path) -> Path:
    """Where the 8-bit form lies that a trunk has if it learnt for it (`Trunk.is_for_int8`), beside its compiled one."""
    return graph.with_suffix(".int8.tflite")


def compile_trunk(trunk: Trunk, folder: Path, tell: Callable[[str], None] = lambda sentence: None) -> Path:
    """Write the trunk's graph, its variant for tiles and, if it learnt for it, its 8-bit form into a folder.

    Returns the path of the first. Without what makes the 8-bit form, which is only faster, it is left out, and `tell`
    is given a sentence about that. Raises MissingDependency without TensorFlow.
    """
    require_tensorflow("Compiling a trunk")
    from streamer.model import ByteNetwork, load_network

    network = ByteNetwork(load_network(trunk))
    path = compiled_path(trunk, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for target, tiles in ((path, False), (path.with_suffix(".tiles.tflite"), True)):
        write_atomically(target, litert_graph(network, trunk_signature(trunk.config, tiles=tiles)))
    if trunk.is_for_int8:
        write_int8(path, tell)
    return path


def write_int8(graph: Path, tell: Callable[[str], None]) -> None:
    """Write the 8-bit form of a compiled trunk beside it; needs AI Edge Quantizer, and no TensorFlow."""
    try:
        write_atomically(int8_path(graph), without_names(quantised(graph.read_bytes(), "dynamic")))
    except MissingDependency as error:
        tell(f"This trunk runs in float32 alone for now. {error}")


def require_tensorflow(purpose: str) -> Any:
    """The module tensorflow. Raises MissingDependency, in a sentence that begins with the purpose."""
    try:
        import keras  # noqa: F401
        import tensorflow as tf
    except ImportError as error:
        raise MissingDependency(
            f"{purpose} needs TensorFlow: pip install '.[train]' in the checkout, or make train-env."
        ) from error
    return tf


def trunk_signature(config: TrunkConfig, *, tiles: bool = False) -> Signature:
    """What a trunk takes (`streamer.model.StyleNetwork`), of any size and number."""
    tf = require_tensorflow("A graph of a trunk")
    shapes = {
        "modulation": (None, config.modulation_size),
        "given": (None, config.statistics_size),
        "mix": (None, None),
        "carry": (None, 1),
    }
    signature = {name: tf.TensorSpec(shape, tf.float32, name=name) for name, shape in shapes.items()}
    if tiles:
        signature["margins"] = tf.TensorSpec((4,), tf.int32, name="margins")
    return frames_signature() | signature


def frames_signature() -> Signature:
    """Frames alone, (B, H, W, 3) bytes."""
    tf = require_tensorflow("A graph of frames")
    return {"frames": tf.TensorSpec((None, None, None, 3), tf.uint8, name="frames")}


def litert_graph(network: Any, signature: Signature) -> bytes:
    """The LiteRT file of a Keras network that is called with a dict, and a style network at some depth of it."""
    tf = require_tensorflow("A LiteRT file")
    with tempfile.TemporaryDirectory() as folder:
        # By way of a SavedModel the graph keeps the names of its outputs.
        save_graph(network, {"serve": (lambda **inputs: network(inputs), signature)}, Path(folder))
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def save_graph(network: Any, signatures: dict[str, tuple[Serve, Signature]], folder: Path) -> None:
    """Write a SavedModel of functions that call a Keras network."""
    tf = require_tensorflow("A SavedModel")
    _use_plain_dilation(tf, network)
    module = tf.Module()
    module.kept = [weight.value for weight in network.weights]  # TensorFlow does not look into lists of lists of layers
    functions = {
        name: tf.function(serve).get_concrete_function(**signature) for name, (serve, signature) in signatures.items()
    }
    tf.saved_model.save(module, str(folder), signatures=functions)


def _use_plain_dilation(tf: Any, network: Any) -> None:
    """Have dilated convolutions compiled to one operator each.

    tf.nn.convolution, which Keras calls, spells dilation as a detour over the batch whose shapes LiteRT would work out
    anew for every frame, outside of XNNPACK.
    """

    def convolve(layer: Any, x: Any, kernel: Any) -> Any:
        return tf.nn.conv2d(x, kernel, layer.strides, "VALID", dilations=layer.dilation_rate)

    while not hasattr(network, "deep"):
        network = network.network
    for block in network.deep:
        for layer in block:
            layer.convolution_op = functools.partial(convolve, layer)
