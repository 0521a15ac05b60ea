"""What the tests of training share: drawn photographs, two small styles and a recipe of a few cheap steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from streamer.styles import Style, StyleLibrary, save_style
from streamer.trunk import Trunk, TrunkConfig, save_trunk
from tests import tiny
from tests.media_clips import Clip
from training.data import Pairs, find_photographs
from training.recipe import Recipe, StyleSource


def draw_photographs(folder: Path, count: int = 10, height: int = 140, width: int = 180) -> Path:
    """That many to train on, and one to measure by."""
    folder.mkdir(exist_ok=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i}.png"), tiny.picture(height, width, seed=i))
    cv2.imwrite(str(folder / "val_x.png"), tiny.picture(height, width, seed=99))
    return folder


def film(path: Path, seconds: float = 2.0, step: int = 3, seed: int = 0) -> Path:
    """A clip of 192 x 144 pixels whose scene moves `step` pixels to the left with each of its 30 frames a second."""
    count = round(seconds * 30)
    scene = cv2.GaussianBlur(tiny.picture(144, 192 + step * count, seed), (0, 0), 2)

    def view(index: int, width: int, height: int) -> np.ndarray:
        return np.ascontiguousarray(scene[:height, step * index : step * index + width])

    return Clip(width=192, height=144, ticks=tuple(range(0, count * 512, 512)), picture=view).write(path)


def two_styles(folder: Path) -> tuple[StyleSource, ...]:
    """`one` and `two`, of 80 x 80 pixels."""
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(("one", "two")):
        cv2.imwrite(str(folder / f"{name}.png"), tiny.picture(80, 80, seed=50 + i))
    return tuple(StyleSource(name, str(folder / f"{name}.png"), (64,)) for name in ("one", "two"))


def tiny_recipe(folder: Path, **values: Any) -> Recipe:
    """Six steps of four crops of 64 pixels, two styles, a tiny trunk."""
    settled: dict[str, Any] = {"vgg": "random", "config": tiny.CONFIG, "steps": 6, "batch": 4, "size": 64}
    settled |= {"temporal_ramp": (0, 0.1), "content_credit": "drawn pictures"} | values
    content = settled.pop("content", None) or (str(draw_photographs(folder / "photographs")),)
    return Recipe(two_styles(folder / "styles"), content, **settled)


def first_batch(recipe: Recipe, batch: int | None = None) -> dict[str, np.ndarray]:
    """What a run of the recipe sees first."""
    paths, _ = find_photographs([Path(name) for name in recipe.content])
    count = batch or recipe.batch
    return Pairs(paths, styles=len(recipe.styles), batch=count, size=recipe.size, steps=1, seed=recipe.seed)[0][0]


def library_of(trunk: Trunk, rows: dict[str, np.ndarray], folder: Path) -> StyleLibrary:
    """A library folder of theirs."""
    path = folder / "trunks" / "live.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_trunk(trunk, path)
    for name, row in rows.items():
        save_style(Style(name, name, "A script", "CC0-1.0", trunk.checksum, row), folder / f"{name}.safetensors")
    return StyleLibrary([folder], path)


def inputs_of(picture: np.ndarray, row: np.ndarray, config: TrunkConfig) -> dict[str, np.ndarray]:
    """One still frame for a Keras network."""
    given = np.zeros((1, config.statistics_size), np.float32)
    still = {"mix": np.ones((1, 1), np.float32), "carry": np.zeros((1, 1), np.float32)}
    return {"frames": picture[None].astype(np.float32), "modulation": row[None], "given": given} | still
