"""The sea: moving waves that mirror sky, land and things."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from paint.land import Camera, Land
from paint.noise import Floats, band, fbm, mix, rgb, sample, step
from paint.stage import Picture

# Wave lengths (m), steepness, and heading (radians) of the trains of waves.
TRAINS = [(23.0, 0.011, 0.5), (9.0, 0.015, -0.3), (4.2, 0.017, 0.9), (1.9, 0.014, -0.8), (0.8, 0.009, 0.2)]


@dataclass
class Sea:
    """Wave patterns and the colours of the water."""

    slopes: Floats  # tiling slopes along x and z, 512 pixels, 24 waves across
    foam: Floats
    deep: Floats
    shallow: Floats
    sun: Floats
    glint: Floats  # colour of the sun's glitter

    def waves(self, x: Floats, z: Floats, footprint: Floats, time: float) -> tuple[Floats, Floats, Floats]:
        """Slopes of the water at places (m), and the steepness lost to the pixels' size (m)."""
        along, across = np.zeros_like(x), np.zeros_like(x)
        lost = np.zeros_like(x)
        for length, steep, heading in TRAINS:
            seen = np.exp(-((footprint / length * 1.3) ** 2))
            lost += steep * (1 - seen)
            scale = 512 / (24 * length)
            speed = 0.95 * math.sqrt(length) * scale * time
            for turn in (heading, heading + 2.2):
                c, s = math.cos(turn), math.sin(turn)
                slope = sample(self.slopes, (c * x + s * z) * scale * 0.45, (c * z - s * x) * scale + speed)
                along += steep * seen * (c * slope[..., 0] - s * slope[..., 1])
                across += steep * seen * (s * slope[..., 0] + c * slope[..., 1])
        return along, across, lost

    def draw(self, camera: Camera, land: Land, mirror: Picture, time: float) -> tuple[Floats, Floats, int]:
        """Light and depth (m) of the water in the rows from the third returned value on."""
        first = int(camera.horizon) + 1
        drop = (np.arange(first, camera.height, dtype=np.float32) - camera.horizon)[:, None] / camera.focal
        depth = camera.y / drop
        columns = np.arange(camera.width, dtype=np.float32)[None, :]
        x, z = camera.ground(depth, columns)
        footprint = depth**2 / (camera.focal * camera.y) + np.zeros_like(x)
        sx, sz, lost = self.waves(x, z, footprint, time)
        # Turn the slopes into the camera's axes: what counts is the slope towards the camera.
        c, s = math.cos(camera.yaw), math.sin(camera.yaw)
        side, away = c * sx - s * sz, s * sx + c * sz
        facing = np.maximum(drop - away, 0.004)
        rise = np.sqrt((drop - 2 * away) ** 2 + 0.0004) + 0.6 * lost
        rows = camera.horizon + rise * camera.focal
        place = columns + 2 * facing * side * camera.focal
        # A ray bent towards the near must not meet land that stands before its own water.
        met = cv2.remap(mirror.depth, place, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        blocked = met < depth
        rows = np.where(blocked, camera.horizon + drop * camera.focal, rows)
        place = np.where(blocked, columns, place)
        smooth = cv2.remap(mirror.light, place, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.blur(mirror.light, (5, 31))
        rough = cv2.remap(soft, place, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        seen = mix(smooth, rough, step(lost, 0.02, 0.16))
        fresnel = 0.02 + 0.98 * (1 - np.clip(facing + 0.7 * lost, 0, 1)) ** 5
        floor = cv2.remap(
            land.height,
            (x - land.x0) / land.cell,
            (z - land.z0) / land.cell,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        body = mix(
            self.deep,
            self.shallow,
            np.exp(np.clip(floor, -40, 0) / 3.5) * 0.8 + 0.5 * np.clip(1.5 * away + 0.04, 0, 1),
        )
        light = mix(body, seen, np.asarray(fresnel * 0.92, np.float32))
        light += self.sparkle(camera, columns, drop, side, away, lost)[..., None] * self.glint
        froth = sample(self.foam, x * 9 + 3 * time, z * 9) + 0.8 * np.sin(floor * 1.6 + time * 1.3)
        edge = step(froth, 0.3, 1.3) * step(floor, -2.6, -0.3)
        return (
            mix(light, rgb(0.80, 0.80, 0.78), 0.8 * edge),
            depth + np.zeros_like(x),
            first,
        )

    def sparkle(
        self, camera: Camera, columns: Floats, drop: Floats, side: Floats, away: Floats, lost: Floats
    ) -> Floats:
        """Glitter where waves mirror the sun itself."""
        turn = (columns - camera.width / 2) / camera.focal
        rx = turn - 2 * (drop - away) * side
        ry = np.maximum(drop - 2 * away, 0.0)
        c, s = math.cos(camera.yaw), math.sin(camera.yaw)
        near = (c * rx + s) * self.sun[0] + ry * self.sun[1] + (c - s * rx) * self.sun[2]
        near = near / np.sqrt(rx * rx + ry * ry + 1)
        sharp = 420 / (1 + 60 * lost)
        return np.asarray(np.exp((np.clip(near, -1, 1) - 1) * sharp), np.float32)


def sea(seed: int, deep: Floats, shallow: Floats, sun: Floats, glint: Floats) -> Sea:
    """A sea with its own waves."""
    rng = np.random.default_rng(seed)
    height = band(rng, 512, 24) + 0.5 * band(rng, 512, 40)
    # Sharper crests than troughs.
    height = np.exp(0.55 * height)
    wide = np.pad(height, 1, mode="wrap")
    slopes = np.stack([wide[1:-1, 2:] - wide[1:-1, :-2], wide[2:, 1:-1] - wide[:-2, 1:-1]], 2)
    slopes = (slopes / slopes.std()).astype(np.float32)
    return Sea(slopes, fbm(rng, 512, 32, 5, 0.7), deep, shallow, sun, glint)
