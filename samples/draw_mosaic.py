"""Draw a Roman/Byzantine mosaic: the style picture of the 'mosaic' style.

The picture is cut into regions (sun, bird, fish, waves, border).  In every region rows of
stones are laid along the lines of equal distance to the region's edge (the *andamento* of
real mosaics), relaxed by a few Lloyd steps under an oriented square metric (Hausner,
'Simulating decorative mosaics', 2001) and rendered one by one with bevel and grout.
Lengths are in pixels of the finished picture unless a name ends in ``_hi`` (twice as fine).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paint.mosaic_design import HEIGHT, WIDTH, Floats, Ints, Regions, compose

FINE = 2  # supersampling of the finished picture


@dataclass
class Stones:
    """All stones: centre, the angle of the row's normal (radians), label and side."""

    xy: Floats
    angle: Floats
    label: Ints
    size: Floats
    depth: Floats  # distance to the region's edge, in stones


def edge_distance(labels: Ints, framed: bool) -> Floats:
    """Distance of every pixel to the nearest edge of its region; `framed`: the picture's edge counts too."""
    inner = np.ones(labels.shape, np.uint8)
    inner[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    inner[1:, :][labels[1:, :] != labels[:-1, :]] = 0
    if framed:
        inner[[0, -1], :] = 0
        inner[:, [0, -1]] = 0
    return np.asarray(cv2.distanceTransform(inner, cv2.DIST_L2, 5), np.float32)


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
        zip(
            stones.xy.tolist(),
            stones.angle.tolist(),
            stones.label.tolist(),
            stones.size.tolist(),
            strict=True,
        )
    ):
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
    return orient(
        regions,
        distance,
        np.concatenate([places, extra.astype(np.float32)]),
        np.concatenate([stones.label[keep], owners]),
    )


def bare_places(regions: Regions, best: Floats) -> Ints:
    """Places (x, y) for more stones where none covers the ground."""
    size = np.array(regions.sizes, np.float32)[regions.labels]
    found: list[tuple[int, int]] = []
    yy, xx = np.nonzero(best > 0.78)
    for side in np.unique(size):
        here = size[yy, xx] == side
        found += take_apart(
            np.stack([xx[here], yy[here]], 1).astype(np.int32),
            float(side),
            np.zeros((HEIGHT, WIDTH), np.uint8),
        )
    return np.array(found, np.int32).reshape(-1, 2)


def ramp_row(row: int, count: int) -> int:
    """Which of `count` colours a row has: deep rows run up and down the ramp, so large regions keep bands."""
    if row < count:
        return row
    inner = max(1, count - 1)
    return max(0, count - 1 - abs((row - count + 1) % (2 * inner) - inner) % count)


def colour_stones(regions: Regions, stones: Stones, rng: np.random.Generator) -> Floats:
    """One colour per stone: its row's, sometimes the next row's, slightly varied (RGB 0..1)."""
    colours = np.empty((len(stones.xy), 3), np.float32)
    for i, (label, depth) in enumerate(zip(stones.label.tolist(), stones.depth.tolist(), strict=True)):
        ramp = regions.ramps[label]
        stray = rng.uniform() < 0.15
        colours[i] = ramp[ramp_row(int(depth + 0.001) + stray, len(ramp))]
    light = rng.normal(1.0, 0.13, (len(colours), 1))
    tint = rng.normal(0.0, 9.0, (len(colours), 3))
    return np.clip((colours * light + tint) / 255, 0.03, 1).astype(np.float32)


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Floats:
    """Smooth noise of unit variance; sigma in pixels of the array."""
    soft = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(soft / soft.std(), np.float32)


def askew(stones: Stones, index: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Light that stones lying a little askew gain to the right and downwards, per fine pixel."""
    tilt = rng.normal(0, 0.09, (2, len(stones.xy))).astype(np.float32)
    yy, xx = np.mgrid[: index.shape[0], : index.shape[1]].astype(np.float32) / FINE
    du = (xx - stones.xy[index, 0]) / stones.size[index]
    dv = (yy - stones.xy[index, 1]) / stones.size[index]
    return tilt[0][index] * du, tilt[1][index] * dv


def render(regions: Regions, stones: Stones, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint all stones with bevel, grain and grout; the finished picture (RGB)."""
    owner, best, second = assign(regions, stones, FINE)
    labels = np.kron(regions.labels, np.ones((FINE, FINE), np.int32))
    size = np.array(regions.sizes, np.float32)[labels] * FINE
    # How far a pixel is from its stone's rim: from the next stone, the largest stone's side, the outline.
    rim = np.minimum(np.minimum(second - best, 0.7 - best), edge_distance(labels, framed=False) / size)
    rim -= 0.085 + 0.012 * noise(rng, owner.shape, 3.0)
    stone = np.clip(rim / 0.05, 0, 1).astype(np.float32)[..., None]
    height = cv2.GaussianBlur(np.clip(rim / 0.16, 0, 1).astype(np.float32) ** 0.7, (0, 0), 1.2)
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    index = np.maximum(owner, 0)
    right, down = askew(stones, index, rng)
    light = 1 + 0.12 * slope + right + down
    light += 0.035 * noise(rng, owner.shape, 1.0) + 0.03 * noise(rng, owner.shape, 5.0)
    paint = colour_stones(regions, stones, rng)[index] * light[..., None]
    paint += 0.04 * np.maximum(slope, 0)[..., None]
    grout = np.array([0.80, 0.74, 0.64], np.float32) * (0.78 + 0.05 * noise(rng, owner.shape, 1.2))[..., None]
    picture = np.where(owner[..., None] < 0, grout, paint * stone + grout * (1 - stone))
    small = cv2.resize(picture.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small * 255 + 0.5, 0, 255), np.uint8)


def mosaic(size: tuple[int, int] = (WIDTH, HEIGHT), seed: int = 7) -> NDArray[np.uint8]:
    """The finished mosaic as RGB bytes, width x height pixels."""
    rng = np.random.default_rng(seed)
    regions = compose()
    distance = edge_distance(regions.labels, framed=True)
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
    # No chroma subsampling: it would blur small stones into the grout.
    Image.fromarray(mosaic()).save(target, quality=90, subsampling=0)
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
