"""The first scene put together: boats under sail in the bay, seen from a slowly moving camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from paint.coast import SUN, SUN_LIGHT, coast
from paint.harbour import boat, church, gull, house, lighthouse
from paint.land import Camera, Haze, Land
from paint.noise import Floats, rgb, srgb
from paint.sky import Sky, cloud_tile, mountains
from paint.stage import open_air
from paint.things import Pose, Sprite, place
from paint.water import sea


@dataclass(frozen=True)
class Course:
    """A boat's way: where it is at time 0 (m), its speed (m/s, to the right) and its phase in the swell."""

    x: float
    z: float
    speed: float
    phase: float
    size: float = 1.0

    def pose(self, time: float) -> Pose:
        """Where the boat is at a time (s), heeling and bobbing."""
        swell = 1.25 * time + self.phase
        lean = (0.07 + 0.035 * math.sin(swell)) * (1 if self.speed > 0 else -1)
        return Pose(self.x + self.speed * time, 0.14 * math.sin(swell * 1.3), self.z, lean, self.size, self.speed < 0)


def boats() -> list[tuple[Sprite, Course]]:
    """The boats and their ways, the farthest first."""
    white, cream, rust = srgb(244, 240, 230), srgb(246, 226, 180), srgb(178, 66, 36)
    blue, navy, red = srgb(40, 108, 170), srgb(26, 48, 96), srgb(170, 36, 34)
    return [
        (boat(4, white, red, white, white), Course(46, 420, -3, 0.4)),
        (boat(3, navy, cream, cream, white), Course(-62, 300, 3, 2.0)),
        (boat(6, red, white, white, cream), Course(8, 215, -2.4, 4.0)),
        (boat(2, blue, cream, rust, srgb(222, 140, 60)), Course(30, 112, -2.0, 1.1)),
        (boat(1, white, navy, white, cream), Course(-23, 66, 3.0, 3.0)),
    ]


def village(land: Land, rng: np.random.Generator) -> list[tuple[Sprite, Pose]]:
    """Houses on the slope behind the shore, the farthest first."""
    walls = [(240, 222, 186), (232, 178, 134), (244, 236, 220), (222, 150, 120), (236, 204, 130)]
    kinds = [house(k, srgb(*wall), srgb(186 - 8 * k, 88 + 3 * k, 58), 1 + k % 3) for k, wall in enumerate(walls)]
    found: list[tuple[Sprite, Pose]] = []
    for row in range(4):
        for k in range(15):
            x = -262 + 13.5 * k + rng.uniform(-3, 3)
            shore = next((z for z in range(330, 760, 2) if land.at(x, z) > 2.0), None)
            z = (shore or 0) + 6 + 17 * row + rng.uniform(-3, 3)
            if shore is not None and rng.uniform() < 0.92 - 0.14 * row:
                pose = Pose(x, land.at(x, z) - 0.8, z, 0, 1.0)
                found.append((kinds[int(rng.integers(len(kinds)))], pose))
    middle = found[len(found) // 2][1]
    x, z = middle.x + 8, middle.z + 40
    found.append((church(9), Pose(x, land.at(x, z) - 1, z, 0, 1.15)))
    return sorted(found, key=lambda item: -item[1].z)


def air() -> Sky:
    """A blue afternoon sky with lit clouds."""
    rng = np.random.default_rng(5)
    return Sky(
        srgb(24, 80, 176),
        srgb(190, 208, 220),
        rgb(1.2, 1.0, 0.80),
        rgb(0.36, 0.42, 0.54),
        rgb(0.5, 0.32, 0.12),
        SUN,
        cloud_tile(rng, 5, 0.35, -3, 2),
        cloud_tile(rng, 5, 0.1, -3, -2.4),
    )


class Bay:
    """The bay, ready to be drawn at any time through any camera near (0, 13, 0)."""

    def __init__(self, camera: Camera) -> None:
        self.land, self.haze = coast()
        self.sky = air()
        blue = Haze(rgb(0.40, 0.52, 0.70), 15000)
        self.far = mountains(9, camera, blue, SUN, SUN_LIGHT, 1900, 900)
        self.sea = sea(6, srgb(8, 58, 78), srgb(60, 150, 150), SUN, rgb(3, 2.4, 1.6))
        self.boats = boats()
        self.houses = village(self.land, np.random.default_rng(8))
        self.light = lighthouse(2)
        self.beacon = Pose(71, self.land.at(71, 170) - 1.0, 170)
        rng = np.random.default_rng(1)
        self.gulls = [gull(2 * math.pi * k / 16, rng) for k in range(16)]

    def things(self, time: float) -> list[tuple[Sprite, Pose]]:
        """What stands in the scene at a time (s), the farthest first."""
        sailing = [(sprite, course.pose(time)) for sprite, course in self.boats]
        flying = []
        for k in range(7):
            beat = int((time * (1.5 + 0.1 * k) + 0.37 * k) * 16) % 16
            x = -30 + 11 * k + time * (3.2 - 0.5 * k) + 2 * math.sin(time + k)
            y = 19 + 3.1 * ((k * 5) % 7) * 0.6 + 0.5 * math.sin(1.7 * time + k)
            flying.append((self.gulls[beat], Pose(x, y, 48 + 9.0 * ((k * 3) % 7), 0.15 * math.sin(time + k), 1.25)))
        return sorted([*self.houses, (self.light, self.beacon), *sailing, *flying], key=lambda item: -item[1].z)

    def frame(self, camera: Camera, time: float) -> Floats:
        """Light of the scene at a time (s)."""
        picture, mirror = open_air(self.land, self.haze, self.sky, self.far, camera, time, 12, 1850, 900)
        things = self.things(time)
        for sprite, pose in things:
            place(mirror, sprite, pose, camera, self.haze, mirrored=True)
        light, depth, first = self.sea.draw(camera, self.land, mirror, time)
        nearer = depth < picture.depth[first:]
        picture.light[first:] = np.where(nearer[..., None], light, picture.light[first:])
        picture.depth[first:] = np.where(nearer, depth + 2, picture.depth[first:])
        for sprite, pose in things:
            place(picture, sprite, pose, camera, self.haze)
        return picture.light
