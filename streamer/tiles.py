"""How a picture beyond the memory budget is cut into tiles, and how those share the statistics of the whole.

The network pads a frame by reflection; inside, its convolutions repeat the padded frame's edges, or put zeros there.
Here that padded frame is never made: it is cut, on the network's grid of STRIDE pixels, into cores, and each core is
seen through a window that reaches past it by what one output pixel depends on, so what happens at the edges of a
window inside the picture is felt by no core. All windows are equally large, so a runtime prepares for one shape; at the
picture's border a window moves inwards instead of shrinking, so the edges are those of the whole.

Normalisation needs the means and second moments of the whole picture at every layer. Measured inside the cores only
and averaged by their areas, those of the tiles are exactly that, as long as the layers before were normalised right. So
each pass over the tiles makes one more layer right, at worst. It takes far fewer passes (see `settle`) when a small
sample of the picture is used to foresee what correcting one layer does to those after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from streamer.geometry import STRIDE, padding
from streamer.trunk import TrunkConfig

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
# Styles one tile with given statistics (statistics_size,) and returns its own, measured in the core.
Run = Callable[["Tile", Float32], Float32]

# How far, in standard deviations of any channel, the statistics that a pass used may lie from those that it measured.
# On photographs in two trained styles, 0.004 was at most 1/255 of the styled pixels and 0.01 at most 3/255.
SETTLED = 0.004
VARIANCE_FLOOR = 1e-3  # as the network adds to variances: what is flatter hardly matters
_SAMPLE_SHARE = 0.5  # of a pass: what one look at the sample, layer by layer, may cost
_SAMPLE_COUNTS = (9, 64)  # fewer windows foresee badly, more foresee no better


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
        down, across = self.rows, self.columns
        return down.first - down.start, across.first - across.start, down.stop - down.last, across.stop - across.last

    @property
    def area(self) -> int:
        """The core's, in units of STRIDE squared."""
        return (self.rows.last - self.rows.first) * (self.columns.last - self.columns.first)

    @property
    def window_area(self) -> int:
        """The window's, in units of STRIDE squared: what styling it costs."""
        return (self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start)


