"""What a browser needs to run the network itself: which styles there are, as numbers, and how the network is fed.

web/live/device reads it. The constants come from where the server takes them, so that both paint the same picture.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from streamer.engine import SMOOTHING_SECONDS
from streamer.errors import BadStyle
from streamer.geometry import BORDER, STRIDE
from streamer.styles import Style, StyleLibrary
from streamer.trunk import UNPAINTED

FOLDER, GRAPH, STYLES = "local", "graph.tflite", "styles.json"  # below a page's root


def described(library: StyleLibrary, thumbnail: Callable[[str], str]) -> dict[str, Any]:
    """All styles of a library's trunk, as JSON; thumbnail: the address of one by a style's name, from the page's root.

    Raises BadStyle when the trunk is damaged; styles that are, are left out.
    """
    return {
        "graph": f"{FOLDER}/{GRAPH}",
        "trunk": library.trunk.checksum,
        "statistics": library.trunk.config.statistics_size,
        "smoothing": SMOOTHING_SECONDS,
        "stride": STRIDE,
        "border": BORDER,
        "unpainted": UNPAINTED.tolist(),
        "styles": [_packed(style, thumbnail(style.name)) for style in usable(library)],
    }


def usable(library: StyleLibrary) -> list[Style]:
    """The styles of a library's own trunk, sorted by name, without those that are damaged."""
    found = []
    for name in library.names():
        try:
            style = library.get(name)
        except BadStyle:
            continue
        found += [style] if style.trunk == library.trunk.checksum else []
    return found


def _packed(style: Style, thumbnail: str) -> dict[str, str]:
    shown = {name: getattr(style, name) for name in ("name", "title", "artist", "licence")}
    row = np.ascontiguousarray(style.modulation, "<f4").tobytes()
    return shown | {"thumbnail": thumbnail, "modulation": base64.b64encode(row).decode("ascii")}
