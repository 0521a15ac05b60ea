"""Rotation: phones film sideways and leave a note to turn the picture; here the pixels themselves are turned.

Upright pixels show the same everywhere (players, GIFs, browsers that ignore the note) and are what a style must see;
so the note (the display matrix) is applied on reading and not written again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray


@dataclass(frozen=True)
class Turn:
    """One of the eight ways to put a picture upright: first exchange rows and columns, then flip."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def degrees(self) -> int:
        """Counter-clockwise rotation, 0, 90, 180 or 270 (a mirror image counts as the turn before the mirroring)."""
        if self.transpose:
            return 90 if self.flip_rows else 270
        return 180 if self.flip_rows else 0

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn a picture, height x width x 3; the result is contiguous."""
        if self == Turn():
            return picture
        if self.transpose:
            picture = picture.transpose(1, 0, 2)
        if self.flip_rows:
            picture = picture[::-1]
        if self.flip_columns:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(picture)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after (and, the turn being a turn, before) turning."""
        return (height, width) if self.transpose else (width, height)

    def aspect(self, ratio: Fraction | None) -> Fraction | None:
        """The sample aspect ratio after turning."""
        return 1 / ratio if ratio and self.transpose else ratio


def turn_of(frame: VideoFrame) -> Turn:
    """Read a decoded frame's display matrix; angles between the quarters are taken as the nearest."""
    note = cast(Any, frame.side_data).get("DISPLAYMATRIX")  # whose type stub is behind
    if note is None:
        return Turn()
    # Row vectors: x' = a x + c y, y' = b x + d y, with a, b, c, d at 0, 1, 3, 4 of the nine 16.16 numbers.
    a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(note), np.int32)[:5])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, flip_rows=d < 0, flip_columns=a < 0)
    return Turn(True, flip_rows=b < 0, flip_columns=c < 0)
