"""The first of two stages: a network from chance learns to give its input back, before it learns to paint.

A step costs a fraction of a painting one, since no loss looks at VGG features.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamer.training_settings import TEACHER_WEIGHT
from training.distil import INPUT
from training.recipe import Recipe

FOLDER = "reconstruction"  # in a run's folder: the checkpoint and the export of the first stage


def reconstruction_of(recipe: Recipe) -> Recipe:
    """The first stage of a run: the same network, photographs and styles; the mean difference of pixels for a loss."""
    return replace(
        recipe,
        steps=recipe.reconstruction_steps,
        reconstruction_steps=0,
        styles=tuple(replace(source, style_weight=0.0) for source in recipe.styles),
        content_weight=0.0,
        temporal_weight=0.0,
        variation_weight=0.0,
        teacher=INPUT,
        teacher_trunk="",
        teacher_weight=TEACHER_WEIGHT,
    )


def stage_folder(folder: Path) -> Path:
    """Where the first stage of the run in a folder lies."""
    return folder / FOLDER
