"""Land as a height map, seen through a level camera.

The world is in metres: x to the right, y up, z away.  For every column of the picture the land
is walked away from the camera in growing steps; a pixel shows the first step that rises into its
ray.  Mirror pictures in water are walked the same way from below the water line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from paint.noise import Floats, fbm, sample, step


@dataclass(frozen=True)
class Camera:
    """A level camera; `focal` and `horizon` (row of the horizon) in pixels of its picture."""

    x: float
    y: float
    z: float
    yaw: float  # radians, positive looks to the right
    focal: float
    horizon: float
    width: int
    height: int

    def see(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Column, row and depth (m) of a point."""
        dx, dz = x - self.x, z - self.z
        depth = dx * math.sin(self.yaw) + dz * math.cos(self.yaw)
        side = dx * math.cos(self.yaw) - dz * math.sin(self.yaw)
        depth = max(depth, 0.1)
        return (
            self.width / 2 + self.focal * side / depth,
            self.horizon - self.focal * (y - self.y) / depth,
            depth,
        )

    def ground(self, depth: Floats, columns: Floats) -> tuple[Floats, Floats]:
        """World x and z of the points at the given depths (m) in the given columns."""
        side = (columns - self.width / 2) / self.focal * depth
        x = self.x + depth * math.sin(self.yaw) + side * math.cos(self.yaw)
        z = self.z + depth * math.cos(self.yaw) - side * math.sin(self.yaw)
        return np.asarray(x, np.float32), np.asarray(z, np.float32)


@dataclass(frozen=True)
class Haze:
    """Air between things and the camera."""

    colour: Floats
    reach: float  # depth in m at which 63 % is haze
    mist: float = 0.0  # more haze near the ground, as a factor
    mist_height: float = 30.0  # m

    def amount(self, depth: Floats, height: Floats) -> Floats:
        """Share of haze (0..1) in front of points at the given depth and height."""
        low = 1 + self.mist * np.exp(-np.maximum(height, 0) / self.mist_height)
        return np.asarray(1 - np.exp(-depth / self.reach * low), np.float32)


@dataclass
class Land:
    """Height (m) and lit colour on a square grid with `cell` metres a step."""

    height: Floats
    colour: Floats
    cell: float
    x0: float
    z0: float
    grain: Floats  # tiling noise for what is finer than the grid
    grain_height: float = 0.0  # m at one deviation
    grain_light: float = 0.12

    def at(self, x: float, z: float) -> float:
        """Height of the land at a place."""
        row, column = int((z - self.z0) / self.cell), int((x - self.x0) / self.cell)
        last = self.height.shape[0] - 1
        return float(self.height[min(max(row, 0), last), min(max(column, 0), last)])


@dataclass
class View:
    """What a camera sees of the land; nothing where `depth` is infinite."""

    light: Floats
    depth: Floats
    mirror: Floats  # the same in still water at height 0
    mirror_depth: Floats


