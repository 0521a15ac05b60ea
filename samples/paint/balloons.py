"""Things of the balloon festival: balloons that turn and glow, and a windmill.  The sun stands on the right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from paint.noise import Floats, mix, rgb, srgb, step
from paint.things import Canvas, Sprite, curve

LIT = np.array([1.62, 1.28, 0.92], np.float32)
DIM = np.array([0.30, 0.34, 0.46], np.float32)
TO_SUN = (0.72, 0.38, 0.58)  # right, up, towards the viewer
GORES = 24


@dataclass(frozen=True)
class Cloth:
    """A balloon's colours and the pattern they make."""

    colours: tuple[tuple[int, int, int], ...]
    twist: float  # gores a metre up: 0 upright stripes, else spirals
    bands: float  # bands a metre up that shift the stripes, 0 for none
    wide: int  # gores of one colour side by side


CLOTHS = [
    Cloth(((214, 40, 36), (244, 190, 52), (240, 236, 224), (36, 76, 160)), 0.0, 0.0, 2),
    Cloth(((36, 92, 176), (240, 236, 224)), 0.55, 0.0, 3),
    Cloth(((240, 150, 34), (200, 44, 40), (120, 36, 96)), -0.7, 0.0, 2),
    Cloth(((52, 140, 96), (246, 214, 80), (240, 236, 224)), 0.0, 0.34, 2),
    Cloth(((150, 54, 140), (238, 120, 140), (246, 226, 200)), 0.0, 0.25, 3),
    Cloth(((30, 150, 170), (244, 240, 220), (232, 96, 52)), 0.4, 0.0, 4),
]


def outline(y: Floats) -> tuple[Floats, Floats]:
    """Radius (m) of the envelope at heights (m), and how much its cloth looks up there (-1.5..3)."""
    dome = np.sqrt(np.clip(1 - ((y - 16) / 9) ** 2, 0, 1))
    cone = 1.9 + 7.1 * np.sin(np.clip((y - 4.6) / 11.4, 0, 1) * np.pi / 2) ** 1.15
    radius = np.where(y > 16, 9 * dome, np.where(y < 4.6, 0, cone))
    up = np.where(y > 16, (y - 16) / 9 / np.maximum(dome, 0.14), (y - 16) / 8)
    return np.asarray(radius, np.float32), np.asarray(np.clip(up, -1.5, 3), np.float32)


def pattern(cloth: Cloth, gore: Floats, y: Floats) -> Floats:
    """Colour of the cloth at gores (a whole number begins each) and heights (m)."""
    palette = np.array([srgb(*colour) for colour in cloth.colours], np.float32)
    stripe = np.floor((gore + cloth.twist * y) / cloth.wide + np.floor(cloth.bands * y)).astype(int)
    colour = np.where((y > 23.6)[..., None], palette[0], palette[stripe % len(palette)])
    seam = np.abs(gore % 1 - 0.5) > 0.44
    return np.asarray(colour * (1 - 0.25 * seam)[..., None], np.float32)


def balloon(cloth: Cloth, turn: float, flame: float, canvas: Canvas) -> Sprite:
    """A balloon 26 m tall, turned by `turn` (radians), lit from inside by its flame (0..1).

    The canvas is cleared first: one is enough for all balloons.
    """
    canvas.clear()
    x, y = canvas.x, canvas.y
    radius, up = outline(y)
    u = np.clip(x / np.maximum(radius, 0.01), -1, 1)
    front = np.sqrt(1 - u * u)
    gore = (np.arcsin(u) + turn) / (2 * np.pi) * GORES
    # Every gore bulges a little.
    right = u + 0.30 * np.sin(2 * np.pi * gore) * front
    sun = (TO_SUN[0] * right + TO_SUN[1] * up + TO_SUN[2] * front) / np.sqrt(1 + up * up)
    colour = pattern(cloth, gore, y)
    light = colour * mix(DIM, LIT, np.asarray(np.clip(0.12 + sun, 0, 1), np.float32))
    glow = (0.10 + 0.9 * flame) * np.exp(-(((y - 7) / 6.5) ** 2)) * (0.5 + 0.5 * front)
    light = light + colour * glow[..., None] * rgb(1.5, 0.85, 0.35)
    edge = np.clip((radius - np.abs(x)) * canvas.per_metre + 0.5, 0, 1) * (radius > 0.3) * 255
    canvas.lay(edge, light, 0.05)
    return basket(canvas, flame)


