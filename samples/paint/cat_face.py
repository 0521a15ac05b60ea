"""Eyes, nose, mouth and whiskers of the portrait, drawn on its canvas (premultiplied RGBA bytes).

Places and lengths are in the portrait's units; the canvas is `scale` times as fine.
"""

from __future__ import annotations

import cv2
import numpy as np

from paint.noise import Bytes, Floats, fbm, mix, rgb, step


def patch(canvas: Bytes, scale: int, x: float, y: float, reach: int) -> tuple[Bytes, Floats, Floats]:
    """The part of the canvas around a place, and its units (x to the right, y up) from there."""
    row, column, r = int(y * scale), int(x * scale), reach * scale
    part = canvas[row - r : row + r, column - r : column + r]
    yy, xx = np.mgrid[-r:r, -r:r].astype(np.float32) / scale
    return part, xx, -yy


def lay(part: Bytes, colour: Floats, share: Floats) -> None:
    """Blend a colour over a part of the canvas."""
    tone = np.dstack([np.broadcast_to(colour, (*share.shape, 3)), np.full(share.shape, 255, np.float32)])
    part[:] = (np.clip(mix(part.astype(np.float32), tone, share), 0, 255) + 0.5).astype(np.uint8)


def draw_eye(canvas: Bytes, scale: int, x: float, y: float, side: float, rng: np.random.Generator) -> None:
    """An eye; side -1 is the left one of the picture."""
    part, right, v = patch(canvas, scale, x, y, 90)
    u = side * right  # grows to the outer corner
    v = v - 0.20 * u + 0.0012 * u * u
    lid = np.sqrt(np.clip(1 - (u / 57) ** 2, 0, 1))
    high, low = 37 * lid**0.85, -33 * lid**1.0
    inside = np.minimum(high - v, v - low)
    inside = np.where(np.abs(u) < 57, inside, -np.maximum(np.abs(u) - 57, np.abs(v) * 0.4))
    soft = fbm(rng, 512, 24, 3)[: v.shape[0], : v.shape[1]]
    lay(part, rgb(46, 26, 18), 0.92 * step(inside + 0.5 * soft, -7.5, -2.0))
    corner = step(np.hypot(u + 60, (v + 5) * 1.6), 15, 5)
    lay(part, rgb(60, 32, 26), 0.9 * corner)
    radius, angle = np.hypot(u + 1, v), np.arctan2(v, u + 1)
    strands = fbm(rng, 512, 64, 3)
    ray = strands[(np.abs(angle) * 81).astype(int) % 512, (radius * 1.2).astype(int) % 512]
    ray = cv2.blur(np.asarray(ray, np.float32), (3, 3))
    iris = mix(rgb(236, 196, 84), rgb(120, 164, 66), step(radius + 3 * ray, 14, 34))
    iris = mix(iris, rgb(44, 84, 50) + np.zeros_like(iris), step(radius + 2 * ray, 34, 45))
    iris = iris * (1 + 0.16 * ray + 0.28 * step(-v, -20, 30))[..., None]
    lay(part, iris, step(inside, -0.6, 0.6))
    lay(part, rgb(12, 10, 12), step(np.hypot(u / 15, v / 31), 1.06, 0.96) * step(inside, -0.6, 0.6))
    lay(part, rgb(16, 12, 10), 0.75 * step(high - v + 4 * (right > 0), 17, 1) * step(inside, -0.6, 0.6))
    lay(part, rgb(20, 14, 12), 0.55 * step(inside, 6, 0) * step(inside, -0.6, 0.6))
    # Light from the upper left mirrors in both eyes at the same place.
    window = step(
        np.maximum(np.abs(right + 15 + 0.15 * v), np.abs(v - 14) * 0.9) + 0.15 * np.hypot(right + 15, v - 14),
        10.5,
        7.5,
    )
    lay(part, rgb(255, 253, 246), 0.95 * window * step(inside, 0, 2))
    lay(
        part,
        rgb(200, 226, 240),
        0.55 * step(np.hypot((right - 14) / 1.5, v + 16), 10, 2) * step(inside, 0, 3),
    )
    lay(part, rgb(214, 150, 120), 0.6 * step(np.abs(v - low - 0.5), 2.6, 0.6) * step(np.abs(u), 46, 30))


