"""The second scene put together: balloons over farmland in the morning, and a windmill at work."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from paint.balloons import CLOTHS, balloon, mill, sails
from paint.harbour import church, gull, house
from paint.hills import SUN, SUN_LIGHT, farmland
from paint.land import Camera, Haze
from paint.noise import Floats, rgb, srgb
from paint.sky import Sky, cloud_tile, mountains
from paint.stage import open_air
from paint.things import Canvas, Pose, Sprite, place

MILL = (-92.0, 232.0)


@dataclass(frozen=True)
class Drift:
    """A balloon's way: place at time 0 (m), climb and drift (m/s), its cloth and when its flame burns (s)."""

    x: float
    y: float
    z: float
    drift: float
    climb: float
    cloth: int
    spin: float
    burn: float


BALLOONS = [
    Drift(150, 150, 640, -1.2, 0.8, 5, 0.2, 0.4),
    Drift(-60, 205, 560, 1.0, 0.6, 3, -0.2, 1.4),
    Drift(-250, 150, 520, 1.2, 1.0, 4, 0.15, 0.8),
    Drift(44, 122, 330, 0.8, 1.4, 1, 0.22, 1.8),
    Drift(104, 122, 215, -1.0, 0.5, 2, -0.2, 0.2),
    Drift(-13, 100, 112, 0.9, 1.6, 0, 0.25, 1.0),
]


def air() -> Sky:
    """A warm morning sky."""
    rng = np.random.default_rng(21)
    return Sky(
        srgb(22, 84, 176),
        srgb(204, 216, 226),
        rgb(1.35, 1.08, 0.86),
        rgb(0.42, 0.46, 0.56),
        rgb(0.7, 0.4, 0.15),
        SUN,
        cloud_tile(rng, 6, 0.2, 3, 2),
        cloud_tile(rng, 5, 0.45, 3, -2.4),
        14.0,
        0.9,
        0.30,
    )


def burst(time: float, start: float) -> float:
    """Strength (0..1) of a flame that starts to burn at a time and dies away."""
    since = time - start
    return 0.0 if since < 0 else min(1.0, since * 10) * math.exp(-max(0.0, since - 0.35) * 3.0)


class Fair:
    """The farmland with its balloons, ready to be drawn at any time through a camera near (0, 80, 0)."""

    def __init__(self, camera: Camera) -> None:
        self.land, self.haze = farmland()
        self.sky = air()
        blue = Haze(rgb(0.42, 0.48, 0.66), 15000)
        self.far = mountains(14, camera, blue, SUN, SUN_LIGHT, 1300, 1000)
        self.mill, self.sails = mill(5), sails(6)
        rng = np.random.default_rng(3)
        self.canvas = Canvas(20, 26, 12, rng)
        self.birds = [gull(2 * math.pi * k / 16, rng) for k in range(16)]
        self.houses = self.farms(rng)

    def farms(self, rng: np.random.Generator) -> list[tuple[Sprite, Pose]]:
        """A hamlet in the valley and some farms."""
        kinds = [house(20 + k, srgb(236, 220, 196), srgb(168, 84 + 8 * k, 60), 1 + k % 2) for k in range(3)]
        spots = [(rng.normal(120, 42), rng.normal(610, 50)) for _ in range(26)]
        spots += [(-190, 420), (-175, 432), (250, 420), (262, 436), (60, 330), (74, 338)]
        found = [(kinds[k % 3], Pose(x, self.land.at(x, z) - 0.8, z, 0, 1.1, True)) for k, (x, z) in enumerate(spots)]
        return [*found, (church(9), Pose(124, self.land.at(124, 600) - 1, 600, 0, 1.3, True))]

    def things(self, time: float) -> list[tuple[Sprite, Pose]]:
        """What stands or flies in the scene at a time (s), the farthest first."""
        x, z = MILL
        foot = self.land.at(x, z) - 0.4
        items = [
            *self.houses,
            (self.mill, Pose(x, foot, z, 0, 1.35)),
            (self.sails, Pose(x + 0.3, foot + 19.4, z - 5, -0.75 * time + 0.2, 1.25)),
        ]
        for way in BALLOONS:
            cloth = balloon(CLOTHS[way.cloth], way.spin * time + way.x, burst(time, way.burn), self.canvas)
            sway = 0.015 * math.sin(0.9 * time + way.x)
            pose = Pose(way.x + way.drift * time, way.y - 26 + way.climb * time, way.z, sway)
            items.append((cloth, pose))
        for k in range(9):
            beat = int((time * 2.2 + 0.29 * k) * 16) % 16
            across = 24 - 6.0 * time + 5.2 * abs(k - 4) + 0.8 * math.sin(2 * time + k)
            items.append((self.birds[beat], Pose(across, 84 + 1.5 * (k - 4), 118 + 3.0 * k, 0.0, 1.1, True)))
        return sorted(items, key=lambda item: -item[1].z)

    def frame(self, camera: Camera, time: float) -> Floats:
        """Light of the scene at a time (s)."""
        picture, _ = open_air(self.land, self.haze, self.sky, self.far, camera, time, 60, 1880, 1000)
        for sprite, pose in self.things(time):
            place(picture, sprite, pose, camera, self.haze)
        return picture.light
