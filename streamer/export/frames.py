"""Representative frames: what 8-bit convolutions are scaled by, and what frozen statistics are those of."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.bench.clip import HEIGHT, WIDTH, bench_clip
from streamer.errors import BadMedia
from streamer.media import CONTAINERS, VideoReader
from streamer.media.notices import silent
from streamer.media.pictures import READABLE, read_picture
from streamer.thumbnails import sample

COUNT = 24  # frames
CLIP_FRAMES = 8  # at most of one clip, evenly over its first ones
CLIP_SPAN = 240  # how many that is
PICTURES = frozenset(f".{kind.lower()}" for kind in (*READABLE, "jpg", "tif"))

Picture = NDArray[np.uint8]


def representative(paths: Sequence[Path] = ()) -> NDArray[np.uint8]:
    """At most COUNT frames of pictures and clips, or of folders of them, (B, HEIGHT, WIDTH, 3).

    By default the shipped sample picture, whole and in parts, and a clip. Raises BadMedia.
    """
    if not paths:
        with tempfile.TemporaryDirectory() as folder:
            return np.stack([*_sample_views(), *_of_clip(bench_clip(Path(folder), CLIP_SPAN))])
    files = _files(paths)
    found: list[Picture] = []
    for place in np.linspace(0, len(files) - 1, min(COUNT, len(files))).round().astype(int):
        path = files[place]
        found += _of_clip(path) if path.suffix.lower() in CONTAINERS else [_fitted(_picture(path))]
    return np.stack(found[:COUNT])


def _files(paths: Sequence[Path]) -> list[Path]:
    known = PICTURES | CONTAINERS.keys()
    files: list[Path] = []
    for path in paths:
        inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in known) if path.is_dir() else [path]
        if not inside:
            raise BadMedia(f"There is no picture or clip in {str(path)!r}.")
        files += inside
    return files


def _picture(path: Path) -> Picture:
    return np.asarray(read_picture(path, silent).image.convert("RGB"), np.uint8)


def _of_clip(path: Path) -> list[Picture]:
    with VideoReader(str(path)) as reader:
        kept = [frame.pixels for _, frame in zip(range(CLIP_SPAN), reader, strict=False)]
    places = np.linspace(0, len(kept) - 1, min(CLIP_FRAMES, len(kept))).round().astype(int)
    return [_fitted(kept[place]) for place in places]


def _sample_views() -> Iterator[Picture]:
    """The sample picture, as it is and mirrored, whole and its quarters, darker and lighter."""
    whole = sample()
    height, width = (side // 2 for side in whole.shape[:2])
    corners = [(row, column) for row in (0, height) for column in (0, width)]
    for view in (whole, *(whole[row : row + height, column : column + width] for row, column in corners)):
        yield _fitted(view)
    for gain in (0.4, 0.7, 1.5):
        yield _fitted(np.clip(whole[:, ::-1] * gain, 0, 255).astype(np.uint8))


def _fitted(picture: Picture) -> Picture:
    """The middle of a picture (H, W, 3), at HEIGHT and WIDTH."""
    scale = max(HEIGHT / picture.shape[0], WIDTH / picture.shape[1])
    size = (max(WIDTH, round(picture.shape[1] * scale)), max(HEIGHT, round(picture.shape[0] * scale)))
    larger = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (size[1] - HEIGHT) // 2, (size[0] - WIDTH) // 2
    return np.asarray(larger[top : top + HEIGHT, left : left + WIDTH], np.uint8)
