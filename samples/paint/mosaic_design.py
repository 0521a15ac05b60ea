"""The mosaic's composition: sun, dove, hills, waves, fish and a plaited border, as a label map.

Lengths are in pixels of the finished picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Rgb = tuple[int, int, int]

WIDTH, HEIGHT, BORDER = 1000, 750, 88

LAPIS, BLUE, SKY, TEAL = (24, 52, 140), (44, 98, 184), (128, 178, 214), (26, 132, 142)
IVORY, CREAM, GOLD, OCHRE = (240, 228, 200), (226, 200, 150), (232, 174, 40), (198, 130, 36)
ORANGE, TERRA, RED, WINE = (222, 104, 36), (180, 72, 40), (176, 34, 30), (104, 26, 34)
GREEN, OLIVE, FOREST, BLACK = (44, 122, 60), (124, 136, 52), (18, 72, 48), (28, 26, 34)


@dataclass
class Regions:
    """The label map of the picture and, per label, its stones."""

    labels: Ints  # HEIGHT x WIDTH, index into ramps
    ramps: list[list[Rgb]] = field(default_factory=list)  # colours of rows, from the edge inwards
    sizes: list[float] = field(default_factory=list)  # side of a stone

    def add(self, mask: NDArray[np.bool_], ramp: list[Rgb], size: float = 15.0) -> None:
        """Lay a new region over what is there."""
        self.labels[mask] = len(self.ramps)
        self.ramps.append(ramp)
        self.sizes.append(size)


def blob(points: list[tuple[float, float]], smooth: int = 3) -> NDArray[np.bool_]:
    """Mask of the closed outline through the points, its corners cut (Chaikin)."""
    outline = np.array(points, np.float64)
    for _ in range(smooth):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], 1).reshape(-1, 2)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return mask.astype(bool)


def disc(x: float, y: float, radius: float, squash: float = 1.0) -> NDArray[np.bool_]:
    """Mask of an ellipse, `squash` times as high as wide."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray((xx - x) ** 2 + ((yy - y) / squash) ** 2 < radius**2)


def add_sky_and_sun(regions: Regions, x: float, y: float) -> None:
    """Rings of sky around a rayed sun."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    radius, angle = np.hypot(xx - x, yy - y), np.arctan2(yy - y, xx - x)
    rings = [
        (900, [LAPIS, BLUE]),
        (400, [BLUE, LAPIS, SKY]),
        (310, [SKY, BLUE, SKY]),
        (245, [CREAM, IVORY]),
        (212, [GOLD, OCHRE, GOLD]),
    ]
    for limit, ramp in rings:
        regions.add(radius < limit + 9 * np.sin(9 * angle), ramp)
    points = np.abs(((angle / (2 * np.pi) * 14) % 1) - 0.5) * 2
    regions.add(radius < 82 + 92 * points**1.2, [RED, ORANGE, GOLD], 13)
    regions.add(radius < 80, [WINE, RED, ORANGE, GOLD, IVORY], 13)


def add_land(regions: Regions) -> None:
    """Hills and two cypresses behind the sea."""
    regions.add(
        blob([(60, 470), (60, 330), (180, 290), (330, 350), (470, 400), (560, 470)]),
        [BLACK, TERRA, OCHRE, ORANGE],
    )
    regions.add(blob([(380, 470), (520, 395), (680, 420), (800, 360), (950, 330), (950, 480)]), [FOREST, GREEN, OLIVE])
    regions.add(blob([(60, 480), (60, 400), (200, 385), (330, 420), (420, 480)]), [FOREST, OLIVE, GOLD, GREEN])
    for x, top, wide in ((140, 260, 32), (208, 300, 26)):
        regions.add(
            blob(
                [
                    (x - 7, 440),
                    (x - wide, 400),
                    (x - wide * 0.8, top + 90),
                    (x, top - 40),
                    (x + wide * 0.8, top + 90),
                    (x + wide, 400),
                    (x + 7, 440),
                ]
            ),
            [BLACK, FOREST, GREEN, OLIVE],
            13,
        )


def add_sea(regions: Regions) -> None:
    """Bands of waves, each with its own swing and stones."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    bodies = [[TEAL, BLUE], [LAPIS, BLUE, LAPIS], [BLUE, TEAL], [FOREST, TEAL], [LAPIS, BLUE], [TEAL, GREEN]]
    crests = [IVORY, SKY, GOLD, IVORY, SKY, CREAM]
    for k, (body, crest) in enumerate(zip(bodies, crests, strict=True)):
        top = yy - 425 - 43 * k - 12 * np.sin(xx / (34 + 3 * (k % 3)) + 1.9 * k)
        regions.add(top > 0, [crest], 13)
        regions.add(top > 14, body, 14)


