"""Contact sheets of the score card: what was measured, to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
CELL = 260  # pixels, width of a picture on a sheet
GAP = 6  # pixels
TITLE = 20  # pixels of text above a picture
AMPLIFIED = 4  # times the difference of two frames is shown


def photograph_sheet(shown: Mapping[str, Mapping[str, Picture]]) -> Picture:
    """A row for every photograph: the input and beside it what each style makes of it."""
    columns = list(dict.fromkeys(key for row in shown.values() for key in row))
    return _sheet([[_cell(row.get(key), key) for key in columns] for row in shown.values()])


def clip_sheet(shown: Mapping[str, Mapping[str, tuple[Picture, Picture]]]) -> Picture:
    """For every clip and style a row: a frame, the next one, and their difference, amplified."""
    rows = []
    for name, row in shown.items():
        for key, (first, second) in row.items():
            difference = np.minimum(np.abs(second.astype(int) - first) * AMPLIFIED, 255).astype(np.uint8)
            titles = (f"{name}: {key}", "next frame", f"difference x {AMPLIFIED}")
            rows.append([_cell(*pair) for pair in zip((first, second, difference), titles, strict=True)])
    return _sheet(rows)


def _cell(picture: Picture | None, title: str) -> Picture:
    """A picture at the width of a cell, its title above; blank where there is none."""
    if picture is None:
        return np.full((TITLE, CELL, 3), 255, np.uint8)
    height = max(1, round(picture.shape[0] * CELL / picture.shape[1]))
    small = cv2.resize(picture, (CELL, height), interpolation=cv2.INTER_AREA)
    cell = np.full((TITLE + height, CELL, 3), 255, np.uint8)
    cell[TITLE:] = small
    cv2.putText(cell, title, (2, TITLE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return cell


def _sheet(rows: Sequence[Sequence[Picture]]) -> Picture:
    lines = []
    for row in rows:
        height = max(cell.shape[0] for cell in row)
        lines.append(np.hstack([_padded(cell, height + GAP, CELL + GAP) for cell in row]))
    return np.vstack(lines)


def _padded(cell: Picture, height: int, width: int) -> Picture:
    missing = ((0, height - cell.shape[0]), (0, width - cell.shape[1]), (0, 0))
    return np.pad(cell, missing, constant_values=255)
