"""The land of the second scene: rolling farmland with hedges, woods and morning mist."""

from __future__ import annotations

import numpy as np

from paint.land import Haze, Land, add_trees, grain, openness, sunlight
from paint.noise import Floats, fbm, mix, srgb, step

SUN = np.array([0.74, 0.40, -0.54], np.float32)
SUN_LIGHT = np.array([1.70, 1.26, 0.80], np.float32)
SKY_LIGHT = np.array([0.25, 0.33, 0.50], np.float32)
CELLS, CELL = 2048, 1.0
FIELD = 104.0  # usual width of a field, m
CROPS = [
    (186, 158, 86),
    (202, 178, 108),
    (104, 134, 60),
    (72, 112, 44),
    (128, 88, 160),
    (110, 76, 150),
    (150, 112, 72),
    (208, 172, 60),
    (132, 148, 76),
    (170, 60, 48),
]


def rise(x: Floats, z: Floats, rng: np.random.Generator) -> Floats:
    """Height of the ground (m)."""
    broad, fine = fbm(rng, CELLS, 4, 3, 0.45), fbm(rng, CELLS, 40, 5, 0.5)
    valley = 34 * np.exp(-(((x - 60 - 0.08 * z) / 170) ** 2)) * step(z, 1400, 300)
    knoll = 20 * np.exp(-(((x + 92) / 70) ** 2) - ((z - 232) / 70) ** 2)
    height = 46 + 15 * broad * step(z, 120, 500) + 0.5 * fine - valley + knoll + 95 * step(z, 700, 1850)
    return np.asarray(height, np.float32)


def fields(x: Floats, z: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Which field a place belongs to (a number), the distance to its edge (m) and the phase of its rows."""
    warp_x, warp_z = (fbm(rng, CELLS, 6, 3) * 16 for _ in range(2))
    u, v = (x + warp_x) / FIELD, (z + warp_z) / (FIELD * 0.8)
    jitter = rng.uniform(0.12, 0.88, (64, 64, 2)).astype(np.float32)
    angle = rng.uniform(0, np.pi, (64, 64)).astype(np.float32)
    row, column = np.floor(v).astype(int), np.floor(u).astype(int)
    best, second = np.full_like(x, 9.0), np.full_like(x, 9.0)
    owner, turn = np.zeros_like(x), np.zeros_like(x)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            r, c = (row + i) % 64, (column + j) % 64
            away = np.hypot(column + j + jitter[r, c, 0] - u, row + i + jitter[r, c, 1] - v).astype(np.float32)
            nearer = away < best
            second = np.where(nearer, best, np.minimum(second, away))
            owner = np.where(nearer, r * 64 + c, owner)
            turn = np.where(nearer, angle[r, c], turn)
            best = np.where(nearer, away, best)
    rows = 2 * np.pi * (x * np.cos(turn) + z * np.sin(turn)) / 5.5
    return (
        owner.astype(np.float32),
        ((second - best) * FIELD * 0.5).astype(np.float32),
        rows.astype(np.float32),
    )


def paint(x: Floats, z: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Colour of the fields (unlit), and where hedges and lanes run between them (distance, m)."""
    owner, edge, rows = fields(x, z, rng)
    number = owner.astype(int)
    crop = np.array([srgb(*colour) for colour in CROPS], np.float32)
    kind = rng.integers(0, len(CROPS), 4096)[number]
    patches, fine = fbm(rng, CELLS, 24, 6, 0.7), fbm(rng, CELLS, 400, 3, 0.8)
    colour = crop[kind] * (1 + 0.16 * patches + 0.12 * fine)[..., None]
    deep = rng.uniform(0.05, 0.42, 4096).astype(np.float32)[number]
    colour *= (1 + deep * np.sin(rows + 0.5 * patches))[..., None]
    verge = mix(srgb(94, 118, 46), srgb(150, 148, 70), step(patches, -1, 1))
    return mix(verge, colour, step(edge, 1.5, 4.0)), edge


def farmland(seed: int = 12) -> tuple[Land, Haze]:
    """The farmland and its air."""
    rng = np.random.default_rng(seed)
    zz, xx = np.mgrid[:CELLS, :CELLS].astype(np.float32) * CELL
    xx, zz = xx - 1024, zz - 100
    bare = rise(xx, zz, rng)
    colour, edge = paint(xx, zz, rng)
    height = bare.copy()
    place = fbm(rng, CELLS, 10, 4)
    open_ground = 1 - np.exp(-(((xx + 92) / 40) ** 2) - ((zz - 232) / 40) ** 2)
    hedges = step(edge, 3.0, 1.0) * step(fbm(rng, CELLS, 26, 2), -0.6, 0.2) * open_ground
    woods = step(place + 0.7 * step(zz, 500, 1500), 0.95, 1.25) * open_ground
    crowns = add_trees(height, np.maximum(hedges * 0.7, woods), rng, 210000, 3.0, 5.0, False)
    tall = add_trees(height, hedges * 0.10 + woods * 0.25, rng, 60000, 2.2, 12.0, True)
    autumn = step(fbm(rng, CELLS, 300, 2) + 0.5 * place, 0.9, 1.5)
    leaves = mix(srgb(34, 62, 28), srgb(96, 116, 40), step(fbm(rng, CELLS, 420, 2), -1.6, 1.8))
    leaves = mix(leaves, srgb(188, 112, 36) + np.zeros_like(leaves), autumn * 0.8)
    colour = mix(colour, leaves, np.maximum(crowns, tall))
    light = sunlight(height, CELL, SUN)[..., None] * SUN_LIGHT
    light = light + (openness(height, CELL, 6) * openness(height, CELL, 30))[..., None] * SKY_LIGHT
    land = Land(height, np.asarray(colour * light, np.float32), CELL, -1024, -100, grain(rng), 0.25)
    return land, Haze(np.array([0.46, 0.50, 0.60], np.float32), 5600.0, 1.8, 26.0)
