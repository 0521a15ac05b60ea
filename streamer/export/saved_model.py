"""SavedModel: the folder `NAME/1`, as TensorFlow Serving looks for versions of a model. Frames of any size go in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from streamer.compiled import Serve, Signature, frames_signature, require_tensorflow, save_graph, trunk_signature
from streamer.export.frozen import FrozenNetwork, fold
from streamer.export.subject import Subject
from streamer.model import ByteNetwork, FrameNetwork, load_network
from streamer.runtime import Batch, Frames

VERSION = "1"
CARD = "assets.extra/streamer.json"  # TensorFlow Serving's folder for what is not the graph's
JPEG_QUALITY = 95


def write_saved_model(subject: Subject, folder: Path) -> None:
    """Write it into an empty folder. Raises MissingDependency without TensorFlow."""
    tf = require_tensorflow("A SavedModel")
    if subject.is_frozen:
        style = FrozenNetwork(subject.trunk, fold(subject.trunk, subject.row(), subject.statistics))
    else:
        style = load_network(subject.trunk)
    network = FrameNetwork(ByteNetwork(style))
    signatures = _frozen_signatures(tf, network) if subject.is_frozen else _trunk_signatures(tf, network, subject)
    save_graph(network, signatures, folder)
    card = folder / CARD
    card.parent.mkdir()
    card.write_text(json.dumps(subject.card(), indent=1), encoding="utf-8")


def _trunk_signatures(tf: Any, network: Any, subject: Subject) -> dict[str, tuple[Serve, Signature]]:
    """`serving_default`, `picture` and, with the statistics as well, `stream`."""
    everything = trunk_signature(subject.config)
    style = {"modulation": everything["modulation"]}

    def stills(frames: Any, modulation: Any) -> dict[str, Any]:
        count = tf.shape(frames)[0]
        outputs = network(
            {
                "frames": frames,
                "modulation": modulation,
                "given": tf.zeros((count, subject.config.statistics_size)),
                "mix": tf.eye(count),
                "carry": tf.zeros((count, 1)),
            }
        )
        return {"frames": outputs["frames"]}

    def stream(**inputs: Any) -> dict[str, Any]:
        return dict(network(inputs))

    return {
        "serving_default": (stills, frames_signature() | style),
        "picture": (_pictures(tf, stills), _picture_signature(tf) | style),
        "stream": (stream, everything),
    }


def _frozen_signatures(tf: Any, network: Any) -> dict[str, tuple[Serve, Signature]]:
    """`serving_default` and `picture`."""

    def stills(frames: Any) -> dict[str, Any]:
        return dict(network({"frames": frames}))

    return {
        "serving_default": (stills, frames_signature()),
        "picture": (_pictures(tf, stills), _picture_signature(tf)),
    }


def _picture_signature(tf: Any) -> Signature:
    # The ending `_bytes` tells TensorFlow Serving to speak base64.
    return {"image_bytes": tf.TensorSpec((), tf.string, name="image_bytes")}


def _pictures(tf: Any, stills: Serve) -> Serve:
    """From a JPEG or PNG file to a JPEG file: what is sent over HTTP is then a tenth of the numbers in JSON."""

    def serve(image_bytes: Any, **style: Any) -> dict[str, Any]:
        pixels = tf.io.decode_image(image_bytes, channels=3, expand_animations=False)
        frames = tf.ensure_shape(pixels, (None, None, 3))[None]
        return {"image_bytes": tf.io.encode_jpeg(stills(frames=frames, **style)["frames"][0], quality=JPEG_QUALITY)}

    return serve


def saved_model_answer(folder: Path, subject: Subject) -> Any:
    """Runs it by its signatures: see `streamer.export.check.Answer`."""
    tf = require_tensorflow("A SavedModel")
    loaded = tf.saved_model.load(str(folder))  # the functions live as long as it does

    def answer(batch: Batch) -> Frames:
        style = {} if subject.is_frozen else {"modulation": tf.constant(batch.modulation)}
        serve = loaded.signatures["serving_default"]
        return np.asarray(serve(frames=tf.constant(batch.frames), **style)["frames"])

    return answer
