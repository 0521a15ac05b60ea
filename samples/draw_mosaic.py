"""Draw a Roman/Byzantine mosaic: the style picture of the 'mosaic' style.

The picture is cut into regions (sun, bird, fish, waves, border).  In every region rows of
stones are laid along the lines of equal distance to the region's edge (the *andamento* of
real mosaics), relaxed by a few Lloyd steps under an oriented square metric (Hausner,
'Simulating decorative mosaics', 2001) and rendered one by one with bevel and grout.
Lengths are in pixels of the finished picture unless a name ends in ``_hi`` (twice as fine).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Rgb = tuple[int, int, int]

WIDTH, HEIGHT, BORDER = 1000, 750, 88
FINE = 2  # supersampling of the finished picture

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


@dataclass
class Stones:
    """All stones: centre, the angle of the row's normal (radians), label and side."""

    xy: Floats
    angle: Floats
    label: Ints
    size: Floats
    depth: Floats  # distance to the region's edge, in stones


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
    rings = [(900, [LAPIS, BLUE]), (400, [BLUE, LAPIS, SKY]), (310, [SKY, BLUE, SKY]), (245, [CREAM, IVORY]),
             (212, [GOLD, OCHRE, GOLD])]
    for limit, ramp in rings:
        regions.add(radius < limit + 9 * np.sin(9 * angle), ramp)
    points = np.abs(((angle / (2 * np.pi) * 14) % 1) - 0.5) * 2
    regions.add(radius < 82 + 92 * points**1.2, [RED, ORANGE, GOLD], 13)
    regions.add(radius < 80, [WINE, RED, ORANGE, GOLD, IVORY], 13)


def add_land(regions: Regions) -> None:
    """Hills and two cypresses behind the sea."""
    regions.add(blob([(60, 470), (60, 330), (180, 290), (330, 350), (470, 400), (560, 470)]), [BLACK, TERRA, OCHRE, ORANGE])
    regions.add(blob([(380, 470), (520, 395), (680, 420), (800, 360), (950, 330), (950, 480)]), [FOREST, GREEN, OLIVE])
    regions.add(blob([(60, 480), (60, 400), (200, 385), (330, 420), (420, 480)]), [FOREST, OLIVE, GOLD, GREEN])
    for x, top, wide in ((140, 260, 32), (208, 300, 26)):
        regions.add(blob([(x - 7, 440), (x - wide, 400), (x - wide * 0.8, top + 90), (x, top - 40),
                          (x + wide * 0.8, top + 90), (x + wide, 400), (x + 7, 440)]), [BLACK, FOREST, GREEN, OLIVE], 13)


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

    regions.add(blob(at([(20, 0), (60, -70), (76, -128), (40, -124), (-10, -90), (-40, -10)])), [BLACK, GOLD, ORANGE, IVORY], 11)
    regions.add(blob(at([(-60, 20), (-150, 20), (-190, 52), (-160, 66), (-186, 90), (-60, 58)])), [BLACK, TERRA, GOLD, CREAM], 12)
    regions.add(blob(at([(130, -12), (174, 2), (130, 10)]), 1), [ORANGE, RED], 10)
    regions.add(blob(at([(-90, 36), (-40, -8), (50, 0), (86, -36), (124, -36), (142, -6), (118, 28), (60, 66), (-20, 74)])),
                [BLACK, IVORY, IVORY, CREAM], 10)
    regions.add(blob(at([(36, 18), (0, -60), (-60, -122), (-120, -138), (-126, -96), (-104, -40), (-50, 22), (0, 42)])),
                [BLACK, IVORY, SKY, RED, GOLD], 11)
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


