"""Pictures that carry their number, in squares large enough to survive encoders and painters. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

BITS = 16  # columns; each is light above dark for a one, dark above light for a zero
_CHECK = 3  # bits of the remainder that tell a misread number
COUNT = 1 << (BITS - _CHECK)  # numbers begin anew after this many
_LEAST = 12  # grey levels between light and dark below which nothing is read


def background(height: int, width: int) -> Picture:
    """A soft, colourful ground (H, W, 3), the same every time."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [np.sin(rows / (9 + 5 * k) + k) * np.cos(columns / (13 + 4 * k) - k) for k in range(3)]
    return (128 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


def draw(number: int, ground: Picture) -> Picture:
    """A copy of the ground (H, W, 3), moved on a little, with the number across its middle."""
    picture = np.roll(ground, number * 3 % ground.shape[1], axis=1)
    value = (number % COUNT) * (1 << _CHECK) + _check(number % COUNT)
    for column, (upper, lower) in enumerate(_cells(picture)):
        is_one = value >> column & 1
        picture[upper] = 235 if is_one else 20
        picture[lower] = 20 if is_one else 235
    return picture


def read(picture: Picture) -> int | None:
    """The number that a picture carries; None where it cannot be read."""
    value = 0
    for column, (upper, lower) in enumerate(_cells(picture, margin=0.2)):
        difference = float(picture[upper].mean()) - float(picture[lower].mean())
        if abs(difference) < _LEAST:
            return None
        value |= (difference > 0) << column
    number, check = value >> _CHECK, value & ((1 << _CHECK) - 1)
    return number if check == _check(number) else None


def _check(number: int) -> int:
    return (number * 5 + (number >> 3) + 3) % (1 << _CHECK)


def _cells(picture: Picture, margin: float = 0.0) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """The upper and the lower half of each column, `margin` of a side smaller on every side."""
    height, width = picture.shape[:2]
    high, wide = height // 4, width / BITS
    top, down, across = height // 2 - high, int(high * margin), wide * margin
    cells = []
    for column in range(BITS):
        columns = slice(int(column * wide + across), max(int((column + 1) * wide - across), int(column * wide) + 1))
        upper = slice(top + down, top + high - down)
        lower = slice(top + high + down, top + 2 * high - down)
        cells.append(((upper, columns), (lower, columns)))
    return cells
