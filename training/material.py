"""What the score card is measured on: photographs, clips, and the pictures that styles come from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadMedia, BadOption
from streamer.media import VideoReader
from training.data import HOLD_OUT_PREFIX, SUFFIXES

Picture = NDArray[np.uint8]
CLIP_SUFFIXES = {".mp4", ".m4v", ".mkv", ".mov", ".webm", ".avi", ".gif"}


@dataclass(frozen=True)
class Clip:
    """Consecutive frames (H, W, 3) and when each is shown, in seconds."""

    frames: list[Picture]
    times: list[float]


def files_in(folder: Path) -> list[Path]:
    """The files of a folder by name; none of a folder that is not there."""
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def is_photograph(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in SUFFIXES


def is_clip(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in CLIP_SUFFIXES


def find_measured(folders: Sequence[Path], wanted: set[str] | None, limit: int) -> dict[str, Path]:
    """Photographs to measure by, by name: at most `limit`, evenly chosen of all below the folders.

    wanted: the names to choose from. Without, those that training holds out (`val_*`), or all where there are none.
    Raises BadMedia when there are none.
    """
    places = ", ".join(map(str, folders))
    found = sorted({path for folder in folders for path in folder.rglob("*") if is_photograph(path)})
    if not found:
        raise BadMedia(f"There are no photographs in {places}; {', '.join(sorted(SUFFIXES))} are looked for.")
    if wanted is None:
        chosen = [path for path in found if path.name.startswith(HOLD_OUT_PREFIX)] or found
    else:
        chosen = [path for path in found if path.stem in wanted]
    if not chosen:
        raise BadMedia(f"{places} has none of the photographs that all outputs show{_such_as(wanted)}.")
    return {path.stem: path for path in chosen[:: -(-len(chosen) // limit)]}


def find_clips(folder: Path, wanted: set[str] | None) -> dict[str, Path]:
    """The clips of a folder, by name; of those wanted. Raises BadMedia when there are none."""
    found = {path.stem: path for path in files_in(folder) if is_clip(path)}
    if not found:
        raise BadMedia(f"There are no clips in {folder}; {', '.join(sorted(CLIP_SUFFIXES))} are looked for.")
    chosen = {name: path for name, path in found.items() if wanted is None or name in wanted}
    if not chosen:
        raise BadMedia(f"{folder} has none of the clips that the outputs show{_such_as(wanted)}.")
    return chosen


def _such_as(names: set[str] | None) -> str:
    return f", such as {min(names)}" if names else ""


def read_clip(path: Path, count: int, width: int | None = None) -> Clip:
    """The first frames of a clip, scaled down to a width in pixels, to a height that is a multiple of 4.

    Raises BadMedia for what is no clip, or one of a single frame.
    """
    with VideoReader(str(path)) as reader:
        shown = [(frame.pixels, frame.time) for frame in itertools.islice(reader, count)]
    if len(shown) < 2:
        raise BadMedia(f"{path} is not a clip to measure motion in: it has a single frame.")
    frames = [frame for frame, _ in shown]
    height, whole = frames[0].shape[:2]
    if width is not None and whole > width:
        size = (width, max(4, round(height * width / whole / 4) * 4))
        frames = [np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]
    return Clip(frames, [time for _, time in shown])


class StylePictures:
    """The pictures that styles come from, which style files do not hold: given as NAME=FILE, or found in folders."""

    def __init__(self, given: Sequence[str]) -> None:
        """Raises BadOption for what is neither a folder nor NAME=FILE."""
        self._named: dict[str, Path] = {}
        self._found: list[Path] = []
        for text in given:
            name, equals, file = text.partition("=")
            if Path(text).is_dir():
                self._found += [path for path in files_in(Path(text)) if is_photograph(path)]
            elif equals and Path(file).is_file():
                self._named[name] = Path(file)
            else:
                raise BadOption(
                    f"--pictures takes a folder, or NAME=FILE of a picture that is there; received {text!r}."
                )

    def of(self, style: str) -> Path | None:
        """The style's picture: named so; else the file of that name; else the only one with that name in its own.

        `pd_great_wave.jpg` has great_wave in its name. Raises BadOption where several have.
        """
        if style in self._named:
            return self._named[style]
        for path in self._found:
            if path.stem == style:
                return path
        inside = re.compile(rf"(?<![a-z0-9]){re.escape(style)}(?![a-z0-9])", re.IGNORECASE)
        near = [path for path in self._found if inside.search(path.stem)]
        if len(near) > 1:
            names = ", ".join(path.name for path in near)
            raise BadOption(f"Which picture is {style}'s? {names} could be; say --pictures {style}=FILE.")
        return near[0] if near else None
