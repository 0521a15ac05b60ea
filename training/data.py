"""Photographs and videos to batches.

Every batch is drawn from (seed, number) alone, so a resumed run sees what it would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadMedia
from training.clips import SHORT_SIDE, VIDEO_SUFFIXES, Moment, read_moments, real_pair
from training.motion import MARGIN, Pair, make_pair

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SOFT = 0.35  # share of crops that are blurred
DIM = 0.2  # share of crops in little light
HOLD_OUT_PREFIX, HOLD_OUT_EVERY = "val_", 20
MINIMUM_PHOTOGRAPHS = 8
LEAST_SEEN = 0.3  # share of a frame that its neighbour shows too; less is a cut, or motion that flow cannot follow
LEAST_CONTRAST = 2.0  # standard deviation of a colour channel in 1/255: below it there is but compression noise


def find_photographs(folders: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """All pictures and videos below the folders, sorted: those to train on, and those held out for measuring.

    Of either kind those are held out whose names begin with `val_`; where there are none, every twentieth, or one if
    there are several. Raises BadMedia when there are too few.
    """
    names = list(folders)
    found = sorted({path for folder in names for path in folder.rglob("*") if path.is_file()})
    pictures = [path for path in found if path.suffix.lower() in SUFFIXES]
    clips = [path for path in found if is_video(path)]
    held_out = sorted(_held_out(pictures) + _held_out(clips))
    training = sorted({*pictures, *clips} - set(held_out))
    if not held_out or (len(training) < MINIMUM_PHOTOGRAPHS and not any(map(is_video, training))):
        places = ", ".join(map(str, names))
        least = f"at least {MINIMUM_PHOTOGRAPHS} photographs or a video, and one more to measure by"
        raise BadMedia(f"Training needs {least}; {len(pictures)} photographs and {len(clips)} videos are in {places}.")
    return training, held_out


def _held_out(found: list[Path]) -> list[Path]:
    named = [path for path in found if path.name.startswith(HOLD_OUT_PREFIX)]
    return named or found[HOLD_OUT_EVERY - 1 :: HOLD_OUT_EVERY] or (found[-1:] if len(found) > 1 else [])


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB; of a video, the frame in its middle. Raises BadMedia when the file cannot be read."""
    if is_video(path):
        return read_moments([path], limit=1)[0][0]
    data = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if data is None:
        raise BadMedia(f"{path} is not a picture that can be read.")
    return cv2.cvtColor(data, cv2.COLOR_BGR2RGB).astype(np.uint8)


def read_style_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB. Raises BadMedia when the file is no picture, or one without anything to learn from."""
    picture = read_picture(path)
    check_structure(picture, path)
    return picture


def check_structure(picture: NDArray[np.uint8], path: Path) -> None:
    """Raise BadMedia when a style picture (H, W, 3) has nothing to learn from."""
    if picture.std(axis=(0, 1)).max() < LEAST_CONTRAST:
        raise BadMedia(f"{path} is of one colour; a style is learnt from a picture with some structure.")


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

    A moment of a video counts as a photograph; half of the pairs drawn from it are its two neighbouring frames.
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
        """steps: how many batches there are, the first of them being the one numbered `start`."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        # A crop never shows more pixels than it has; whole photographs of a telephone would not fit into memory.
        enough = 2 * (size + 2 * MARGIN)
        photographs = [read_picture(path) for path in paths if not is_video(path)]
        self._sources: list[Moment] = [(shrink(picture, min(enough, *picture.shape[:2])),) for picture in photographs]
        self._sources += read_moments([path for path in paths if is_video(path)], min(enough, SHORT_SIDE))
        if not self._sources:
            raise BadMedia(f"No frame could be read from the videos to train on, {len(paths)} in number.")
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
        frames = self._sources[rng.integers(len(self._sources))]
        if len(frames) > 1 and rng.uniform() < 0.5:
            pair = real_pair(*_cut(frames, self._size, rng))
            if pair.mask.mean() > LEAST_SEEN:
                return pair
        (scene,) = _cut(frames[:1], self._size + 2 * MARGIN, rng)
        return make_pair(_soften(scene, rng), rng)


def _cut(frames: Moment, whole: int, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """The same random crop of each frame, as (whole, whole, 3) in 0..255, mirrored and in another light at random."""
    height, width = frames[0].shape[:2]
    # Near the photograph's own resolution: enlarged crops are softer than what people bring.
    side = int(min(height, width, whole * rng.uniform(0.8, 1.3)))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    how = cv2.INTER_AREA if side >= whole else cv2.INTER_CUBIC
    crops = [frame[top : top + side, left : left + side] for frame in frames]
    cut = np.stack([cv2.resize(crop, (whole, whole), interpolation=how) for crop in crops]).astype(np.float32)
    if rng.uniform() < 0.5:
        cut = cut[:, :, ::-1]
    return list(np.ascontiguousarray(_relight(cut, rng)))


def _soften(crop: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A share of the crops as soft as video is: sharp photographs alone do not teach what noise on a flat wall does."""
    sigma = rng.uniform(0.5, 2.5)
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), np.float32) if rng.uniform() < SOFT else crop


def _relight(crops: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Random exposure, contrast and colour temperature; a share of the crops as dim as a room in the evening.

    Normalisation makes a dim frame as rich in contrast as any other, and its noise with it.
    """
    gains = (rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)).astype(np.float32)
    if rng.uniform() < DIM:
        gains *= np.float32(rng.uniform(0.2, 0.8))
    relit = ((crops - 128) * rng.uniform(0.8, 1.1) + 128 + rng.uniform(-12, 12)) * gains
    return np.clip(relit, 0, 255).astype(np.float32)
