"""Learning from a larger network: its outputs are matched pixel by pixel (Hinton et al. 2015), which needs no VGG."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from streamer.errors import BadStyle
from streamer.model import StyleNetwork, load_network
from streamer.styles import FILES, StyleLibrary
from streamer.trunk import MODELS
from training.exports import Export, own_styles, read_export
from training.recipe import Recipe

# In a recipe's place of a teacher: the photographs themselves. Other teachers are models or whole paths.
INPUT = "input"


def find_teacher(where: str, names: Sequence[str]) -> Export:
    """The network and the styles of those names to learn from: of a folder, or of a model in the library.

    Raises BadStyle when there is no such folder, when it has not all of the styles, or when they are for different
    networks; UnknownStyle when a model has not all of them.
    """
    if where in MODELS:
        return _of_library(StyleLibrary.default(where), names)
    folder = Path(where)
    if not folder.is_dir():
        raise BadStyle(f"There is no folder {where} of styles to learn from; a model is one of {', '.join(MODELS)}.")
    known = sorted(path.stem for path in folder.glob(FILES))
    if unknown := [name for name in names if name not in known]:
        raise BadStyle(f"The teacher in {where} does not know {unknown[0]}; it knows {', '.join(known) or 'no style'}.")
    return read_export(folder, names)


def _of_library(library: StyleLibrary, names: Sequence[str]) -> Export:
    """The model's default network if it knows all of the styles; else that of the styles that go by these names."""
    with contextlib.suppress(BadStyle):
        if set(names) <= set((export := own_styles(library)).styles):
            return export
    styles = {name: library.get(name) for name in names}
    if len({style.trunk for style in styles.values()}) > 1:
        raise BadStyle(f"{', '.join(names)} of the {library.model} model belong to different networks: none knows all.")
    return Export(library.select(names[0]).trunk, styles)


def teacher_of(recipe: Recipe) -> Teacher | Itself | None:
    """Whom a run learns from. Raises as `find_teacher`, and BadStyle when it is not the one that the run began with."""
    if recipe.teacher in ("", INPUT):
        return Itself() if recipe.teacher else None
    names = [source.name for source in recipe.styles]
    export = find_teacher(recipe.teacher, names)
    if recipe.teacher_trunk not in ("", export.trunk.checksum):
        raise BadStyle(
            f"This run has another teacher ({recipe.teacher_trunk[:12]}) than {recipe.teacher} is now "
            f"({export.trunk.checksum[:12]})."
        )
    return Teacher(export, names, recipe.network_precision)


class Itself:
    """A teacher that paints nothing: its pupil learns to give the input back."""

    def __call__(self, frames: Any, style: Any) -> Any:
        """The frames."""
        return frames


class Teacher:
    """A frozen network and its styles, in the order in which the pupil learns them."""

    def __init__(self, export: Export, names: Sequence[str], precision: str = "float32") -> None:
        """export: see `find_teacher`; precision: a Keras policy."""
        self.network: StyleNetwork = load_network(export.trunk, precision)
        self.network.trainable = False
        self._rows = np.stack([export.styles[name].modulation for name in names])

    def __call__(self, frames: Any, style: Any) -> Any:
        """What the teacher makes of frames (B, H, W, 3), 0..255, each by its own statistics; style (B,) int32."""
        count, size = ops.shape(style)[0], self.network.config.statistics_size
        inputs = {
            "frames": frames,
            "modulation": ops.take(self._rows, style, axis=0),
            "given": ops.zeros((count, size)),
            "mix": ops.eye(count),
            "carry": ops.zeros((count, 1)),
        }
        return ops.stop_gradient(ops.clip(self.network(inputs)["frames"], 0.0, 255.0))
