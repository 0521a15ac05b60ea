"""Things that stand in a scene as flat pictures: how they are drawn and how they are placed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from paint.land import Camera, Haze
from paint.noise import Bytes, Floats, fbm

Points = list[tuple[float, float]]


def curve(points: Points, rounds: int = 3) -> Points:
    """The closed outline through the points with its corners cut (Chaikin)."""
    line = np.array(points, np.float64)
    for _ in range(rounds):
        after = np.roll(line, -1, axis=0)
        line = np.stack([0.75 * line + 0.25 * after, 0.25 * line + 0.75 * after], 1).reshape(-1, 2)
    return [(float(x), float(y)) for x, y in line]


class Canvas:
    """A clear picture of `wide` x `tall` metres to draw a thing on; y grows upwards, (0, 0) bottom middle."""

    def __init__(self, wide: float, tall: float, per_metre: float, rng: np.random.Generator) -> None:
        self.per_metre = per_metre
        self.columns, self.rows = int(wide * per_metre), int(tall * per_metre)
        self.light = np.zeros((self.rows, self.columns, 3), np.float32)
        self.cover = np.zeros((self.rows, self.columns), np.float32)
        noise = fbm(rng, 1024, 16, 6, 0.7)
        self.noise = np.tile(noise, (1 + self.rows // 1024, 1 + self.columns // 1024))[: self.rows, : self.columns]
        xx = (np.arange(self.columns, dtype=np.float32) + 0.5)[None, :] / per_metre - wide / 2
        yy = tall - (np.arange(self.rows, dtype=np.float32) + 0.5)[:, None] / per_metre
        self.x, self.y = np.broadcast_arrays(xx, yy)

    def clear(self) -> None:
        """Wipe what was drawn."""
        self.light, self.cover = np.zeros_like(self.light), np.zeros_like(self.cover)

    def pixels(self, points: Points) -> Bytes:
        """Antialiased mask (0..255) of the outline in metres."""
        mask = np.zeros((self.rows, self.columns), np.uint8)
        place = [
            ((x * self.per_metre + self.columns / 2) * 16, (self.rows - y * self.per_metre) * 16) for x, y in points
        ]
        cv2.fillPoly(mask, [np.round(np.array(place)).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return mask

    def lay(self, mask: Bytes | Floats, light: Floats, rough: float = 0.06) -> None:
        """Paint light (a colour or a picture) where the mask (0..255) is, a little uneven."""
        share = np.asarray(mask, np.float32)[..., None] / 255
        light = light * np.clip(1 + rough * self.noise, 0.2, 2)[..., None]
        self.light = np.asarray(self.light * (1 - share) + light * share, np.float32)
        self.cover = np.asarray(np.maximum(self.cover, share[..., 0]), np.float32)

    def shape(self, points: Points, light: Floats, rough: float = 0.06) -> None:
        """Paint an outline given in metres."""
        self.lay(self.pixels(points), light, rough)

    def line(self, x0: float, y0: float, x1: float, y1: float, thick: float, light: Floats) -> None:
        """Paint a straight bar `thick` metres wide."""
        length = math.hypot(x1 - x0, y1 - y0)
        nx, ny = -(y1 - y0) / length * thick / 2, (x1 - x0) / length * thick / 2
        self.shape([(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)], light)

    def sprite(self, foot: float = 0.0) -> Sprite:
        """The finished thing; it stands on its point (0, foot)."""
        return Sprite(
            np.dstack([self.light, self.cover]).astype(np.float32),
            self.per_metre,
            (self.columns / 2, self.rows - foot * self.per_metre),
        )


@dataclass
class Sprite:
    """A flat picture of a thing: premultiplied light and cover (4 channels), and where it stands."""

    picture: Floats
    per_metre: float
    foot: tuple[float, float]  # column and row of the point that is placed
    smaller: list[Floats] = field(default_factory=list)

    def level(self, scale: float) -> tuple[Floats, float]:
        """A copy shrunk by halves so that `scale` pixels per pixel keep its detail without flicker."""
        if not self.smaller:
            self.smaller.append(self.picture)
            while min(self.smaller[-1].shape[:2]) > 8:
                rows, columns = self.smaller[-1].shape[:2]
                even = self.smaller[-1][: rows // 2 * 2, : columns // 2 * 2]
                self.smaller.append(cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        k = 0
        while scale < 0.75 and k + 1 < len(self.smaller):
            scale, k = scale * 2, k + 1
        return self.smaller[k], 0.5**k


@dataclass
class Pose:
    """Where a thing stands (m), how it leans (radians) and how much larger it is than drawn."""

    x: float
    y: float
    z: float
    lean: float = 0.0
    size: float = 1.0
    flip: bool = False


class Stage(Protocol):
    """A picture under work: light, and depth to test things against."""

    light: Floats
    depth: Floats


def place(stage: Stage, sprite: Sprite, pose: Pose, camera: Camera, haze: Haze, mirrored: bool = False) -> None:
    """Put a thing into a picture, behind whatever is nearer; or its mirror picture in still water."""
    column, row, depth = camera.see(pose.x, pose.y, pose.z)
    if mirrored:
        row = camera.horizon + camera.focal * (pose.y + camera.y) / depth
    if depth < 1.0:
        return
    scale = camera.focal / depth / sprite.per_metre * pose.size
    picture, shrunk = sprite.level(scale)
    scale /= shrunk
    c, s = math.cos(pose.lean) * scale, math.sin(pose.lean) * scale
    across, down = -1.0 if pose.flip else 1.0, -1.0 if mirrored else 1.0
    turn = np.array([[c * across, -s], [s * across * down, c * down]], np.float32)
    foot = np.array([sprite.foot[0] * shrunk, sprite.foot[1] * shrunk], np.float32)
    shift = np.array([column, row], np.float32) - turn @ foot
    high, wide = picture.shape[:2]
    corners = np.array([[0, 0], [wide, 0], [0, high], [wide, high]], np.float32) @ turn.T + shift
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0)
    x1 = min(int(corners[:, 0].max()) + 2, camera.width)
    y1 = min(int(corners[:, 1].max()) + 2, camera.height)
    if x1 <= x0 or y1 <= y0:
        return
    move = np.column_stack([turn, shift - np.array([x0, y0])]).astype(np.float32)
    put = cv2.warpAffine(picture, move, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    window = (slice(int(y0), y1), slice(int(x0), x1))
    put = put * (stage.depth[window] > depth - 0.5)[..., None]
    share = float(haze.amount(np.float32(depth), np.float32(pose.y + 4)))
    cover = put[..., 3:]
    light = put[..., :3] * (1 - share) + haze.colour * share * cover
    stage.light[window] = stage.light[window] * (1 - cover) + light
    stage.depth[window] = np.where(cover[..., 0] > 0.5, depth, stage.depth[window])
