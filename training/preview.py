"""A contact sheet of a run: the same pictures, in every style, at several moments of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.geometry import padding
from streamer.model import StyleNetwork


def run_network(
    network: StyleNetwork, picture: NDArray[np.uint8], modulation: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """One still picture (H, W, 3) through a Keras network, by its own statistics."""
    top, bottom, left, right = padding(*picture.shape[:2])
    padded = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_REFLECT_101)
    outputs = network(
        {
            "frames": padded[None].astype(np.float32),
            "modulation": modulation[None],
            "given": np.zeros((1, network.config.statistics_size), np.float32),
            "mix": np.ones((1, 1), np.float32),
            "carry": np.zeros((1, 1), np.float32),
        }
    )
    styled = np.asarray(ops.convert_to_numpy(outputs["frames"]))[0, top:-bottom, left:-right]
    return np.clip(np.rint(styled), 0, 255).astype(np.uint8)


class Preview(keras.callbacks.Callback):
    """Writes `preview.png` (now) and `preview-STEP.png` every `every` steps."""

    def __init__(self, pictures: Sequence[NDArray[np.uint8]], folder: Path, every: int) -> None:
        super().__init__()
        self._pictures, self._folder, self._every = pictures, folder, every

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Draw when it is due."""
        if (batch + 1) % self._every == 0:
            self.draw()

    def draw(self) -> None:
        """A row for every picture, a column for every style, the identity row first."""
        model: Any = self.model
        rows = [np.hstack([run_network(model.network, p, row) for row in model.table]) for p in self._pictures]
        width = max(row.shape[1] for row in rows)
        sheet = np.vstack([np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0))) for row in rows])
        step = int(ops.convert_to_numpy(model.progress_step))
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in ("preview.png", f"preview-{step:06}.png"):
            cv2.imwrite(str(self._folder / name), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
