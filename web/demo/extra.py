"""What only two tabs need: TensorFlow and the VGG-19 weights."""

from __future__ import annotations

import importlib.util
import os
from html import escape

from streamer.errors import MissingDependency

NEEDED = ("keras", "tensorflow", "scipy", "h5py")
SOURCE = (
    "VGG-19 is the judge: its ImageNet weights, 80 MB, are those of keras.applications (storage.googleapis.com), "
    "downloaded when they are first needed, compared with their checksum and kept."
)
OWN = "VGG-19 is the judge; its weights were given with --vgg-weights."


def check_installed() -> None:
    """Raise MissingDependency without the extra `train`; imports nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow greets on stderr
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(
            f"This needs {', '.join(missing)}, which is not installed: pip install 'streamer[train]'."
        )


def where_from(vgg_weights: str) -> str:
    """Where the weights come from, as HTML."""
    return f'<p class="lead">{escape(SOURCE if vgg_weights == "imagenet" else OWN)}</p>'
