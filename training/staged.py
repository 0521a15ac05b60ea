"""Scenes made of a photograph, of which all is known: exact motions, and stillness with a sensor's noise.

The motions are other than those that training draws: long smooth paths instead of single random steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.stability import Motion

Picture = NDArray[np.uint8]
Matrix = NDArray[np.float64]  # (3, 3), of homogeneous (x, y, 1) from a centre
FRAMES, FPS = 24, 24.0
VIEW = 0.8  # of the photograph's sides, seen by a frame
SOFT = 0.8  # sigma in pixels of a blur before resampling, which would else shimmer by itself
NOISE = 2.0  # sigma of sensor noise, in levels of 255
EXPOSURES = (1.0, 0.95, 1.05, 1.0)  # gains, a quarter of the scene each


def times() -> list[float]:
    """When the frames of a staged scene are shown, in seconds."""
    return [i / FPS for i in range(FRAMES)]


def _pan(share: float) -> Matrix:
    return _similarity(x=12 * np.sin(2 * np.pi * share))


def _rotation(share: float) -> Matrix:
    return _similarity(degrees=12 * share - 6)


def _zoom(share: float) -> Matrix:
    return _similarity(scale=1.25**-share)


# From the frame's pixels to the photograph's, by the share of the scene that has passed.
PATHS: dict[str, Callable[[float], Matrix]] = {"pan": _pan, "rotation": _rotation, "zoom": _zoom}


@dataclass(frozen=True)
class Moved:
    """A photograph that moves along one of PATHS."""

    frames: list[Picture]
    _places: list[Matrix]

    def motions(self, gap: int) -> list[Motion]:
        """The exact motion from each frame to the one `gap` later, and where that place is still in view."""
        height, width = self.frames[0].shape[:2]
        grid = _grid(height, width)
        known: list[Motion] = []
        for first, second in zip(self._places, self._places[gap:], strict=False):
            there = _apply(np.linalg.inv(second) @ first, grid)
            flow = (there - grid).astype(np.float32)
            inside = (np.abs(there) <= np.array([width - 1, height - 1]) / 2).all(axis=2)
            known.append((flow, np.asarray(inside, np.float32)))
        return known


def moved(photograph: Picture, path: str) -> Moved:
    """FRAMES views (h, w, 3) of a photograph (H, W, 3) along a path; beyond its edges it is mirrored."""
    height, width = photograph.shape[:2]
    view = _grid(int(height * VIEW), int(width * VIEW))
    centre = (np.array([width, height]) - 1) / 2
    soft = cv2.GaussianBlur(photograph, (0, 0), SOFT)
    places = [PATHS[path](i / (FRAMES - 1)) for i in range(FRAMES)]
    frames = []
    for place in places:
        where = (_apply(place, view) + centre).astype(np.float32)
        seen = cv2.remap(soft, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        frames.append(np.asarray(seen, np.uint8))
    return Moved(frames, places)


def still_scene(photograph: Picture, *, exposure: bool, seed: int = 0) -> list[Picture]:
    """FRAMES frames of a photograph, each with fresh noise; with `exposure`, gains that change in steps."""
    rng = np.random.default_rng(seed)
    gains = np.repeat(EXPOSURES, FRAMES // len(EXPOSURES)) if exposure else np.ones(FRAMES)
    frames = [photograph * gain + rng.normal(0, NOISE, photograph.shape) for gain in gains]
    return [np.clip(np.rint(frame), 0, 255).astype(np.uint8) for frame in frames]


def _similarity(x: float = 0.0, degrees: float = 0.0, scale: float = 1.0) -> Matrix:
    cos, sin = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    return np.array([[cos, -sin, x], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _grid(height: int, width: int) -> NDArray[np.float64]:
    """(H, W, 2): each pixel as (x, y) from the centre."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x - (width - 1) / 2, y - (height - 1) / 2], axis=-1)


def _apply(matrix: Matrix, places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(places @ matrix[:2, :2].T + matrix[:2, 2])
