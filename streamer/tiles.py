"""How a picture beyond the memory budget is cut into tiles, and how those share the statistics of the whole.

The network pads a frame by reflection and then runs on the padded frame with zero padding inside. Here that padded
frame is never made: it is cut, on the network's grid of STRIDE pixels, into cores, and each core is seen through a
window that reaches past it by what one output pixel depends on. All windows are equally large, so a runtime prepares
for one shape; at the picture's border a window moves inwards instead of shrinking, so the zero padding falls where it
falls in the whole.

Normalisation needs the means and second moments of the whole picture at every layer. Measured inside the cores only
and averaged by their areas, those of the tiles are exactly that, as long as the layers before were normalised right. So
passes over the tiles, each with the statistics that the last one measured, settle layer by layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.geometry import BORDER, STRIDE, padding
from streamer.trunk import TrunkConfig

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Span:
    """One axis of a tile, in units of STRIDE: its window from `start` to `stop`, its core from `first` to `last`."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Tile:
    """A window of the padded picture and the core in it that counts."""

    rows: Span
    columns: Span

    @property
    def margins(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right: how far the window reaches past the core, in units of STRIDE."""
        rows, columns = self.rows, self.columns
        return rows.first - rows.start, columns.first - columns.start, rows.stop - rows.last, columns.stop - columns.last

    @property
    def area(self) -> int:
        """The core's, in units of STRIDE squared."""
        return (self.rows.last - self.rows.first) * (self.columns.last - self.columns.first)


def reach(config: TrunkConfig) -> int:
    """How far past a core its window must reach, in units of STRIDE.

    Two convolutions of radius `rate` in every block at an eighth, two of radius 1 in every block at a quarter of the
    resolution; stem, upsampling and head add 21 pixels (measured: 85 of the live trunk's output depend on an edge).
    """
    pixels = 16 * sum(config.deep_dilations) + 8 * config.blocks + 21
    return -(-pixels // STRIDE)


def plan_tiles(height: int, width: int, pixels: int, overlap: int) -> list[Tile]:
    """Cut a picture into tiles with windows of at most about `pixels` pixels, row by row; one tile if it fits whole.

    overlap: as `reach` gives it. A window is never smaller than four times that a side.
    """
    top, bottom, left, right = padding(height, width)
    rows, columns = (top + height + bottom) // STRIDE, (left + width + right) // STRIDE
    budget = pixels // STRIDE**2
    window_rows = min(rows, max(isqrt(budget), 4 * overlap))
    window_columns = min(columns, max(budget // window_rows, 4 * overlap))
    window_rows = min(rows, max(budget // window_columns, 4 * overlap))
    across = cut(columns, window_columns, overlap)
    return [Tile(down, span) for down in cut(rows, window_rows, overlap) for span in across]


def cut(length: int, window: int, overlap: int) -> list[Span]:
    """Equally large windows over an axis, and cores that part it; each window reaches `overlap` past its core.

    The fewest windows of at most `window`, then the smallest that this many allow; at both ends a window ends with the axis.
    """
    if length <= window:
        return [Span(0, length, 0, length)]
    count = -(-(length - 2 * overlap) // (window - 2 * overlap))
    window = -(-(length - 2 * overlap) // count) + 2 * overlap
    starts = [round(i * (length - window) / (count - 1)) for i in range(count)]
    # Between two windows the cores meet in the middle of what both see.
    seams = [0, *((a + window + b) // 2 for a, b in zip(starts, starts[1:], strict=False)), length]
    return [Span(a, a + window, first, last) for a, first, last in zip(starts, seams, seams[1:], strict=False)]
