"""The first scene: a bay in late light, with boats, a village and a lighthouse."""

from __future__ import annotations

import cv2
import numpy as np

from paint.land import Haze, Land, add_trees, grain, openness, sunlight
from paint.noise import Floats, fbm, mix, ridged, srgb, step, warp

SUN = np.array([-0.78, 0.40, -0.48], np.float32)
SUN_LIGHT = np.array([1.55, 1.18, 0.78], np.float32)
SKY_LIGHT = np.array([0.26, 0.36, 0.52], np.float32)
CELLS, CELL = 2048, 1.0

# Hills as soft bumps: x, z, half width in x and in z, height; all in metres.
BUMPS = [
    (-330, 520, 150, 130, 88),
    (-520, 380, 170, 160, 80),
    (-190, 640, 130, 90, 46),
    (-60, 1120, 330, 200, 60),
    (380, 1280, 380, 260, 105),
    (-560, 1350, 420, 300, 130),
    (640, 820, 210, 240, 120),
    (800, 480, 190, 200, 95),
    (64, 168, 25, 18, 10),
    (88, 178, 22, 20, 7),
    (40, 1700, 900, 220, 130),
]


def shape(rng: np.random.Generator) -> Floats:
    """Height map of the bay (m), without trees; the sea floor is below 0."""
    zz, xx = np.mgrid[:CELLS, :CELLS].astype(np.float32) * CELL
    xx, zz = xx - 1024, zz - 150
    bend_x, bend_z = fbm(rng, CELLS, 9, 4) * 22, fbm(rng, CELLS, 9, 4) * 22
    height = np.full((CELLS, CELLS), -15, np.float32)
    for x, z, wide, deep, tall in BUMPS:
        small = min(1.0, wide / 90)
        away = ((xx - x + bend_x * small) / wide) ** 2 + ((zz - z + bend_z * small) / deep) ** 2
        height += (tall + 13) * np.exp(-away * 0.9)
    crags = warp(ridged(rng, CELLS, 14, 7, 0.55), fbm(rng, CELLS, 12, 3), 16)
    land = step(height, -8, 60)
    height += land * (crags - 0.32) * 44 + step(height, -6, 3) * fbm(rng, CELLS, 80, 5, 0.6) * 1.3
    # Crags on the lighthouse's rock, which is seen from near.
    rock = np.exp(-(((xx - 72) / 50) ** 2) - ((zz - 172) / 40) ** 2) * step(height, -3, 1)
    height += rock * (3.2 * ridged(rng, CELLS, 120, 4, 0.6) + 0.5 * fbm(rng, CELLS, 500, 2) - 1.2)
    # Cliffs: the land leaves the sea steeply.
    return np.asarray(np.where(height > 0, height + 5.0 * (1 - np.exp(-height / 2.0)), height), np.float32)


def paint(height: Floats, bare: Floats, crowns: Floats, rng: np.random.Generator) -> Floats:
    """Lit colour of the land (linear light)."""
    gz, gx = np.gradient(cv2.GaussianBlur(bare, (0, 0), 1.2), CELL)
    steep = np.hypot(gx, gz).astype(np.float32)
    patches, fine = fbm(rng, CELLS, 20, 6, 0.6), fbm(rng, CELLS, 256, 4, 0.7)
    rock = mix(srgb(104, 90, 78), srgb(184, 158, 128), step(fine + patches * 0.6, -1.6, 1.6))
    grass = mix(srgb(72, 92, 34), srgb(150, 132, 60), step(patches + 0.3 * fine, -1.2, 1.4))
    colour = mix(grass, rock, step(steep + 0.12 * fine, 0.7, 1.2))
    colour = mix(colour, srgb(214, 190, 146) + np.zeros_like(colour), step(-bare, -4.5, -2.0))
    leaves = mix(srgb(28, 54, 24), srgb(78, 104, 36), step(fbm(rng, CELLS, 500, 2) + patches, -1.6, 1.8))
    colour = mix(colour, leaves, crowns)
    colour *= (1 + 0.10 * fine)[..., None]
    direct = sunlight(height, CELL, SUN)
    around = openness(height, CELL, 6.0) * openness(height, CELL, 30.0)
    light = direct[..., None] * SUN_LIGHT + around[..., None] * SKY_LIGHT
    return np.asarray(colour * light, np.float32)


def clearing(bare: Floats) -> Floats:
    """Where trees may stand: not among the houses, few on the lighthouse's rock."""
    zz, xx = np.mgrid[:CELLS, :CELLS].astype(np.float32) * CELL
    xx, zz = xx - 1024, zz - 150
    shore = cv2.blur((bare < 2).astype(np.float32), (141, 141)) > 0.12
    houses = (np.abs(xx + 165) < 115) & (zz > 300) & (zz < 760) & shore
    return np.asarray((1 - 0.93 * houses) * (1 - ((zz < 330) & (xx > -20))), np.float32)


def coast(seed: int = 3) -> tuple[Land, Haze]:
    """The bay's land and air."""
    rng = np.random.default_rng(seed)
    bare = shape(rng)
    height = bare.copy()
    woods = step(fbm(rng, CELLS, 14, 5), -0.9, 0.1) * step(bare, 7, 12) * step(-bare, -130, -90)
    woods *= clearing(bare)
    crowns = add_trees(height, woods, rng, 90000, 2.9, 4.6, False)
    crowns = np.maximum(crowns, add_trees(height, woods * 0.5, rng, 30000, 2.0, 8.0, True))
    land = Land(height, paint(height, bare, crowns, rng), CELL, -1024, -150, grain(rng), 0.25)
    return land, Haze(np.array([0.36, 0.46, 0.60], np.float32), 5000.0)
