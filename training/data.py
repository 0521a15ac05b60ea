"""Photographs to batches. Every batch is drawn from (seed, step) alone, so a resumed run sees what it would have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadMedia
from training.motion import MARGIN, Pair, make_pair

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
HOLD_OUT_PREFIX, HOLD_OUT_EVERY = "val_", 20
MINIMUM_PHOTOGRAPHS = 8


def find_photographs(folders: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """All pictures below the folders, sorted: those to train on, and those held out for measuring.

    Held out are those whose names begin with `val_`; where there are none, every twentieth, or one.
    Raises BadMedia when there are too few to train on.
    """
    names = list(folders)
    found = sorted({path for folder in names for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES})
    held_out = [path for path in found if path.name.startswith(HOLD_OUT_PREFIX)]
    held_out = held_out or found[HOLD_OUT_EVERY - 1 :: HOLD_OUT_EVERY] or found[-1:]
    training = sorted(set(found) - set(held_out))
    if len(training) < MINIMUM_PHOTOGRAPHS:
        places = ", ".join(map(str, names))
        least = f"at least {MINIMUM_PHOTOGRAPHS} photographs, and one to measure by"
        raise BadMedia(f"Training needs {least}; {len(found)} found in {places}.")
    return training, held_out


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB. Raises BadMedia when the file is no picture."""
    data = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if data is None:
        raise BadMedia(f"{path} is not a picture that can be read.")
    return cv2.cvtColor(data, cv2.COLOR_BGR2RGB).astype(np.uint8)


def shrink(picture: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    """Scale so that the shorter side has `short_side` pixels, averaging areas when it gets smaller."""
    height, width = picture.shape[:2]
    factor = short_side / min(height, width)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


class Pairs(keras.utils.PyDataset):
    """Batches of `motion.Pair`: a dict of its fields, each stacked to (B, ...) float32, and beside them

    style  (B,) int32, which style each pair is for: all styles in random order, then all again
    share  (B, 1) float32, 1 where the second frame is normalised by the first one's statistics, as in a stream
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        styles: int,
        batch: int,
        size: int,
        steps: int,
        seed: int = 0,
        start: int = 0,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        # A crop never shows more pixels than it has; whole photographs of a telephone would not fit into memory.
        enough = 2 * (size + 2 * MARGIN)
        self._pictures = [shrink(picture, min(enough, *picture.shape[:2])) for picture in map(read_picture, paths)]
        self._styles, self._batch, self._size, self._steps = styles, batch, size, steps
        self._seed, self._start = seed, start

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[Any]]]:
        step = self._start + index
        rng = np.random.default_rng((self._seed, step))
        pairs = [self._draw(rng) for _ in range(self._batch)]
        drawn: dict[str, NDArray[Any]] = {
            name: np.stack([getattr(pair, name) for pair in pairs]) for name in Pair.__dataclass_fields__
        }
        drawn["style"] = np.array([self._style(step * self._batch + i) for i in range(self._batch)], np.int32)
        drawn["share"] = rng.integers(2, size=(self._batch, 1)).astype(np.float32)
        return (drawn,)

    def _style(self, place: int) -> int:
        turn, place = divmod(place, self._styles)
        return int(np.random.default_rng((self._seed, turn, 1)).permutation(self._styles)[place])

    def _draw(self, rng: np.random.Generator) -> Pair:
        picture = self._pictures[rng.integers(len(self._pictures))]
        whole = self._size + 2 * MARGIN
        height, width = picture.shape[:2]
        # Near the photograph's own resolution: enlarged crops are softer than what people bring.
        side = int(min(height, width, whole * rng.uniform(0.8, 1.3)))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        crop = picture[top : top + side, left : left + side]
        how = cv2.INTER_AREA if side >= whole else cv2.INTER_CUBIC
        crop = cv2.resize(crop, (whole, whole), interpolation=how).astype(np.float32)
        if rng.uniform() < 0.5:
            crop = crop[:, ::-1]
        return make_pair(np.ascontiguousarray(_relight(crop, rng)), rng)


def _relight(crop: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Random exposure, contrast and colour temperature."""
    gains = (rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)).astype(np.float32)
    relit = ((crop - 128) * rng.uniform(0.8, 1.1) + 128 + rng.uniform(-12, 12)) * gains
    return np.clip(relit, 0, 255).astype(np.float32)
