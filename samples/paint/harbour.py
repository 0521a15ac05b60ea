"""Things of the harbour: sailing boats, a lighthouse, houses and gulls.  The sun stands on the left."""

from __future__ import annotations

import math

import numpy as np

from paint.noise import Floats, mix, srgb, step
from paint.things import Canvas, Points, Sprite, curve

LIT = np.array([1.5, 1.22, 0.92], np.float32)  # light on what faces the sun
DIM = np.array([0.26, 0.33, 0.46], np.float32)  # light in the shade


def shine(colour: Floats, amount: Floats) -> Floats:
    """A colour under more (1) or less (0) sun."""
    return np.asarray(colour * mix(DIM, LIT, amount), np.float32)


CABIN: Points = [(-2.0, 1.2), (-1.8, 2.0), (0.9, 2.05), (1.7, 1.2)]
HULL: Points = [(-4.3, 1.7), (-4.1, 0.2), (-3, -0.1), (2.6, -0.1), (4.9, 1.75), (4.6, 1.72), (0, 1.3), (-3.6, 1.5)]
MAIN: Points = [(0.35, 13.6), (0.3, 2.5), (-4.1, 2.75), (-3.9, 3.6), (-2.4, 8.2), (-0.4, 13.3)]
FORE: Points = [(0.75, 12.1), (4.75, 2.0), (1.4, 2.5), (0.9, 5.5), (0.6, 9.0)]


def even(canvas: Canvas, amount: float) -> Floats:
    """The same amount of sun everywhere."""
    return np.full_like(canvas.x, amount)


def boat(seed: int, hull: Floats, stripe: Floats, sail: Floats, jib: Floats) -> Sprite:
    """A sloop 9 m long under full sail, bow to the right."""
    canvas = Canvas(13, 15, 46, np.random.default_rng(seed))
    draw_hull(canvas, hull, stripe)
    draw_mainsail(canvas, sail)
    belly = step(canvas.x - 0.25 * (12 - canvas.y), -0.8, 2.2)
    canvas.shape(FORE, shine(jib, 0.35 + 0.6 * (1 - belly)), 0.04)
    draw_rigging(canvas)
    return canvas.sprite(0.12)


def draw_hull(canvas: Canvas, hull: Floats, stripe: Floats) -> None:
    """The hull with its cabin."""
    canvas.shape(CABIN, shine(srgb(150, 92, 52), even(canvas, 0.8)))
    for x in (-1.4, -0.6, 0.2):
        canvas.shape([(x, 1.55), (x, 1.85), (x + 0.5, 1.85), (x + 0.5, 1.55)], srgb(30, 40, 52))
    sun = step(canvas.y, -0.4, 1.6) * 0.8 + 0.15 - 0.01 * canvas.x
    canvas.shape(curve(HULL, 1), shine(hull, sun))
    band: Points = [(-4.2, 1.5), (-4.1, 1.25), (0.2, 1.0), (4.4, 1.45), (4.7, 1.65), (0, 1.2)]
    canvas.shape(band, shine(stripe, sun))
    canvas.shape([(-4.15, 0.35), (-4.0, 0.1), (-3, -0.1), (2.6, -0.1), (3.0, 0.25)], srgb(70, 26, 22))


def draw_mainsail(canvas: Canvas, sail: Floats) -> None:
    """The mainsail with its seams."""
    away = step(canvas.x, -4.5, 0.6) * 0.5 + 0.25 + 0.09 * np.sin(canvas.y * 2.1 + canvas.x)
    canvas.shape(MAIN, shine(sail, 1 - 0.75 * away), 0.04)
    for k in range(1, 8):
        y = 2.6 + 1.25 * k
        canvas.line(0.3, y, -4.2 + 0.36 * k, y + 0.25, 0.05, shine(sail, even(canvas, 0.25)))
    # What the seams draw beyond the sail's edge is taken away again.
    parts = [canvas.pixels(MAIN), canvas.pixels(curve(HULL, 1)), canvas.pixels(CABIN)]
    share = np.maximum.reduce(parts).astype(np.float32) / 255
    canvas.light *= share[..., None]
    canvas.cover *= share


