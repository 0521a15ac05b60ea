"""Sky with lit clouds, and a far mountain range under it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from paint.land import Camera, Haze, Land, grain, look, openness, sunlight
from paint.noise import Floats, fbm, mix, ridged, sample, srgb, step, warp


def cloud_tile(rng: np.random.Generator, cells: int, cover: float, sun_x: float, sun_y: float) -> Floats:
    """Tiling clouds: how much they cover (0..1) and how much sun they get (0..1), 1024 pixels square.

    `sun_x`, `sun_y` is the way to the sun on the tile, in pixels a step of the light's walk.
    """
    puffs = warp(fbm(rng, 1024, cells, 8, 0.56), fbm(rng, 1024, cells * 2, 5), 14)
    thick = np.clip(puffs - cover, 0, None).astype(np.float32)
    shade = np.zeros_like(thick)
    soft = cv2.GaussianBlur(np.tile(thick, (3, 3)), (0, 0), 2.0)[1024:2048, 1024:2048]
    yy, xx = np.mgrid[:1024, :1024].astype(np.float32)
    for k in range(1, 12):
        shade += sample(soft, xx + sun_x * k, yy + sun_y * k) - 0.55 * soft
    lit = np.exp(-np.clip(shade, -1.2, None) * 0.36) / 1.3
    return np.stack([step(thick, 0.0, 0.55), np.clip(lit, 0, 1)], 2).astype(np.float32)


@dataclass
class Sky:
    """Colours (linear) and clouds of a sky."""

    top: Floats
    bottom: Floats
    sunny: Floats  # colour of lit cloud
    shady: Floats  # colour of cloud in shade
    glow: Floats  # light added around the sun
    sun: Floats  # way to the sun
    high: Floats  # cloud tile of the high layer
    heaps: Floats  # cloud tile of the heaped clouds near the horizon
    wind: float = 14.0  # tile pixels a second, high layer
    cover: float = 0.8  # strength of the high layer
    tallest: float = 0.34  # elevation (slope) above which heaped clouds end

    def draw(self, camera: Camera, time: float) -> Floats:
        """Light of the sky in every pixel above the horizon; below it the horizon's colour."""
        up = (camera.horizon - np.arange(camera.height, dtype=np.float32))[:, None] / camera.focal
        side = (np.arange(camera.width, dtype=np.float32)[None, :] - camera.width / 2) / camera.focal
        up = np.maximum(up, 0.0) + np.zeros_like(side)
        east = side * math.cos(camera.yaw) + math.sin(camera.yaw)
        north = math.cos(camera.yaw) - side * math.sin(camera.yaw)
        light = mix(self.bottom, self.top, np.asarray(1 - np.exp(-up * 4.4), np.float32))
        near = (east * self.sun[0] + up * self.sun[1] + north * self.sun[2]) / np.sqrt(east**2 + up**2 + north**2)
        light += self.glow * (np.clip(near, 0, 1) ** 6 * 0.5 + np.clip(near, 0, 1) ** 60)[..., None]
        scale = 250 / (up + 0.11)
        cloud = sample(self.high, east * scale + self.wind * time, north * scale)
        light = self.put(light, cloud, self.cover * step(up, 0.02, 0.2), light)
        turn = np.arctan2(east, north)
        cloud = sample(self.heaps, turn * 900 + 0.25 * self.wind * time, 512 - up * 1250)
        fade = step(up, self.tallest, self.tallest * 0.55) * step(up, -0.01, 0.03)
        return self.put(light, cloud, fade, light)

    def put(self, light: Floats, cloud: Floats, strength: Floats, air: Floats) -> Floats:
        """Lay clouds over the light."""
        colour = mix(self.shady, self.sunny, cloud[..., 1])
        return mix(light, 0.88 * colour + 0.12 * air, np.asarray(cloud[..., 0] * strength, np.float32))


@dataclass
class Range:
    """Far mountains, drawn once: premultiplied light, cover, and the camera they were drawn with."""

    light: Floats
    cover: Floats
    camera: Camera

    def over(self, sky: Floats, camera: Camera, mirrored: bool = False) -> Floats:
        """The mountains over a sky picture, turned with the camera; or their mirror picture."""
        zoom = camera.focal / self.camera.focal
        flip = -1.0 if mirrored else 1.0
        turn = (self.camera.yaw - camera.yaw) * camera.focal
        move = np.array(
            [
                [zoom, 0, camera.width / 2 + turn - zoom * self.camera.width / 2],
                [0, zoom * flip, camera.horizon - flip * zoom * self.camera.horizon],
            ],
            np.float32,
        )
        size = (camera.width, camera.height)
        light = cv2.warpAffine(self.light, move, size, flags=cv2.INTER_LINEAR)
        cover = cv2.warpAffine(self.cover, move, size, flags=cv2.INTER_LINEAR)
        return np.asarray(sky * (1 - cover[..., None]) + light, np.float32)


def mountains(seed: int, camera: Camera, haze: Haze, sun: Floats, sunlit: Floats, tall: float, snow: float) -> Range:
    """A mountain range of about `tall` metres with snow above `snow` metres, 5 to 13 km away."""
    rng = np.random.default_rng(seed)
    size, cell = 1024, 14.0
    crests = warp(ridged(rng, size, 7, 7, 0.47), fbm(rng, size, 6, 5), 18)
    zz, xx = np.mgrid[:size, :size].astype(np.float32) / size
    rise = 0.30 + 0.70 * step(zz, 0.25, 0.6) * (0.8 + 0.25 * np.sin(xx * 11.0 + 0.7))
    height = ((0.25 + crests) * tall * rise * step(zz, 0.08, 0.3) - 20).astype(np.float32)
    slope_z, slope_x = np.gradient(height, cell)
    steep = np.hypot(slope_x, slope_z).astype(np.float32)
    patches = fbm(rng, size, 24, 6, 0.7)
    rock = mix(srgb(96, 92, 96), srgb(150, 136, 122), step(patches, -1.5, 1.5))
    woods = mix(srgb(40, 62, 40), srgb(96, 104, 62), step(patches, -1.5, 1.5))
    colour = mix(woods, rock, step(height + 160 * patches, snow * 0.45, snow * 0.75))
    white = step(height + 220 * patches - 420 * np.clip(steep - 0.75, 0, 2), snow - 120, snow + 160)
    colour = mix(colour, srgb(246, 248, 252) + np.zeros_like(colour), white)
    lit = sunlight(height, cell, sun, softness=4)[..., None] * sunlit
    lit = lit + np.array([0.30, 0.40, 0.58], np.float32) * openness(height, cell, 200)[..., None]
    land = Land(height, np.asarray(colour * lit, np.float32), cell, -size * cell / 2, 0, grain(rng), 0.0, 0.06)
    wide = replace(camera, width=int(camera.width * 1.5), x=0.0, z=0.0, y=60.0)
    view = look(land, wide, haze, 1500, 14000, 1100)
    cover = cv2.blur(np.isfinite(view.depth).astype(np.float32), (2, 2))
    return Range(np.asarray(view.light * cover[..., None], np.float32), cover, wide)
