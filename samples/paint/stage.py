"""A picture under work: sky, far mountains, land and mirror pictures put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from paint.land import Camera, Haze, Land, look
from paint.noise import Floats
from paint.sky import Range, Sky


@dataclass
class Picture:
    """Light (linear RGB) and depth (m, infinite in the sky) of every pixel."""

    light: Floats
    depth: Floats


def over(land: Floats, depth: Floats, behind: Floats) -> Floats:
    """Land before what is behind it."""
    return np.where(np.isfinite(depth)[..., None], land, behind).astype(np.float32)


def open_air(
    land: Land,
    haze: Haze,
    sky: Sky,
    far: Range,
    camera: Camera,
    time: float,
    near: float,
    distant: float,
    steps: int,
) -> tuple[Picture, Picture]:
    """Sky, mountains and land without water and things; and their mirror picture in still water."""
    # The mirror picture shows sky above the picture's upper edge, so the sky is drawn taller.
    extra = max(0, int(camera.height - 2 * camera.horizon) + 8)
    tall = replace(camera, height=camera.height + extra, horizon=camera.horizon + extra)
    up = sky.draw(tall, time)
    view = look(land, camera, haze, near, distant, steps)
    picture = Picture(over(view.light, view.depth, far.over(up[extra:], camera)), view.depth)
    rows = np.round(2 * tall.horizon - extra - np.arange(camera.height)).astype(int)
    down = far.over(up[np.clip(rows, 0, len(up) - 1)], camera, True)
    return picture, Picture(over(view.mirror, view.mirror_depth, down), view.mirror_depth)