def add_fish(regions: Regions, x: float, y: float, scale: float, ramp: list[Rgb], stripe: list[Rgb]) -> None:
    """A fish looking left; negative scale makes it look right."""

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + scale * px, y + abs(scale) * py) for px, py in points]

    regions.add(blob(at([(-20, -40), (30, -92), (80, -60), (70, -20)])), [BLACK, stripe[0], stripe[-1]], 12)
    regions.add(blob(at([(-10, 40), (30, 84), (62, 66), (50, 20)])), [BLACK, stripe[0], stripe[-1]], 12)
    regions.add(blob(at([(95, 0), (170, -86), (196, -70), (160, 0), (196, 74), (168, 84)]), 2), [BLACK, *stripe], 12)
    body = blob(at([(-150, 6), (-90, -56), (10, -70), (90, -36), (136, -6), (136, 10), (84, 42), (0, 66), (-96, 48)]))
    regions.add(body, [BLACK], 12)
    regions.add(cv2.erode(body.astype(np.uint8), np.ones((21, 21), np.uint8)).astype(bool), ramp, 12)
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    along = (xx - x) / scale + ((yy - y) / scale) ** 2 / 130
    inner = cv2.erode(body.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    for start in (-52, 2, 56):
        regions.add(inner & (along > start) & (along < start + 25), stripe, 12)
    regions.add(disc(x - 98 * scale, y - 12, 20), [BLACK, IVORY, IVORY], 9)
    regions.add(disc(x - 98 * scale, y - 12, 8), [BLACK], 9)


def add_bird(regions: Regions, x: float, y: float) -> None:
    """A dove in flight, wings up, looking right."""

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + px, y + py) for px, py in points]

    regions.add(
        blob(at([(20, 0), (60, -70), (76, -128), (40, -124), (-10, -90), (-40, -10)])),
        [BLACK, GOLD, ORANGE, IVORY],
        11,
    )
    regions.add(
        blob(at([(-60, 20), (-150, 20), (-190, 52), (-160, 66), (-186, 90), (-60, 58)])),
        [BLACK, TERRA, GOLD, CREAM],
        12,
    )
    regions.add(blob(at([(130, -12), (174, 2), (130, 10)]), 1), [ORANGE, RED], 10)
    regions.add(
        blob(
            at(
                [
                    (-90, 36),
                    (-40, -8),
                    (50, 0),
                    (86, -36),
                    (124, -36),
                    (142, -6),
                    (118, 28),
                    (60, 66),
                    (-20, 74),
                ]
            )
        ),
        [BLACK, IVORY, IVORY, CREAM],
        10,
    )
    regions.add(
        blob(at([(36, 18), (0, -60), (-60, -122), (-120, -138), (-126, -96), (-104, -40), (-50, 22), (0, 42)])),
        [BLACK, IVORY, SKY, RED, GOLD],
        11,
    )
    regions.add(disc(x + 112, y - 10, 8), [BLACK], 8)


def border_coordinates() -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Phase along the border (in twists), offset across it (px) and the corners' mask."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    side_x = (xx < BORDER) | (xx >= WIDTH - BORDER)
    side_y = (yy < BORDER) | (yy >= HEIGHT - BORDER)
    across_x = np.minimum(xx, WIDTH - 1 - xx) - BORDER / 2
    across_y = np.minimum(yy, HEIGHT - 1 - yy) - BORDER / 2
    phase_x = (xx - BORDER) / (WIDTH - 2 * BORDER) * 8
    phase_y = (yy - BORDER) / (HEIGHT - 2 * BORDER) * 6
    phase = np.where(side_x, phase_y, phase_x).astype(np.float32)
    return phase, np.where(side_x, across_x, across_y).astype(np.float32), side_x & side_y


def add_border(regions: Regions) -> None:
    """A guilloche of two strands, with a rosette in every corner."""
    phase, across, corners = border_coordinates()
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    regions.add(~inside, [BLACK, IVORY, BLACK], 11)
    angle = 2 * np.pi * phase
    width = 15 * np.sqrt(1 + np.cos(angle) ** 2)
    free = ~inside & ~corners
    strands = [(TERRA, GOLD, 1.0), (LAPIS, SKY, -1.0), (TERRA, GOLD, 1.0)]
    for k, (rim, core, sign) in enumerate(strands):
        offset = np.abs(across - sign * 17 * np.sin(angle))
        # The first strand is laid again at every other crossing: that makes over and under.
        part = free & (np.cos(angle) > 0) if k == 2 else free
        regions.add(part & (offset < width), [rim], 10)
        regions.add(part & (offset < 0.36 * width), [core], 11)
    for x in (BORDER / 2, WIDTH - BORDER / 2):
        for y in (BORDER / 2, HEIGHT - BORDER / 2):
            regions.add(disc(x, y, 38), [IVORY, RED, GOLD], 12)
            regions.add(disc(x, y, 15), [LAPIS, BLUE], 11)


def compose() -> Regions:
    """The whole composition as a label map."""
    regions = Regions(np.zeros((HEIGHT, WIDTH), np.int32))
    regions.add(np.ones((HEIGHT, WIDTH), bool), [LAPIS])
    add_sky_and_sun(regions, 690, 235)
    add_land(regions)
    add_bird(regions, 330, 232)
    add_sea(regions)
    add_fish(regions, 310, 560, 1.0, [RED, ORANGE, GOLD], [IVORY, CREAM])
    add_fish(regions, 705, 540, -0.88, [GOLD, OCHRE, CREAM], [WINE, RED])
    add_border(regions)
    return regions
