"""A contact sheet of a run: the same held-out pictures at several moments of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.files import write_atomically
from streamer.geometry import padding
from streamer.model import StyleNetwork
from training.callbacks import StepCallback
from training.train import averaged, synchronise

Picture = NDArray[np.uint8]
PREVIEW = "preview.png"
CELL, GAP, LINE = 256, 6, 22  # pixels: width of a picture, between pictures, height of a line of text
COLUMNS, MOMENTS = 6, 6  # at most; more styles than columns are wrapped, of more moments some are left out
PAPER, INK = 255, (20, 20, 20)


def run_network(network: StyleNetwork, picture: Picture, modulation: NDArray[np.float32]) -> Picture:
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


class Preview(StepCallback):
    """Every `every` steps writes `preview-STEP.png`, that moment, and `preview.png`, all moments beneath each other.

    With one style a moment shows all the pictures, with several one picture in each style. A resumed run finds the
    earlier moments in the folder.
    """

    def __init__(self, pictures: Sequence[Picture], folder: Path, every: int) -> None:
        super().__init__()
        self._pictures, self._folder, self._every = [_to_width(picture) for picture in pictures], folder, every

    def on_step_end(self, step: int, losses: Mapping[str, float]) -> None:
        """Draw when it is due."""
        if step % self._every == 0:
            self.draw(step)

    def draw(self, step: int) -> None:
        """Draw this moment, by the averaged weights, and the sheet of all."""
        trainer = self.model
        synchronise(trainer)
        shown = self._shown(len(trainer.recipe.styles))
        with averaged(trainer):
            table = trainer.table
            cells = [run_network(trainer.network, self._pictures[i], table[style]) for i, style in shown]
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._folder / f"preview-{step:06}.png", _wrap(cells))
        names = [trainer.recipe.styles[style].name for _, style in shown]
        inputs = _wrap([_titled(name, self._pictures[i]) for name, (i, _) in zip(names, shown, strict=True)])
        _write(self._folder / PREVIEW, np.vstack([inputs, *self._moments(inputs.shape[1])]))

    def _shown(self, styles: int) -> list[tuple[int, int]]:
        """Which picture in which style, from left to right."""
        if styles == 1:
            return [(i, 0) for i in range(len(self._pictures))]
        return [(i % len(self._pictures), i) for i in range(styles)]

    def _moments(self, width: int) -> list[Picture]:
        """What was drawn so far: the first, the last, and some between, evenly apart, each with its step above it."""
        paths = sorted(self._folder.glob("preview-*.png"))
        chosen = np.unique(np.linspace(0, len(paths) - 1, min(MOMENTS, len(paths))).round().astype(int))
        rows: list[Picture] = []
        for path in (paths[i] for i in chosen):
            drawn = cv2.imread(str(path))
            if drawn is not None and drawn.shape[1] == width:  # else it is of a run with other pictures
                picture = np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2RGB), np.uint8)
                rows.append(_titled(f"step {int(path.stem.removeprefix('preview-'))}", picture))
        return rows


def _to_width(picture: Picture) -> Picture:
    height = max(1, round(picture.shape[0] * CELL / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (CELL, height), interpolation=cv2.INTER_AREA), np.uint8)


def _titled(text: str, picture: Picture) -> Picture:
    line = np.full((LINE, picture.shape[1], 3), PAPER, np.uint8)
    cv2.putText(line, text, (4, LINE - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)
    return np.vstack([line, picture])


def _wrap(cells: Sequence[Picture]) -> Picture:
    """Cells of one width side by side, in as many rows as it takes."""
    height, columns = max(cell.shape[0] for cell in cells), min(COLUMNS, len(cells))
    empty = np.full((height + GAP, CELL + GAP, 3), PAPER, np.uint8)
    padded = []
    for cell in cells:
        padded.append(empty.copy())
        padded[-1][: cell.shape[0], : cell.shape[1]] = cell
    padded += [empty] * (-len(padded) % columns)
    return np.vstack([np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)])


def _write(path: Path, picture: Picture) -> None:
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    write_atomically(path, encoded.tobytes())
