"""The portrait: a ginger tabby cat, painted hair by hair.

Places are in units of a picture 900 wide and 1200 tall; the canvas is `SCALE` times as fine.
Colours here are screen colours (sRGB, 0..255), for the hairs are drawn by OpenCV's 8-bit lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from paint.cat_face import draw_eye, draw_mouth, draw_nose, draw_whiskers
from paint.noise import Bytes, Floats, fbm, mix, rgb, step

WIDTH, HEIGHT, SCALE = 900, 1200, 2
MIDDLE = 450.0
SUN = np.array([-0.52, -0.62, 0.58], np.float32)  # to the left, up (rows grow downwards) and forward

# The body as soft lumps: x, y, half width, half height, how far it stands out.
HEAD = [
    (450, 430, 236, 200, 190),
    (338, 520, 140, 100, 120),
    (562, 520, 140, 100, 120),
    (410, 585, 70, 54, 205),
    (490, 585, 70, 54, 205),
    (450, 640, 62, 44, 165),
    (450, 500, 52, 110, 205),
]
TRUNK = [
    (450, 980, 300, 400, 170),
    (300, 1130, 190, 320, 120),
    (600, 1130, 190, 320, 120),
    (450, 800, 215, 250, 165),
]


GINGER, RUST, STRAW, CREAM = rgb(206, 126, 60), rgb(128, 62, 26), rgb(232, 178, 112), rgb(250, 242, 228)


@dataclass
class Coat:
    """What hairs need to know, as pictures in units: colour, light, way of growth, length, where hair grows."""

    colour: Floats
    light: Floats
    flow: Floats
    length: Floats
    mask: Floats


def grid() -> tuple[Floats, Floats]:
    """x and y of every unit."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return xx, yy