def edge_distance(regions: Regions) -> Floats:
    """Distance of every pixel to the nearest edge of its region."""
    labels = regions.labels
    edge = np.ones((HEIGHT, WIDTH), np.uint8)
    edge[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    edge[1:, :][labels[1:, :] != labels[:-1, :]] = 0
    edge[[0, -1], :] = 0
    edge[:, [0, -1]] = 0
    return np.asarray(cv2.distanceTransform(edge, cv2.DIST_L2, 5), np.float32)


def take_apart(candidates: Ints, size: float, taken: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Those candidates (x, y), in their order, that keep 0.78 of a side between them; marks `taken`."""
    chosen: list[tuple[int, int]] = []
    for x, y in candidates.tolist():
        if not taken[y, x]:
            chosen.append((x, y))
            cv2.circle(taken, (x, y), int(0.78 * size), 1, -1)
    return chosen


def seed_rows(regions: Regions, distance: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """First places of the stones: equal steps along the lines of equal distance to the edges."""
    places: list[tuple[int, int]] = []
    owners: list[int] = []
    for label, size in enumerate(regions.sizes):
        inside = regions.labels == label
        taken = np.zeros((HEIGHT, WIDTH), np.uint8)
        level = 0.42 * size
        while (core := (inside & (distance > level)).astype(np.uint8)).any():
            contours, _ = cv2.findContours(core, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            for contour in contours:
                line = contour[:, 0, :].astype(np.int32)
                steps = np.hypot(*np.diff(line, axis=0, append=line[:1]).T)
                length = float(steps.sum())
                count = max(1, round(length / size))
                marks = (np.arange(count) + rng.uniform()) % count * (length / count)
                at = line[np.clip(np.searchsorted(np.cumsum(steps) - steps, marks), 0, len(line) - 1)]
                places += take_apart(at, size, taken)
            level += size
        owners += [label] * (len(places) - len(owners))
    return np.array(places, np.int32), np.array(owners, np.int32)


def assign(regions: Regions, stones: Stones, scale: int) -> tuple[Ints, Floats, Floats]:
    """Nearest stone per pixel, its distance and the next one's (oriented square metric, in sides).

    Only stones of the pixel's own region count, so stones never cross an outline.
    """
    labels = np.kron(regions.labels, np.ones((scale, scale), np.int32)) if scale > 1 else regions.labels
    height, width = labels.shape
    owner = np.full((height, width), -1, np.int32)
    best, second = np.full((2, height, width), 9.0, np.float32)
    for i, ((x, y), angle, label, size) in enumerate(
            zip(stones.xy.tolist(), stones.angle.tolist(), stones.label.tolist(), stones.size.tolist(), strict=True)):
        reach = 1.5 * size
        x0, x1 = max(0, int((x - reach) * scale)), min(width, int((x + reach) * scale) + 1)
        y0, y1 = max(0, int((y - reach) * scale)), min(height, int((y + reach) * scale) + 1)
        yy = ((np.arange(y0, y1, dtype=np.float32) + 0.5) / scale - 0.5 - y)[:, None] / size
        xx = ((np.arange(x0, x1, dtype=np.float32) + 0.5) / scale - 0.5 - x)[None, :] / size
        c, s = float(np.cos(angle)), float(np.sin(angle))
        square = np.maximum(np.abs(c * xx + s * yy), np.abs(c * yy - s * xx))
        square = np.where(labels[y0:y1, x0:x1] == label, square, 9.0).astype(np.float32)
        window = (slice(y0, y1), slice(x0, x1))
        nearer = square < best[window]
        second[window] = np.where(nearer, best[window], np.minimum(second[window], square))
        best[window] = np.where(nearer, square, best[window])
        owner[window] = np.where(nearer, i, owner[window])
    return owner, best, second


def orient(regions: Regions, distance: Floats, places: Floats, owners: Ints) -> Stones:
    """Stones at the given places, turned along the rows."""
    soft = cv2.GaussianBlur(distance, (0, 0), 2.5)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=5), cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=5)
    xi = np.clip(np.round(places[:, 0]), 0, WIDTH - 1).astype(int)
    yi = np.clip(np.round(places[:, 1]), 0, HEIGHT - 1).astype(int)
    size = np.array(regions.sizes, np.float32)[owners]
    angle = np.arctan2(gy[yi, xi], gx[yi, xi]).astype(np.float32)
    return Stones(places, angle, owners, size, distance[yi, xi] / size)


def relax(regions: Regions, stones: Stones, distance: Floats) -> Stones:
    """One Lloyd step: stones move to the middle of their cells; crushed ones are taken away."""
    owner, best, _ = assign(regions, stones, 1)
    held = owner >= 0
    index = owner[held]
    yy, xx = np.nonzero(held)
    area = np.bincount(index, minlength=len(stones.xy))
    keep = area > 0.22 * stones.size**2
    mean = np.stack([np.bincount(index, weights=w, minlength=len(area)) for w in (xx, yy)], 1)
    places = (mean[keep] / area[keep, None]).astype(np.float32)
    extra = bare_places(regions, best)
    owners = regions.labels[extra[:, 1], extra[:, 0]]
    return orient(regions, distance, np.concatenate([places, extra.astype(np.float32)]),
                  np.concatenate([stones.label[keep], owners]))


def bare_places(regions: Regions, best: Floats) -> Ints:
    """Places (x, y) for more stones where none covers the ground."""
    size = np.array(regions.sizes, np.float32)[regions.labels]
    found: list[tuple[int, int]] = []
    yy, xx = np.nonzero(best > 0.78)
    for side in np.unique(size):
        here = size[yy, xx] == side
        found += take_apart(np.stack([xx[here], yy[here]], 1).astype(np.int32), float(side), np.zeros((HEIGHT, WIDTH), np.uint8))
    return np.array(found, np.int32).reshape(-1, 2)


def colour_stones(regions: Regions, stones: Stones, rng: np.random.Generator) -> Floats:
    """One colour per stone: its row's, sometimes the next row's, slightly varied (RGB 0..1)."""
    colours = np.empty((len(stones.xy), 3), np.float32)
    for i, (label, depth) in enumerate(zip(stones.label.tolist(), stones.depth.tolist(), strict=True)):
        ramp = regions.ramps[label]
        row = int(depth + 0.001)
        if rng.uniform() < 0.15:
            row += 1
        # Deep rows run up and down the ramp, so large regions keep their bands.
        inner = max(1, len(ramp) - 1)
        row = row if row < len(ramp) else len(ramp) - 1 - abs((row - len(ramp) + 1) % (2 * inner) - inner) % len(ramp)
        colours[i] = ramp[max(0, min(row, len(ramp) - 1))]
    light = rng.normal(1.0, 0.13, (len(colours), 1))
    tint = rng.normal(0.0, 9.0, (len(colours), 3))
    return np.clip((colours * light + tint) / 255, 0.03, 1).astype(np.float32)


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Floats:
    """Smooth noise of unit variance; sigma in pixels of the array."""
    soft = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(soft / soft.std(), np.float32)


def render(regions: Regions, stones: Stones, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint all stones with bevel, grain and grout; the finished picture (RGB)."""
    owner, best, second = assign(regions, stones, FINE)
    shape = owner.shape
    gap = 0.085 + 0.012 * noise(rng, shape, 3.0)
    labels = np.kron(regions.labels, np.ones((FINE, FINE), np.int32))
    edge = np.ones(shape, np.uint8)
    edge[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    edge[1:, :][labels[1:, :] != labels[:-1, :]] = 0
    size = np.array(regions.sizes, np.float32)[labels] * FINE
    rim = np.minimum(np.minimum(second - best, 0.7 - best), cv2.distanceTransform(edge, cv2.DIST_L2, 5) / size)
    stone = np.clip((rim - gap) / 0.05, 0, 1).astype(np.float32)
    height = np.clip((rim - gap) / 0.16, 0, 1).astype(np.float32) ** 0.7
    height = cv2.GaussianBlur(height, (0, 0), 1.2)
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    index = np.maximum(owner, 0)
    tilt = rng.normal(0, 0.09, (2, len(stones.xy))).astype(np.float32)
    yy, xx = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / FINE
    du = (xx - stones.xy[index, 0]) / stones.size[index]
    dv = (yy - stones.xy[index, 1]) / stones.size[index]
    light = 1 + 0.12 * slope + tilt[0][index] * du + tilt[1][index] * dv
    light += 0.035 * noise(rng, shape, 1.0) + 0.03 * noise(rng, shape, 5.0)
    paint = colour_stones(regions, stones, rng)[index] * light[..., None] + 0.04 * np.maximum(slope, 0)[..., None]
    grout = np.array([0.80, 0.74, 0.64], np.float32) * (0.78 + 0.05 * noise(rng, shape, 1.2))[..., None]
    picture = np.where(owner[..., None] < 0, grout, paint * stone[..., None] + grout * (1 - stone[..., None]))
    small = cv2.resize(picture.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small * 255 + 0.5, 0, 255), np.uint8)


def mosaic(size: tuple[int, int] = (WIDTH, HEIGHT), seed: int = 7) -> NDArray[np.uint8]:
    """The finished mosaic as RGB bytes, width x height pixels."""
    rng = np.random.default_rng(seed)
    regions = compose()
    distance = edge_distance(regions)
    places, owners = seed_rows(regions, distance, rng)
    stones = orient(regions, distance, places.astype(np.float32), owners)
    for _ in range(6):
        stones = relax(regions, stones, distance)
    picture = render(regions, stones, rng)
    if size != (WIDTH, HEIGHT):
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return picture


def main() -> None:
    """Write mosaic.jpg next to this file."""
    cv2.setNumThreads(1)
    target = Path(__file__).with_name("mosaic.jpg")
    Image.fromarray(mosaic()).save(target, quality=90, subsampling=0)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