def sunlight(height: Floats, cell: float, sun: Floats, softness: float = 6.0, reach: int = 120) -> Floats:
    """Light from the sun (0..1) on a height map, shadows included; `sun` points to the sun (x, y, z)."""
    gx, gz = np.gradient(height, cell, axis=1), np.gradient(height, cell, axis=0)
    lit = (sun[1] - gx * sun[0] - gz * sun[2]) / np.sqrt(1 + gx * gx + gz * gz)
    flat = float(np.hypot(sun[0], sun[2]))
    climb = float(sun[1]) / flat * cell
    shade = np.zeros_like(height)
    k = 1.0
    while k < reach:
        move = np.array([[1, 0, -sun[0] / flat * k], [0, 1, -sun[2] / flat * k]], np.float32)
        toward = cv2.warpAffine(height, move, height.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        shade = np.maximum(shade, (toward - height - climb * k) / (softness * 0.1 * cell * (1 + 0.08 * k)))
        k += max(1.0, 0.06 * k)
    return np.asarray(np.clip(lit, 0, 1) * np.clip(1 - shade, 0, 1), np.float32)


def openness(height: Floats, cell: float, radius: float) -> Floats:
    """Share of the sky seen (about 0..1): hollows are darker than crests."""
    around = cv2.GaussianBlur(height, (0, 0), radius / cell)
    return np.asarray(np.clip(0.75 + (height - around) / radius * 0.6, 0.15, 1.1), np.float32)


def add_trees(
    height: Floats,
    cover: Floats,
    rng: np.random.Generator,
    count: int,
    radius: float,
    tall: float,
    pointed: bool,
) -> Floats:
    """Raise trees where `cover` (0..1) allows; returns how much of each cell is crown (0..1).

    Radius and height in grid cells; the sizes vary by half.
    """
    crowns = np.zeros_like(height)
    size = height.shape[0]
    places = rng.uniform(8, size - 9, (count, 2))
    kept = cover[places[:, 0].astype(int), places[:, 1].astype(int)] > rng.uniform(0, 1, count)
    for row, column in places[kept]:
        r = radius * rng.uniform(0.6, 1.3)
        n = int(r + 1.5)
        y, x = int(row), int(column)
        yy, xx = np.mgrid[y - n : y + n + 1, x - n : x + n + 1]
        away = np.hypot(yy - row, xx - column) / r
        shape = np.clip(1 - away, 0, 1) if pointed else np.sqrt(np.clip(1 - away * away, 0, 1))
        window = (slice(y - n, y + n + 1), slice(x - n, x + n + 1))
        crowns[window] = np.maximum(crowns[window], shape * tall * rng.uniform(0.7, 1.2))
    # Leaves: no crown is smooth.
    crowns *= 1 + 0.16 * rng.standard_normal(crowns.shape).astype(np.float32)
    height += crowns
    return np.asarray(np.clip(crowns / (0.2 * tall), 0, 1), np.float32)


def walk(slopes: Floats, wanted: Floats) -> Floats:
    """Fractional step at which each column's land first reaches each wanted slope.

    `slopes` is steps x columns, `wanted` rows; the result rows x columns, the number of steps where
    the land stays lower.
    """
    steps, width = slopes.shape
    highest = np.maximum.accumulate(slopes, axis=0)
    found = np.empty((len(wanted), width), np.int64)
    for column in range(width):
        found[:, column] = np.searchsorted(highest[:, column], wanted)
    upper = np.minimum(found, steps - 1)
    lower = np.maximum(upper - 1, 0)
    columns = np.arange(width)[None, :]
    below, above = slopes[lower, columns], slopes[upper, columns]
    part = np.clip((wanted[:, None] - below) / np.maximum(above - below, 1e-6), 0, 1)
    return np.where(found >= steps, np.float32(steps), lower + part).astype(np.float32)


def walk_mirrored(raised: Floats, away: Floats, camera: Camera) -> Floats:
    """Fractional step at which the ray of each pixel, thrown back by the water, reaches land.

    The land between camera and water does not count; to know it about is enough, so the rows are
    taken in groups by the depth (m) of their water.
    """
    found = np.full((camera.height, raised.shape[1]), len(away), np.float32)
    drop = np.maximum(np.arange(camera.height, dtype=np.float32) - camera.horizon, 1e-3) / camera.focal
    water = camera.y / drop
    if raised.min() > 0:  # no water in sight
        return found
    limits = np.geomspace(away[0], away[-1], 11)
    for nearest, farthest in pairwise([0.0, *limits[1:]]):
        rows = (water >= nearest) & (water < farthest)
        start = int(np.searchsorted(away, nearest))
        if rows.any():
            found[rows] = start + walk(raised[start:], drop[rows])
    return found


def pick(values: Floats, steps: Floats) -> Floats:
    """Values (steps x columns, any channels) at fractional steps (rows x columns)."""
    columns = np.broadcast_to(np.arange(steps.shape[1], dtype=np.float32), steps.shape)
    return np.asarray(
        cv2.remap(values, np.ascontiguousarray(columns), steps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def look(land: Land, camera: Camera, haze: Haze, near: float, far: float, steps: int) -> View:
    """The land as the camera sees it, and its mirror picture in the water."""
    depth = np.geomspace(near, far, steps, dtype=np.float32)[:, None]
    columns = np.arange(camera.width, dtype=np.float32)[None, :]
    x, z = camera.ground(depth, columns)
    mx, mz = (x - land.x0) / land.cell, (z - land.z0) / land.cell
    height = cv2.remap(land.height, mx, mz, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = cv2.remap(land.colour, mx, mz, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height += land.grain_height * sample(land.grain, mx * 2.3, mz * 2.3) * (height > 0.2)
    face = np.abs(np.diff(height, axis=0, append=height[-1:]) / np.diff(depth, axis=0, append=2 * far))
    share = haze.amount(depth, height)[..., None]
    light = light * (1 - share) + haze.colour * share
    rows = np.arange(camera.height, dtype=np.float32)
    direct = walk((height - camera.y) / depth, (camera.horizon - rows) / camera.focal)
    away = depth[:, 0]
    # Only land above the water has a mirror picture; it hangs as far below the horizon as it would
    # stand above a camera at minus its height.
    raised = np.where(height > 0, (height + camera.y) / depth, -9.0).astype(np.float32)
    mirrored = walk_mirrored(raised, away, camera)
    seen = depth_of(away, direct)
    texture = rough(land, camera, seen, step(pick(face, direct), 0.25, 0.9))
    return View(pick(light, direct) * texture[..., None], seen, pick(light, mirrored), depth_of(away, mirrored))


def rough(land: Land, camera: Camera, depth: Floats, face: Floats) -> Floats:
    """Factor of light for what is finer than the height map: grain on the ground, strata on steep faces."""
    depth = np.minimum(depth, 1e5)
    x, z = camera.ground(depth, np.arange(camera.width, dtype=np.float32)[None, :])
    rows = np.arange(camera.height, dtype=np.float32)[:, None]
    y = camera.y + (camera.horizon - rows) / camera.focal * depth
    total = np.ones_like(depth)
    # Every scale is gone where a pixel would hold more than one bump of it.
    for bumps, gone, strength in ((1.1, 2200.0, 1.0), (4.0, 750.0, 1.2), (15.0, 330.0, 1.6)):
        per_metre = bumps / land.cell
        ground = sample(land.grain, x * per_metre, z * per_metre)
        strata = sample(land.grain, (x + 0.7 * z) * per_metre * 0.7, y * per_metre * 0.9)
        cracks = strata + 0.7 - 2.2 * np.exp(-((strata * 3.5) ** 2))
        near = strength * np.exp(-((depth / (gone * land.cell)) ** 2))
        total += land.grain_light * near * (ground + (cracks - ground) * face)
    return np.asarray(np.clip(total, 0.25, 2), np.float32)


def depth_of(away: Floats, steps: Floats) -> Floats:
    """Depth (m) at fractional steps; infinite past the last one."""
    depth = np.interp(steps, np.arange(len(away)), away)
    return np.where(steps >= len(away) - 1, np.inf, depth).astype(np.float32)


def grain(rng: np.random.Generator) -> Floats:
    """Tiling noise for `Land.grain`."""
    return fbm(rng, 512, 64, 4, 0.7)
