"""Synthetic motion: pairs of frames whose flow is known exactly, so that no flow network is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from keras import ops
from numpy.typing import NDArray

from training.losses import LUMINANCE

Array = NDArray[np.float32]
STILL = 0.35  # share of pairs that do not move
BLOTCHY = 0.5  # share of pairs whose noise is coarser than a pixel
MARGIN = 32  # pixels of picture around a first frame, from which things move into the second


@dataclass(frozen=True)
class Pair:
    """Two frames of one moving scene, float32 in 0..255, and what is known of them."""

    first: Array  # (S, S, 3)
    second: Array  # (S, S, 3)
    flow: Array  # (S, S, 2): where each pixel (x, y) of the second frame was in the first
    mask: Array  # (S, S, 1): 1 where that place lies inside the first frame
    light: Array  # (S, S, 1): change of luminance from a change of light, without the noise


def random_flow(size: int, rng: np.random.Generator) -> Array:
    """A random motion of a size x size frame: shift to 16 px, zoom 0.9..1.1, rotation to 3 degrees, a smooth field.

    A share of the frames does not move at all: where only the noise differs, every change of the output is flicker.
    Returns coordinates (size, size, 2) as (x, y) in the first frame for each pixel of the second.
    """
    centre = (size - 1) / 2
    y, x = np.mgrid[:size, :size].astype(np.float32) - centre
    if rng.uniform() < STILL:
        return np.stack([x, y], axis=-1).astype(np.float32) + np.float32(centre)
    zoom, angle = rng.uniform(0.9, 1.1), np.deg2rad(rng.uniform(-3, 3))
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    # Small motions are the common ones between neighbouring frames: the radius is drawn, not the box.
    reach, heading = 16 * rng.uniform() ** 2, rng.uniform(0, 2 * np.pi)
    if rng.uniform() < 0.5:
        cos, sin = 1 + (cos - 1) * 0.1, sin * 0.1
    coarse = rng.normal(0, 1.5 * rng.uniform(), (4, 4, 2)).astype(np.float32)
    smooth = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    where = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1) + smooth + centre
    return (where + reach * np.array([np.cos(heading), np.sin(heading)])).astype(np.float32)


def make_pair(scene: Array, rng: np.random.Generator) -> Pair:
    """scene (S + 2 MARGIN, S + 2 MARGIN, 3), 0..255 -> a pair with motion, light and noise."""
    first = np.ascontiguousarray(scene[MARGIN:-MARGIN, MARGIN:-MARGIN])
    size = first.shape[0]
    flow = random_flow(size, rng)
    there = flow + np.float32(MARGIN)
    moved = compensate(scene, there)
    lit = moved * np.float32(rng.uniform(0.9, 1.1)) + np.float32(rng.uniform(-10, 10))
    light = ((lit - moved) @ np.array(LUMINANCE, np.float32))[..., None]
    second = np.clip(lit + _noise(lit.shape, rng), 0, 255).astype(np.float32)
    inside = ((flow >= 0) & (flow <= size - 1)).all(axis=-1, keepdims=True)
    return Pair(first, second, flow, inside.astype(np.float32), light.astype(np.float32))


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Sensor noise (H, W, 3): fine as it comes from a sensor, or in blotches, as codecs and demosaicing leave it."""
    noise = rng.normal(0, 1, shape).astype(np.float32)
    if rng.uniform() < BLOTCHY:
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.6, 2.0))
        noise /= noise.std()
        return np.asarray(noise * rng.uniform(0, 2.5), np.float32)
    return np.asarray(noise * rng.uniform(0, 5), np.float32)


def compensate(picture: Array, flow: Array) -> Array:
    """Sample a picture (H, W, C) at flow (h, w, 2), pixels as (x, y), bicubically: for making data, not for losses."""
    moved = cv2.remap(picture, flow, None, interpolation=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


def warp(pictures: Any, flow: Any) -> Any:
    """Sample pictures (B, H, W, C) at flow (B, h, w, 2), pixels as (x, y), bilinearly; differentiable in pictures."""
    batch, height, width, channels = ops.shape(pictures)
    x = ops.clip(flow[..., 0], 0.0, ops.cast(width - 1, "float32"))
    y = ops.clip(flow[..., 1], 0.0, ops.cast(height - 1, "float32"))
    left, top = ops.floor(x), ops.floor(y)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    x0, y0 = ops.cast(left, "int32"), ops.cast(top, "int32")
    x1, y1 = ops.minimum(x0 + 1, width - 1), ops.minimum(y0 + 1, height - 1)
    flat = ops.reshape(pictures, (-1, channels))
    base = ops.reshape(ops.arange(batch, dtype="int32"), (-1, 1, 1)) * (height * width)

    def at(row: Any, column: Any) -> Any:
        return ops.take(flat, base + row * width + column, axis=0)

    upper = at(y0, x0) * (1 - fx) + at(y0, x1) * fx
    lower = at(y1, x0) * (1 - fx) + at(y1, x1) * fx
    return upper * (1 - fy) + lower * fy
