"""Seeded noise and small picture helpers.  Pictures are linear-light float32 RGB, 1.0 = paper white."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SATURATION = 1.16


def srgb(red: int, green: int, blue: int) -> Floats:
    """A colour as one picks it on a screen (0..255), in linear light."""
    return ((np.array([red, green, blue], np.float32) / 255) ** 2.2).astype(np.float32)


def rgb(red: float, green: float, blue: float) -> Floats:
    """Three numbers as a colour or a light."""
    return np.array([red, green, blue], np.float32)


def step(values: Floats, low: float, high: float) -> Floats:
    """Smooth step: 0 below `low`, 1 above `high`."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def mix(first: Floats, second: Floats, weight: Floats) -> Floats:
    """Blend two colour pictures (or colours) by a weight picture."""
    return np.asarray(first + (second - first) * weight[..., None], np.float32)


def sample(texture: Floats, x: Floats, y: Floats) -> Floats:
    """Values of a tiling texture at fractional places (in texture pixels)."""
    size = texture.shape[0]
    x, y = np.broadcast_arrays(np.mod(x, size).astype(np.float32), np.mod(y, size).astype(np.float32))
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    return np.asarray(cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


def band(rng: np.random.Generator, size: int, cells: int) -> Floats:
    """Tiling noise of one scale: `cells` bumps across `size` pixels, unit variance."""
    cells = min(cells, size)
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    if cells == size:
        return grid
    pad = min(4, cells)
    grid = np.pad(grid, pad, mode="wrap")
    scale = size / cells
    whole = cv2.resize(grid, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    start = round(pad * scale)
    part = whole[start : start + size, start : start + size]
    return np.asarray(part / part.std(), np.float32)


def fbm(rng: np.random.Generator, size: int, cells: int, octaves: int, gain: float = 0.5) -> Floats:
    """Tiling fractal noise, unit variance; every octave twice as fine and `gain` times as strong."""
    total = np.zeros((size, size), np.float32)
    for k in range(octaves):
        if cells << k > size:
            break
        total += band(rng, size, cells << k) * gain**k
    return np.asarray(total / total.std(), np.float32)


def ridged(rng: np.random.Generator, size: int, cells: int, octaves: int, gain: float = 0.5) -> Floats:
    """Tiling ridged noise in about 0..1: sharp crests, as of mountains; finer ridges sit on high ground."""
    total = np.zeros((size, size), np.float32)
    weight = np.ones((size, size), np.float32)
    norm = 0.0
    for k in range(octaves):
        if cells << k > size:
            break
        crest = np.clip(1 - np.abs(band(rng, size, cells << k)) * 0.8, 0, 1) ** 2
        total += crest * weight * gain**k
        weight = np.clip(crest * 1.6, 0.1, 1)
        norm += gain**k
    return np.asarray(total / norm, np.float32)


def warp(texture: Floats, by: Floats, amount: float) -> Floats:
    """Move a tiling texture's pixels by a noise, `amount` pixels at one deviation."""
    size = texture.shape[0]
    yy, xx = np.mgrid[:size, :size].astype(np.float32)
    return sample(texture, xx + by * amount, yy + np.roll(by, size // 3, axis=(0, 1)) * amount)


def tonemap(light: Floats, exposure: float = 1.0) -> Bytes:
    """Screen bytes of linear light, with a film-like shoulder (ACES fit)."""
    x = np.maximum(light, 0) * exposure
    # The shoulder below takes colour away; give some back first.
    grey = x @ np.array([0.25, 0.62, 0.13], np.float32)
    x = np.maximum(grey[..., None] + (x - grey[..., None]) * SATURATION, 0)
    x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.asarray(np.clip(x, 0, 1) ** (1 / 2.2) * 255 + 0.5, np.uint8)