def basket(canvas: Canvas, flame: float) -> Sprite:
    """Hang the basket, its ropes and its passengers under a balloon."""
    for side in (-1.0, -0.35, 0.35, 1.0):
        canvas.line(side * 0.8, 1.5, side * 1.8, 4.8, 0.08, srgb(60, 50, 44))
    if flame > 0.02:
        canvas.shape(
            curve([(-0.35, 2.9), (0, 3.0 + 2.4 * flame), (0.35, 2.9)], 2),
            np.array([3.5, 2.0, 0.7], np.float32) * flame,
        )
    for x, colour in ((-0.45, srgb(180, 60, 50)), (0.3, srgb(50, 80, 140))):
        canvas.shape(curve([(x - 0.28, 1.2), (x - 0.2, 2.3), (x + 0.2, 2.3), (x + 0.28, 1.2)], 2), colour)
    wicker = srgb(132, 84, 44) * mix(DIM, LIT, step(canvas.x, -1.3, 1.6))
    canvas.shape([(-0.95, 1.6), (-0.8, 0.1), (0.8, 0.1), (0.95, 1.6)], np.asarray(wicker, np.float32), 0.2)
    return canvas.sprite(0.0)


def mill(seed: int) -> Sprite:
    """A windmill's tower, 17 m tall, without its sails."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(18, 20, 26, rng)
    x, y = canvas.x, canvas.y
    half = 4.6 - 2.0 * np.clip(y / 12.5, 0, 1) ** 0.8
    u = np.clip(x / half, -1, 1)
    facet = (np.floor((u + 1) * 2.5) + 0.5) / 2.5 - 1
    amount = np.clip(0.30 + 0.55 * facet + 0.12 * u, 0, 1).astype(np.float32)
    reed = 0.08 * np.sin(y * 17 + 2 * canvas.noise)
    wall = mix(DIM, LIT, np.clip(amount + reed, 0, 1).astype(np.float32))
    inside = np.clip((half - np.abs(x)) * canvas.per_metre + 0.5, 0, 1) * 255
    canvas.lay((inside * (y > 3.6) * (y < 13)).astype(np.float32), srgb(176, 140, 96) * wall, 0.18)
    canvas.lay((np.clip(inside, 0, 255) * (y <= 3.8)).astype(np.float32), srgb(226, 208, 180) * wall, 0.12)
    canvas.shape([(-6.0, 4.4), (-5.6, 4.0), (5.6, 4.0), (6.0, 4.4)], srgb(92, 64, 42) * 1.1)
    for k in range(-6, 7):
        canvas.line(k * 0.95, 4.3, k * 0.95, 5.4, 0.12, srgb(240, 232, 214))
    canvas.line(-5.9, 5.4, 5.9, 5.4, 0.16, srgb(240, 232, 214))
    cap = curve([(-3.2, 12.6), (-2.9, 14.6), (-1.0, 16.6), (1.2, 16.6), (3.0, 14.6), (3.3, 12.6)], 2)
    canvas.shape(cap, srgb(96, 62, 48) * mix(DIM, LIT, step(x, -2.8, 3.0)), 0.2)
    canvas.line(-3.2, 12.8, 3.2, 12.8, 0.4, srgb(226, 214, 190))
    for px, py in ((-1.2, 9.4), (0.9, 7.2), (-1.4, 1.6)):
        canvas.shape(
            [(px - 0.5, py - 0.7), (px - 0.5, py + 0.7), (px + 0.5, py + 0.7), (px + 0.5, py - 0.7)],
            srgb(236, 230, 216),
        )
        canvas.shape(
            [(px - 0.35, py - 0.55), (px - 0.35, py + 0.55), (px + 0.35, py + 0.55), (px + 0.35, py - 0.55)],
            srgb(40, 46, 58),
        )
    canvas.shape([(0.6, -1), (0.6, 2.4), (2.0, 2.4), (2.0, -1)], srgb(58, 84, 62))
    return canvas.sprite(0.3)


def sails(seed: int) -> Sprite:
    """The four sails of the windmill, placed by their hub."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(25, 25, 26, rng)
    wood, linen = srgb(104, 70, 46), srgb(240, 224, 190)
    for k in range(4):
        a = k * math.pi / 2 + 0.3
        c, s = math.cos(a), math.sin(a)

        def at(out: float, side: float, c: float = c, s: float = s) -> tuple[float, float]:
            return out * c - side * s, 12.5 + out * s + side * c

        cloth = [at(2.6, 0.25), at(11.4, 0.25), at(11.4, 2.3), at(2.6, 1.9)]
        canvas.shape(cloth, linen * mix(DIM, LIT, np.full_like(canvas.x, 0.55 + 0.35 * c)), 0.08)
        canvas.line(*at(0, 0), *at(11.6, 0), 0.34, wood)
        for out in np.arange(2.6, 11.5, 0.88):
            canvas.line(*at(out, -0.5), *at(out, 2.3 if out > 6 else 2.0), 0.10, wood)
        canvas.line(*at(2.6, 1.9), *at(11.4, 2.3), 0.12, wood)
        canvas.line(*at(2.6, 1.1), *at(11.4, 1.25), 0.09, wood)
    canvas.shape(curve([(-0.6, 12.0), (0.6, 12.0), (0.6, 13.0), (-0.6, 13.0)], 2), srgb(60, 44, 36))
    return canvas.sprite(12.5)
