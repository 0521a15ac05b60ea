"""Learning from a larger network: its outputs are matched pixel by pixel (Hinton et al. 2015), which needs no VGG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from streamer.errors import BadStyle
from streamer.model import StyleNetwork, load_network
from training.exports import read_export


class Teacher:
    """A frozen network and its styles, in the order in which the pupil learns them."""

    def __init__(self, folder: Path, names: Sequence[str], precision: str = "float32") -> None:
        """precision: a Keras policy. Raises BadStyle when a style of the pupil's is not among the teacher's."""
        export = read_export(folder)
        if unknown := [name for name in names if name not in export.styles]:
            raise BadStyle(f"The teacher in {folder} does not know {unknown[0]}; it knows {', '.join(export.styles)}.")
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
