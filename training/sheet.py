"""A labelled sheet of pictures, as a sweep shows its trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.data import shrink

Picture = NDArray[np.uint8]
GAP, LINE, TEXT = 8, 20, 14  # pixels: between cells, of a line of text, of its letters
PAPER, INK = (255, 255, 255), (20, 20, 20)


@dataclass(frozen=True)
class Cell:
    """One picture (H, W, 3) with a line above it and one beneath."""

    picture: Picture
    above: str
    beneath: str


def draw_sheet(title: str, reference: Picture, before: Picture, cells: Sequence[Cell], columns: int) -> Picture:
    """Title, then the reference (scaled to fit) beside `before`, then the cells, row by row; all cells of one size.

    Widths follow from the pictures; a line of text that is longer than its cell is cut off at the end.
    """
    height, width = before.shape[:2]
    rows = -(-len(cells) // columns)
    cell_height, cell_width = height + 2 * LINE + GAP, width + GAP
    head = LINE + GAP + cell_height
    across = max(columns, 2)
    sheet = Image.new("RGB", (across * cell_width + GAP, head + rows * cell_height + GAP), PAPER)
    _write(sheet, title, GAP, GAP, across * cell_width)
    small = Image.fromarray(shrink(reference, height))
    small.thumbnail((width, height))
    top = Cell(np.asarray(small, np.uint8), "the style", ""), Cell(before, "the photographs", "")
    for i, cell in enumerate(top):
        _place(sheet, cell, GAP + i * cell_width, LINE + GAP, width)
    for i, cell in enumerate(cells):
        row, column = divmod(i, columns)
        _place(sheet, cell, GAP + column * cell_width, head + row * cell_height, width)
    return np.asarray(sheet, np.uint8)


def _place(sheet: Image.Image, cell: Cell, left: int, top: int, width: int) -> None:
    _write(sheet, cell.above, left, top, width)
    sheet.paste(Image.fromarray(cell.picture), (left, top + LINE))
    _write(sheet, cell.beneath, left, top + LINE + cell.picture.shape[0], width)


def _write(sheet: Image.Image, text: str, left: int, top: int, width: int) -> None:
    """One line of text, cut to `width` pixels."""
    font = ImageFont.load_default(TEXT)
    while text and font.getlength(text) > width:
        text = text[:-1]
    ImageDraw.Draw(sheet).text((left, top + 2), text, INK, font=font)
