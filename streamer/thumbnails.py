"""Thumbnails: what a style makes of our own sample picture, small enough to lie in a list of styles."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.styles import SHIPPED, StyleLibrary

Picture = NDArray[np.uint8]
# Styles a picture (H, W, 3) by a modulation (modulation_size,): that of an engine, or of a network in training.
Stylize = Callable[[Picture, NDArray[np.float32]], Picture]
SAMPLE = SHIPPED / "sample.jpg"  # 384x288, the head of samples/portrait.jpg
WIDTH = 256  # pixels
LARGEST = 12_000  # bytes
QUALITIES = range(85, 20, -5)  # of a JPEG, the best first


def sample() -> Picture:
    """The sample picture, (H, W, 3) RGB."""
    data = np.frombuffer(SAMPLE.read_bytes(), np.uint8)
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def thumbnail(library: StyleLibrary, name: str, stylize: Stylize) -> bytes:
    """A JPEG of at most LARGEST bytes: the sample picture in a style of the library's trunk.

    It belongs into `thumbnails/NAME.jpg` beside the style's file, where `StyleLibrary.thumbnail` looks for it.
    Raises UnknownStyle or BadStyle.
    """
    return encoded(stylize(sample(), library.resolve(name)))


def encoded(picture: Picture) -> bytes:
    """A picture (H, W, 3) as a JPEG WIDTH pixels wide, of the best quality that LARGEST has room for."""
    size = (WIDTH, max(1, round(picture.shape[0] * WIDTH / picture.shape[1])))
    small = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    data = b""
    for quality in QUALITIES:
        data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])[
            1
        ].tobytes()
        if len(data) <= LARGEST:
            break
    return data