def draw_rigging(canvas: Canvas) -> None:
    """Mast, boom, stays, the skipper and the foam along the hull."""
    wood, steel = srgb(120, 84, 52), srgb(60, 60, 64)
    canvas.line(0.45, 1.2, 0.45, 14.2, 0.17, shine(wood, even(canvas, 0.8)))
    canvas.line(0.45, 2.45, -4.3, 2.7, 0.16, shine(wood, even(canvas, 0.6)))
    canvas.line(0.45, 13.9, 4.9, 1.8, 0.04, steel)
    canvas.line(0.45, 14.0, -4.2, 1.7, 0.04, steel)
    canvas.shape(curve([(-3.1, 1.4), (-3.05, 2.25), (-2.7, 2.45), (-2.35, 2.2), (-2.3, 1.4)], 2), srgb(176, 52, 40))
    canvas.shape(curve([(-2.9, 2.4), (-2.9, 2.85), (-2.5, 2.85), (-2.5, 2.4)], 2), srgb(196, 148, 116))
    low = np.abs(canvas.y - 0.06) * 5 + 0.09 * np.abs(canvas.x)
    foam = step(canvas.noise * 0.5 + 0.25 * np.sin(canvas.x * 5) - low, -1.1, -0.4)
    canvas.lay(255 * foam * (np.abs(canvas.x - 0.2) < 5.2), srgb(236, 240, 240) * 0.9)


def lighthouse(seed: int) -> Sprite:
    """A red and white lighthouse, 30 m tall."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(14, 33, 22, rng)
    x, y = canvas.x, canvas.y

    def tube(low: float, high: float, wide_low: float, wide_high: float, colour: Floats) -> None:
        """A round wall between two heights."""
        half = wide_low + (wide_high - wide_low) * np.clip((y - low) / (high - low), 0, 1)
        u = np.clip(x / half, -1, 1)
        amount = np.clip(0.25 - 0.80 * u + 0.42 * np.sqrt(1 - u * u), 0, 1) - 0.25 * (u > 0.8)
        edge = np.clip((half - np.abs(x)) * canvas.per_metre + 0.5, 0, 1) * ((y >= low) & (y <= high)) * 255
        canvas.lay(edge.astype(np.float32), shine(colour, np.clip(amount, 0, 1).astype(np.float32)), 0.09)

    bands = np.where(((y / 4.6).astype(int) % 2 == 0)[..., None], srgb(236, 230, 218), srgb(186, 40, 32))
    streaks = np.clip(
        1 - 0.12 * np.abs(canvas.noise) * step(np.asarray(np.sin(x * 9 + canvas.noise), np.float32), 0, 1),
        0,
        1,
    )
    tube(0, 2.0, 4.6, 4.3, srgb(150, 140, 128))
    tube(2.0, 24.5, 3.5, 2.3, np.asarray(bands * streaks[..., None], np.float32))
    for height in (5.5, 12.0, 18.5):
        canvas.shape([(-0.5, height), (-0.5, height + 1.5), (0.3, height + 1.5), (0.3, height)], srgb(34, 36, 44))
    tube(24.3, 25.2, 2.6, 3.4, srgb(70, 70, 78))
    tube(25.2, 28.4, 1.55, 1.55, srgb(255, 226, 150))
    for k in range(-3, 4):
        canvas.line(0.5 * k, 25.2, 0.5 * k, 28.4, 0.10, srgb(40, 40, 46))
        canvas.line(1.05 * k, 25.2, 1.05 * k, 26.3, 0.09, srgb(52, 52, 60))
    canvas.line(-3.3, 26.3, 3.3, 26.3, 0.12, srgb(52, 52, 60))
    tube(28.4, 30.6, 1.95, 0.25, srgb(176, 38, 30))
    tube(30.6, 32.0, 0.16, 0.10, srgb(60, 60, 66))
    return canvas.sprite(0.4)


def house(seed: int, walls: Floats, roof: Floats, storeys: int) -> Sprite:
    """A village house with its lit gable on the left and a long wall on the right."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(15, 13, 18, rng)
    top = 0.6 + 2.7 * storeys
    ones = np.ones_like(canvas.x)
    canvas.shape([(-6, -1), (-6, top), (-3.5, top + 2.6), (-1, top), (-1, -1)], shine(walls, 0.92 * ones), 0.12)
    canvas.shape([(-1, -1), (-1, top), (6, top), (6, -1)], shine(walls, 0.34 * ones), 0.12)
    tiles = 0.62 + 0.22 * np.sin((canvas.y + 0.04 * canvas.x) * 13) + 0.12 * np.sin(canvas.x * 16)
    canvas.shape(
        [(-0.6, top - 0.4), (-3.5, top + 2.9), (3.6, top + 2.9), (6.5, top - 0.4)],
        shine(roof, np.clip(tiles, 0, 1).astype(np.float32)),
        0.25,
    )
    canvas.line(-6.4, top - 0.5, -3.5, top + 2.8, 0.35, shine(roof, 0.8 * ones))
    for level in range(storeys):
        for x, bright in ((-4.9, 0.9), (-2.6, 0.9), (0.4, 0.4), (2.4, 0.4), (4.5, 0.4)):
            y = 0.9 + 2.7 * level
            canvas.shape(
                [(x - 0.75, y - 0.1), (x - 0.75, y + 1.5), (x + 0.75, y + 1.5), (x + 0.75, y - 0.1)],
                shine(srgb(64, 110, 120), bright * ones),
            )
            canvas.shape([(x - 0.35, y), (x - 0.35, y + 1.4), (x + 0.35, y + 1.4), (x + 0.35, y)], srgb(36, 36, 44))
    canvas.shape([(2.0, top + 2.0), (2.0, top + 3.9), (2.9, top + 3.9), (2.9, top + 2.0)], shine(walls, 0.7 * ones))
    return canvas.sprite(0.0)


