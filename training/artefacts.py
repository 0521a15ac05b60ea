"""What a network draws where there is nothing to draw: grids from its upsampling, bands along the border."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.card import Artefacts
from training.painter import Painter

Picture = NDArray[np.uint8]
GREY_SIDE = 192  # pixels
GREYS = range(120, 136)  # neighbouring levels, whose mean undoes the rounding of each to 8 bits
INSIDE = 32  # pixels left out along each side of a grey frame
BAND = 16  # pixels of border that are looked at
SURROUND = 32  # pixels of a larger frame around a crop; a multiple of the network's stride, so that grids coincide


def find_artefacts(painter: Painter, photographs: Sequence[Picture]) -> Artefacts:
    """Grids and bands by the statistics of photographs (H, W, 3), each side at least 160 pixels.

    Of the grids the strongest that any photograph's statistics bring out, of the bands the mean.
    """
    grids, bands = [], []
    for photograph in photographs:
        statistics = painter.statistics(photograph)
        greys = (np.full((GREY_SIDE, GREY_SIDE, 3), level, np.uint8) for level in GREYS)
        grids.append(grid_amplitudes([painter.given(grey, statistics) for grey in greys]))
        larger = painter.given(photograph, statistics)[SURROUND:-SURROUND, SURROUND:-SURROUND]
        crop = np.ascontiguousarray(photograph[SURROUND:-SURROUND, SURROUND:-SURROUND])
        bands.append(border_difference(painter.given(crop, statistics), larger))
    quarter, half = np.max(grids, axis=0)
    border, middle, shift = np.mean(bands, axis=0)
    return Artefacts(float(quarter), float(half), float(border), float(middle), float(shift))


def grid_amplitudes(frames: Sequence[Picture]) -> tuple[float, float]:
    """The largest amplitude of a wave of 1/4, and of 1/2, cycle per pixel along an axis, in the mean of the frames.

    In units of a level of 255, of any channel: 2 cos(pi x / 2) has 2 at 1/4. Border pixels do not count.
    """
    mean = np.mean([frame.astype(np.float64) for frame in frames], axis=0)[INSIDE:-INSIDE, INSIDE:-INSIDE]
    height, width = (side // 4 * 4 for side in mean.shape[:2])  # whole periods, so that nothing leaks into others
    waves = np.abs(np.fft.fft2(mean[:height, :width], axes=(0, 1))) / (height * width)
    grid = waves[:: height // 4, :: width // 4].max(axis=2)  # (4, 4): 0, 1/4, 1/2, 3/4 cycle along either axis
    # A wave and its mirror image share the amplitude of a cosine, unless they are one and the same.
    quarter = 2 * max(grid[1].max(), grid[3].max(), grid[:, 1].max(), grid[:, 3].max())
    return float(quarter), float(max(grid[0, 2], grid[2, 0], grid[2, 2]))


def border_difference(crop: Picture, larger: Picture) -> tuple[float, float, float]:
    """How a styled crop differs from the same place (H, W, 3) of a larger styled frame, in levels of 255.

    Mean absolute difference in the outer BAND pixels and in the middle (half of each side), and the mean signed
    difference in the band, of the channel where that is largest.
    """
    difference = crop.astype(np.float64) - larger
    height, width = crop.shape[:2]
    outer = np.ones((height, width), bool)
    outer[BAND:-BAND, BAND:-BAND] = False
    middle = difference[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    band = difference[outer]
    return float(np.abs(band).mean()), float(np.abs(middle).mean()), float(np.abs(band.mean(axis=0)).max())