def lumps(parts: list[tuple[int, int, int, int, int]]) -> tuple[Floats, Floats]:
    """Soft union of the lumps: how far it stands out, and its mask (0..1)."""
    xx, yy = grid()
    total, inside = np.zeros((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    for x, y, wide, high, out in parts:
        away = ((xx - x) / wide) ** 2 + ((yy - y) / high) ** 2
        total += np.exp(out * np.sqrt(np.clip(1.12 - away, 0, None)) / 14)
        inside = np.maximum(inside, step(np.sqrt(away), 1.02, 0.96))
    return (14 * np.log(total)).astype(np.float32), inside


def lighting(out: Floats) -> Floats:
    """Light (about 0.3..1.3) on a relief."""
    soft = cv2.GaussianBlur(out, (0, 0), 9)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125)
    norm = np.sqrt(gx * gx + gy * gy + 1)
    lit = (-gx * SUN[0] - gy * SUN[1] + SUN[2]) / norm
    rim = np.clip((-0.8 * gx + 0.1 * gy) / norm * -1, 0, 1) ** 3
    return np.asarray(0.42 + 0.78 * np.clip(0.25 + 0.75 * lit, 0, 1) + 0.22 * rim, np.float32)


def head_coat(rng: np.random.Generator) -> Coat:
    """Fur of the head: an M on the brow, arcs on the cheeks, a white muzzle."""
    xx, yy = grid()
    noise = fbm(rng, 2048, 24, 5)[:HEIGHT, :WIDTH]
    side, up = np.abs(xx - MIDDLE) + 6 * noise, 640 - yy
    turn = np.arctan2(side, up)
    brow = np.cos(turn * 25 + 0.35 * noise) * step(yy, 455, 380) * step(turn, 0.75, 0.45)
    eye = np.hypot(side - 80, yy - 445)
    arcs = np.cos(eye * 0.115 + 0.7 * noise) * step(side, 120, 170) * step(yy, 400, 470)
    dark = step(np.maximum(brow, arcs) + 0.18 * noise, 0.15, 0.75)
    colour = mix(GINGER, STRAW, step(np.sin(yy * 0.01) + 0.5 * noise, -1.0, 1.6))
    colour = mix(colour, RUST + np.zeros_like(colour), 0.78 * dark)
    bridge = step(side, 46, 20) * step(yy, 380, 470)
    colour = mix(colour, STRAW * 0.95 + np.zeros_like(colour), 0.7 * bridge)
    white = step(np.hypot(side / 118, (yy - 612) / 78) + 0.06 * noise, 1.05, 0.75)
    spots = step(np.hypot((side - 92) / 66, (yy - 452) / 60) + 0.05 * noise, 1.08, 0.85)
    colour = mix(colour, CREAM + np.zeros_like(colour), np.maximum(white, 0.8 * spots))
    out, mask = lumps(HEAD)
    dx, dy = xx - MIDDLE, yy - 548
    flow = np.stack([dx, dy + 0.30 * np.abs(dx) * step(yy, 430, 560)], 2)
    away = np.hypot(dx, dy)
    length = 9 + 30 * step(away, 60, 240) + 26 * step(side, 170, 250) * step(yy, 450, 560)
    return Coat(colour, lighting(out), turned(flow, noise), length.astype(np.float32), mask)


def trunk_coat(rng: np.random.Generator) -> Coat:
    """Fur of chest and shoulders, in the head's shade below the chin."""
    xx, yy = grid()
    noise = fbm(rng, 2048, 16, 6)[:HEIGHT, :WIDTH]
    side = np.abs(xx - MIDDLE)
    bars = step(np.cos((yy * 0.85 - side * 0.55) * 0.052 + 0.8 * noise), 0.1, 0.8) * step(side, 110, 190)
    colour = mix(GINGER + np.zeros((HEIGHT, WIDTH, 3), np.float32), RUST, 0.75 * bars)
    bib = step(np.hypot(side / 150, (yy - 850) / 330) + 0.10 * noise, 1.05, 0.6)
    colour = mix(colour, CREAM + np.zeros_like(colour), bib)
    out, mask = lumps(TRUNK)
    under = np.exp(-(((xx - MIDDLE - 40) / 190) ** 2) - ((yy - 700) / 95) ** 2)
    light = lighting(out) * (1 - 0.62 * under) * (1 - 0.25 * step(yy, 900, 1200))
    flow = np.stack([0.4 * (xx - MIDDLE) / 200 + 0.25 * noise, np.ones_like(xx)], 2)
    length = 46 + 22 * step(side, 260, 120)
    return Coat(colour, light.astype(np.float32), turned(flow, noise), length.astype(np.float32), mask)


def turned(flow: Floats, noise: Floats) -> Floats:
    """Unit vectors of growth, a little unruly."""
    angle = np.arctan2(flow[..., 1], flow[..., 0]) + 0.16 * noise
    return np.stack([np.cos(angle), np.sin(angle)], 2).astype(np.float32)


def underpaint(canvas: Bytes, coat: Coat) -> None:
    """Lay a dark undercoat where hair will grow (premultiplied RGBA)."""
    tone = np.clip(coat.colour * (coat.light * 0.62)[..., None], 0, 255)
    tone = cv2.GaussianBlur(tone, (0, 0), 5)
    layer = cv2.resize(np.dstack([tone, np.full(tone.shape[:2], 255, np.float32)]), canvas.shape[1::-1])
    share = cv2.resize(coat.mask, canvas.shape[1::-1])[..., None]
    canvas[:] = (canvas * (1 - share) + layer * share + 0.5).astype(np.uint8)


def hairs(canvas: Bytes, coat: Coat, count: int, rng: np.random.Generator, origin: tuple[float, float]) -> None:
    """Draw hairs, the farthest from `origin` first, so that each lies over the roots of the next."""
    places = rng.uniform((0, 0), (WIDTH - 1, HEIGHT - 1), (count, 2))
    column, row = places[:, 0].astype(int), places[:, 1].astype(int)
    kept = coat.mask[row, column] > rng.uniform(0.3, 1.0, count)
    places, column, row = places[kept], column[kept], row[kept]
    order = np.argsort(-np.hypot(places[:, 0] - origin[0], places[:, 1] - origin[1]) + rng.normal(0, 16, len(places)))
    places, column, row = places[order], column[order], row[order]
    n = len(places)
    way = coat.flow[row, column]
    across = np.stack([-way[:, 1], way[:, 0]], 1)
    length = (coat.length[row, column] * rng.uniform(0.6, 1.25, n))[:, None, None]
    bend = rng.normal(0, 0.13, (n, 1, 1)) + rng.normal(0, 0.10, (n, 1, 1))
    t = np.linspace(0, 1, 5)[None, :, None]
    lines = places[:, None] + length * (t * way[:, None] + bend * t * t * across[:, None])
    tone = coat.colour[row, column] * (coat.light[row, column] * np.exp(rng.normal(0.02, 0.17, n)))[:, None]
    tone = np.clip(tone + rng.normal(0, 5, (n, 3)), 0, 255)
    thick = rng.uniform(size=n) < 0.35
    points = np.round(lines * SCALE * 16).astype(np.int32)
    for k in range(n):
        colour = (*tone[k].tolist(), 255.0)
        cv2.polylines(canvas, [points[k]], False, colour, 1, cv2.LINE_AA, 4)
        if thick[k]:
            cv2.polylines(canvas, [points[k, :3]], False, colour, 2, cv2.LINE_AA, 4)


def ear(canvas: Bytes, side: float, rng: np.random.Generator) -> None:
    """One ear: its furry back, the pink inside and tufts; side -1 left, 1 right."""

    def at(points: list[tuple[float, float]]) -> Floats:
        return np.array([(MIDDLE + side * x, y) for x, y in points], np.float32)

    outer = at(
        [
            (28, 278),
            (84, 196),
            (146, 122),
            (206, 72),
            (226, 80),
            (244, 160),
            (246, 250),
            (230, 350),
            (120, 330),
        ]
    )
    inner = at([(104, 262), (140, 196), (200, 108), (212, 150), (214, 230), (204, 310), (140, 300)])
    masks = []
    for shape in (outer, inner):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mask, [np.round(shape * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        masks.append(cv2.GaussianBlur(mask, (0, 0), 3).astype(np.float32) / 255)
    xx, yy = grid()
    noise = fbm(rng, 2048, 32, 4)[:HEIGHT, :WIDTH]
    depth = np.clip((side * (xx - MIDDLE) - 100) / 130, 0, 1)
    colour = mix(GINGER, STRAW, step(noise, -1.5, 1.5))
    pink = mix(
        rgb(150, 84, 70),
        rgb(232, 164, 142),
        np.asarray(np.clip(1.1 * depth + 0.1 * noise, 0, 1), np.float32),
    )
    colour = mix(colour, pink, masks[1])
    light = (0.95 - 0.18 * side + 0.10 * step(yy, 300, 80)).astype(np.float32)
    flow = np.stack([side * (0.75 - 0.8 * depth), -np.ones_like(xx)], 2)
    coat = Coat(colour, light, turned(flow, noise), np.full_like(xx, 13), masks[0])
    underpaint(canvas, Coat(colour, light * 1.35, flow, coat.length, masks[0]))
    hairs(canvas, coat, 70000, rng, (MIDDLE + side * 160, 420))
    tuft = step(np.hypot(side * (xx - MIDDLE) - 112, (yy - 262) / 1.4), 62, 20) * masks[1]
    pale = Coat(
        CREAM * 0.93 + np.zeros_like(colour),
        light,
        turned(np.stack([side * (0.75 + 0 * xx), -1 + 0 * xx], 2), 2 * noise),
        np.full_like(xx, 74),
        np.asarray(0.6 * tuft, np.float32),
    )
    hairs(canvas, pale, 14000, rng, (MIDDLE, 420))


def backdrop(rng: np.random.Generator) -> Floats:
    """A garden far out of focus: discs of light over soft greens and blues (screen colours)."""
    xx, yy = grid()
    noise = fbm(rng, 2048, 5, 3)[:HEIGHT, :WIDTH]
    ground = mix(rgb(34, 78, 88), rgb(74, 122, 84), step(noise + 0.4 * (yy / 600 - 1), -1.2, 1.4))
    ground = mix(ground, rgb(24, 44, 58) + np.zeros_like(ground), 0.75 * step(yy, 500, 1250))
    tones = [
        rgb(250, 214, 120),
        rgb(170, 214, 130),
        rgb(120, 190, 200),
        rgb(240, 150, 110),
        rgb(214, 226, 170),
    ]
    for _ in range(95):
        x, y, radius = rng.uniform(-40, 940), rng.uniform(-60, 900), rng.uniform(18, 62)
        disc = step(np.hypot(xx - x, yy - y), radius + 2.5, radius - 2.5)
        ring = 0.7 + 0.3 * step(np.hypot(xx - x, yy - y), radius * 0.55, radius)
        tone = tones[int(rng.integers(len(tones)))]
        ground = mix(
            ground,
            tone + np.zeros_like(ground),
            np.asarray(disc * ring * rng.uniform(0.08, 0.45), np.float32),
        )
    return ground


def cat(seed: int = 11) -> Bytes:
    """The finished portrait (RGB bytes)."""
    rng = np.random.default_rng(seed)
    canvas = np.zeros((HEIGHT * SCALE, WIDTH * SCALE, 4), np.uint8)
    trunk, head = trunk_coat(rng), head_coat(rng)
    underpaint(canvas, trunk)
    hairs(canvas, trunk, 170000, rng, (MIDDLE, 560))
    for side in (-1.0, 1.0):
        ear(canvas, side, rng)
    underpaint(canvas, head)
    hairs(canvas, head, 420000, rng, (MIDDLE, 548))
    for side in (-1.0, 1.0):
        draw_eye(canvas, SCALE, MIDDLE + side * 92, 448, side, rng)
    draw_nose(canvas, SCALE, MIDDLE, 552, rng)
    draw_mouth(canvas, SCALE, MIDDLE, 594)
    draw_whiskers(canvas, SCALE, MIDDLE, 590, rng)
    # A tilted head looks alive.
    move = cv2.getRotationMatrix2D((MIDDLE * SCALE, 1000.0 * SCALE), 3.5, 1.02)
    move[1, 2] += 16 * SCALE
    canvas = cv2.warpAffine(canvas, move, canvas.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    picture = backdrop(rng) * (1 - small[..., 3:] / 255) + small[..., :3]
    edge = 1 - 0.22 * step(np.hypot(*(g / s - 0.5 for g, s in zip(grid(), (WIDTH, HEIGHT), strict=True))), 0.35, 0.75)
    return np.asarray(np.clip(picture * edge[..., None], 0, 255) + 0.5, np.uint8)