def church(seed: int) -> Sprite:
    """A village church tower with a pointed roof."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(12, 28, 18, rng)
    ones = np.ones_like(canvas.x)
    wall = srgb(226, 206, 172)
    canvas.shape([(-2.6, -1), (-2.6, 17), (0.2, 17), (0.2, -1)], shine(wall, 0.95 * ones), 0.12)
    canvas.shape([(0.2, -1), (0.2, 17), (2.6, 17), (2.6, -1)], shine(wall, 0.30 * ones), 0.12)
    canvas.shape([(-2.9, 17), (0.1, 26.5), (0.3, 17)], shine(srgb(150, 78, 54), 0.9 * ones), 0.2)
    canvas.shape([(0.3, 17), (0.1, 26.5), (2.9, 17)], shine(srgb(150, 78, 54), 0.35 * ones), 0.2)
    for x in (-1.2, 1.4):
        canvas.shape(curve([(x - 0.5, 12.5), (x - 0.5, 15.6), (x + 0.5, 15.6), (x + 0.5, 12.5)], 2), srgb(38, 34, 38))
    canvas.line(-2.7, 11.5, 2.7, 11.5, 0.3, shine(wall, 0.6 * ones))
    return canvas.sprite(0.0)


def gull(beat: float, rng: np.random.Generator) -> Sprite:
    """A gull seen from the side and a little behind; `beat` is the phase of its wings in radians."""
    canvas = Canvas(3.2, 2.4, 40, rng)
    up, tip = 0.42 * math.sin(beat), 0.62 * math.sin(beat - 0.7)
    ones = np.ones_like(canvas.x)
    white, grey = srgb(248, 246, 240), srgb(150, 156, 166)
    for side, bright in ((1.0, 0.55), (-1.0, 0.95)):
        wing = [
            (0.0, 1.14),
            (side * 0.7, 1.22 + up),
            (side * 1.45, 1.1 + tip),
            (side * 0.75, 1.06 + up),
            (0.0, 0.98),
        ]
        canvas.shape(curve(wing, 2), shine(grey if side > 0 else white, bright * ones))
        canvas.shape(
            [
                (side * 1.15, 1.18 + 0.5 * (up + tip)),
                (side * 1.48, 1.1 + tip),
                (side * 1.1, 1.1 + 0.5 * (up + tip)),
            ],
            srgb(30, 30, 34),
        )
    canvas.shape(
        curve([(-0.42, 1.02), (-0.1, 0.9), (0.3, 0.98), (0.46, 1.1), (0.28, 1.18), (-0.1, 1.14)], 2),
        shine(white, 0.8 * ones),
    )
    return canvas.sprite(1.0)