def draw_nose(canvas: Bytes, scale: int, x: float, y: float, rng: np.random.Generator) -> None:
    """A pink nose with nostrils."""
    part, u, v = patch(canvas, scale, x, y, 64)
    half = np.interp(v, [-32, -24, -12, 4, 14, 18], [2, 10, 24, 36, 34, 24]).astype(np.float32)
    inside = np.minimum(half - np.abs(u), np.minimum(18 - v - 0.004 * u * u, v + 33))
    noise = fbm(rng, 512, 64, 4)[: v.shape[0], : v.shape[1]]
    tone = mix(rgb(150, 72, 66), rgb(226, 138, 124), step(v + 0.25 * np.abs(u) + 2 * noise, -26, 16))
    tone = tone * (1 - 0.12 * step(u, 0, 34) + 0.03 * noise)[..., None]
    lay(part, rgb(70, 34, 28), 0.7 * step(inside, -5, 1))
    lay(part, tone, step(inside, -1.5, 1.5))
    holes = np.hypot((np.abs(u) - 19 - 0.4 * (v + 8)) / 10, (v + 8 + 0.35 * (np.abs(u) - 19)) / 5.0)
    lay(part, rgb(46, 18, 18), 0.95 * step(holes, 1.15, 0.7))
    lay(part, rgb(60, 26, 24), 0.7 * step(np.abs(u), 2.4, 0.6) * step(v, -6, -14) * step(v, -34, -30))
    lay(part, rgb(255, 226, 214), 0.55 * step(np.hypot((u + 9) / 15, (v - 9) / 5), 1.1, 0.2))


def stroke(canvas: Bytes, scale: int, points: list[tuple[float, float]], thick: float, colour: Floats) -> None:
    """A smooth tapering line through a start, a bend and an end."""
    (ax, ay), (bx, by), (cx, cy) = points
    t = np.linspace(0, 1, 40)
    line = (
        np.stack(
            [
                (1 - t) ** 2 * ax + 2 * t * (1 - t) * bx + t * t * cx,
                (1 - t) ** 2 * ay + 2 * t * (1 - t) * by + t * t * cy,
            ],
            1,
        )
        * scale
    )
    way = np.gradient(line, axis=0)
    normal = np.stack([-way[:, 1], way[:, 0]], 1) / np.hypot(way[:, 0], way[:, 1])[:, None]
    half = thick * scale / 2 * (1 - 0.85 * t)[:, None]
    outline = np.concatenate([line + normal * half, (line - normal * half)[::-1]])
    cv2.fillPoly(canvas, [np.round(outline * 16).astype(np.int32)], (*colour.tolist(), 255.0), cv2.LINE_AA, 4)


def draw_mouth(canvas: Bytes, scale: int, x: float, y: float) -> None:
    """The line below the nose and the two bows of the mouth, with whisker pads' dots."""
    dark = rgb(84, 44, 36)
    stroke(canvas, scale, [(x, y - 12), (x + 1, y + 4), (x, y + 20)], 4.5, dark)
    for side in (-1.0, 1.0):
        stroke(canvas, scale, [(x, y + 17), (x + side * 18, y + 44), (x + side * 62, y + 30)], 5.5, dark)
        stroke(
            canvas,
            scale,
            [(x + side * 4, y + 46), (x + side * 18, y + 54), (x + side * 36, y + 48)],
            3.0,
            rgb(150, 116, 100),
        )
        for row in range(3):
            for k in range(4):
                px, py = x + side * (34 + 15 * k + 4 * row), y - 14 + 13 * row + 1.5 * k
                cv2.circle(
                    canvas,
                    (int(px * scale), int(py * scale)),
                    int(1.5 * scale),
                    (126, 84, 62, 255),
                    -1,
                    cv2.LINE_AA,
                )


def draw_whiskers(canvas: Bytes, scale: int, x: float, y: float, rng: np.random.Generator) -> None:
    """Long white whiskers on both cheeks and a few above the eyes."""
    white = rgb(252, 248, 240)
    for side in (-1.0, 1.0):
        for k in range(11):
            row, out = k % 3, 36 + 14 * (k // 3)
            px, py = x + side * (out + 4 * row), y - 12 + 13 * row
            length, drop = rng.uniform(190, 300), rng.uniform(-50, 20) + 46 * row
            bend = (px + side * length * 0.5, py + drop * 0.2 - 26)
            stroke(
                canvas,
                scale,
                [(px, py), bend, (px + side * length, py + drop + 10)],
                2.6,
                white * rng.uniform(0.86, 1.0),
            )
        for k in range(4):
            px, py = x + side * (84 + 12 * k), y - 205 + 2 * k
            stroke(
                canvas,
                scale,
                [(px, py), (px + side * 26, py - 70), (px + side * (72 + 18 * k), py - 118 + 16 * k)],
                2.0,
                white,
            )
