"""Compiles a trunk to the portable graph that the CPU runtime runs. Needs TensorFlow, once per trunk.

The graph takes frames of any size and any number; modulation and statistics stay inputs, so one file serves all styles.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from streamer.errors import MissingDependency
from streamer.trunk import Trunk


def compiled_path(trunk: Trunk, folder: Path) -> Path:
    """Where the compiled form of a trunk is kept: its name is the trunk's checksum."""
    return folder / f"{trunk.checksum[:16]}.tflite"


def compile_trunk(trunk: Trunk, folder: Path) -> Path:
    """Write the trunk's graph and its variant for tiles into a folder; returns the path of the first.

    Raises MissingDependency without TensorFlow.
    """
    try:
        import tensorflow as tf

        from streamer.model import ByteNetwork, load_network
    except ImportError as error:
        raise MissingDependency(
            "Compiling a trunk needs TensorFlow: pip install '.[train]' in the checkout, or make train-env."
        ) from error
    network = ByteNetwork(load_network(trunk))
    path = compiled_path(trunk, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for target, tiles in ((path, False), (path.with_suffix(".tiles.tflite"), True)):
        draft = target.with_suffix(".tmp")
        draft.write_bytes(_convert(tf, network, trunk, tiles))
        draft.replace(target)
    return path


def _convert(tf: Any, network: Any, trunk: Trunk, tiles: bool) -> bytes:
    config = trunk.config
    signature = {
        "frames": tf.TensorSpec((None, None, None, 3), tf.uint8, name="frames"),
        "modulation": tf.TensorSpec((None, config.modulation_size), tf.float32, name="modulation"),
        "given": tf.TensorSpec((None, config.statistics_size), tf.float32, name="given"),
        "mix": tf.TensorSpec((None, None), tf.float32, name="mix"),
        "carry": tf.TensorSpec((None, 1), tf.float32, name="carry"),
    }
    if tiles:
        signature["margins"] = tf.TensorSpec((4,), tf.int32, name="margins")
    _use_plain_dilation(tf, network.network)
    serve = tf.function(lambda **inputs: network(inputs)).get_concrete_function(**signature)
    module = tf.Module()
    module.kept = [weight.value for weight in network.weights]  # TensorFlow does not look into lists of lists of layers
    with tempfile.TemporaryDirectory() as folder:
        # By way of a SavedModel the graph keeps the names of its outputs.
        tf.saved_model.save(module, folder, signatures={"serve": serve})
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def _use_plain_dilation(tf: Any, network: Any) -> None:
    """Have dilated convolutions compiled to one operator each.

    tf.nn.convolution, which Keras calls, spells dilation as a detour over the batch whose shapes LiteRT would work out
    anew for every frame, outside of XNNPACK.
    """

    def convolve(layer: Any, x: Any, kernel: Any) -> Any:
        return tf.nn.conv2d(x, kernel, layer.strides, "VALID", dilations=layer.dilation_rate)

    for block in network.deep:
        for layer in block:
            layer.convolution_op = functools.partial(convolve, layer)