def reach(config: TrunkConfig) -> int:
    """How far past a core its window must reach, in units of STRIDE.

    Two convolutions of radius `rate` in every block at an eighth, two of radius 1 in every block at a quarter of the
    resolution; stem, upsampling and head add 21 pixels (measured: an edge is felt by at most 87 of the live trunk's
    output).
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

    The fewest windows of at most `window`, then the smallest that this many allow. The first begins and the last ends
    with the axis.
    """
    if length <= window:
        return [Span(0, length, 0, length)]
    count = -(-(length - 2 * overlap) // (window - 2 * overlap))
    window = -(-(length - 2 * overlap) // count) + 2 * overlap
    starts = [round(i * (length - window) / (count - 1)) for i in range(count)]
    # Between two windows the cores meet in the middle of what both see.
    seams = [0, *((a + window + b) // 2 for a, b in pairwise(starts)), length]
    return [Span(a, a + window, first, last) for a, first, last in zip(starts, seams[:-1], seams[1:], strict=True)]


def plan_sample(height: int, width: int, tiles: Sequence[Tile], overlap: int, layers: int) -> list[Tile]:
    """Windows of full resolution strewn evenly, but not regularly, over a picture; the same ones every time."""
    top, bottom, left, right = padding(height, width)
    rows, columns = (top + height + bottom) // STRIDE, (left + width + right) // STRIDE
    window_rows, window_columns = min(rows, 4 * overlap), min(columns, 4 * overlap)
    affordable = _SAMPLE_SHARE * sum(tile.window_area for tile in tiles) / (layers * window_rows * window_columns)
    count = min(max(affordable, _SAMPLE_COUNTS[0]), _SAMPLE_COUNTS[1])
    down = min(max(1, round((count * rows / columns) ** 0.5)), round(count))
    across = max(1, round(count / down))
    random = np.random.default_rng(0)
    sample = []
    for i, j in np.ndindex(down, across):
        dy, dx = random.random(2)
        span = _strewn(columns, window_columns, overlap, (j + dx) / across)
        sample.append(Tile(_strewn(rows, window_rows, overlap, (i + dy) / down), span))
    return sample


def _strewn(length: int, window: int, overlap: int, place: float) -> Span:
    start = int(place * (length - window + 1))
    stop = start + window
    return Span(start, stop, start + overlap if start else 0, stop - overlap if stop < length else length)


def settle(run: Run, tiles: Sequence[Tile], sample: Sequence[Tile], widths: Sequence[int]) -> int:
    """Pass over the tiles until the statistics that a pass used are those that it measured; returns the passes made.

    widths: channels of every normalisation layer, as `TrunkConfig.norm_widths` gives them.

    The first guess is the sample's own statistics. After each pass the sample is looked at with the statistics that
    the pass used: how it differs from the whole there, per channel in location and scale, is taken to hold for the
    right statistics as well. A wrong guess for one layer makes the next pass measure the following layers wrong, and
    plain repetition lets such errors grow before they vanish; the sample, settled from the first layer to the last,
    foresees them. On photographs this takes 3 to 6 passes, and never more than one for each layer and one.
    """
    start = np.concatenate([np.repeat([0.0, 1.0], width) for width in widths])
    guess = _foresee(run, sample, widths, start, start, start)
    for count in range(1, len(widths) + 1):
        measured = _average(run, tiles, guess)
        if drift(guess, measured, widths) <= SETTLED:
            return count
        guess = _foresee(run, sample, widths, guess, _average(run, sample, guess), measured)
    _average(run, tiles, guess)
    return len(widths) + 1


def drift(used: Float64, measured: Float64, widths: Sequence[int]) -> float:
    """The largest difference of two statistics, in standard deviations of its channel."""
    worst = 0.0
    for layer in _layers(widths):
        (mean, deviation), (other, spread) = _moments(used[layer]), _moments(measured[layer])
        worst = max(worst, float(np.max(np.abs(mean - other) / spread)), float(np.max(np.abs(deviation / spread - 1))))
    return worst


def _foresee(
    run: Run, sample: Sequence[Tile], widths: Sequence[int], start: Float64, seen: Float64, measured: Float64
) -> Float64:
    """By which statistics the whole would be normalised right, if the sample is to it as `seen` is to `measured`."""
    guess = start.copy()
    for layer in _layers(widths):
        mean, deviation = _moments(_average(run, sample, guess)[layer])
        seen_mean, seen_deviation = _moments(seen[layer])
        whole_mean, whole_deviation = _moments(measured[layer])
        mean = mean + (whole_mean - seen_mean) * deviation / seen_deviation
        deviation = deviation * whole_deviation / seen_deviation
        guess[layer] = np.concatenate([mean, mean**2 + deviation**2 - VARIANCE_FLOOR])
    return guess


def _average(run: Run, tiles: Sequence[Tile], given: Float64) -> Float64:
    """What tiles measure when normalised by given statistics: their mean, weighted by the cores' areas."""
    total = np.zeros_like(given)
    statistics = given.astype(np.float32)
    for tile in tiles:
        total += tile.area * run(tile, statistics).astype(np.float64)
    return total / sum(tile.area for tile in tiles)


def _layers(widths: Sequence[int]) -> Iterator[slice]:
    at = 0
    for width in widths:
        yield slice(at, at + 2 * width)
        at += 2 * width


def _moments(layer: Float64) -> tuple[Float64, Float64]:
    """Means and standard deviations of a layer's channels, of its means and second moments."""
    mean, second = np.split(layer, 2)
    return mean, np.sqrt(np.maximum(second - mean**2, 0.0) + VARIANCE_FLOOR)
