"""What a program made of photographs and clips, as files: so that any program is measured by the same code.

    DIR/STYLE/photos/NAME.png    of the photograph NAME.*, in a format without loss
    DIR/STYLE/clips/NAME.mp4     of the clip NAME.*, frame by frame from the first; without loss, or nearly

An output may be smaller or larger than its input by less than SLACK pixels a side, for networks that want multiples of
their stride; both are then cropped at the right and at the bottom, as such networks crop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadMedia, UnknownStyle
from training.material import files_in, is_clip, is_photograph

Picture = NDArray[np.uint8]
SLACK = 16  # pixels


@dataclass(frozen=True)
class Outputs:
    """One style of one program: its files by the names of the photographs and clips that they show."""

    program: str
    style: str
    photographs: dict[str, Path]
    clips: dict[str, Path]


def find_outputs(folder: Path, styles: Sequence[str] = ()) -> list[Outputs]:
    """The styles that a folder has outputs of, or those of them that are named; the program is called as the folder.

    Raises BadMedia when the folder has none, UnknownStyle when it has none of those named.
    """
    if not folder.is_dir():
        raise BadMedia(f"There is no folder {folder} of styled photographs and clips.")
    found = [_outputs(folder, each) for each in sorted(folder.iterdir()) if each.is_dir()]
    found = [outputs for outputs in found if outputs.photographs or outputs.clips]
    if not found:
        raise BadMedia(
            f"{folder} holds no outputs; they are looked for as STYLE/photos/NAME.png and STYLE/clips/NAME.mp4."
        )
    chosen = [outputs for outputs in found if not styles or outputs.style in styles]
    if not chosen:
        known = ", ".join(outputs.style for outputs in found)
        raise UnknownStyle(f"{folder} has no outputs of {', '.join(styles)}; it has {known}.")
    return chosen


def _outputs(folder: Path, style: Path) -> Outputs:
    program = folder.resolve().name
    photographs = {path.stem: path for path in files_in(style / "photos") if is_photograph(path)}
    return Outputs(
        program, style.name, photographs, {path.stem: path for path in files_in(style / "clips") if is_clip(path)}
    )


def common_size(name: str, size: tuple[int, int], outputs: Iterable[tuple[Path, tuple[int, int]]]) -> tuple[int, int]:
    """The largest (height, width) that an input and all outputs of it have.

    Raises BadMedia for an output that differs by SLACK or more: it shows something else.
    """
    height, width = size
    for path, (high, wide) in outputs:
        if max(abs(high - size[0]), abs(wide - size[1])) >= SLACK:
            raise BadMedia(
                f"{path} has {wide}x{high} pixels, but {name} has {size[1]}x{size[0]}; an output's sides may differ "
                f"from its input's by less than {SLACK} pixels."
            )
        height, width = min(height, high), min(width, wide)
    return height, width


def cropped(picture: Picture, size: tuple[int, int]) -> Picture:
    """The upper left (height, width) of a picture."""
    return np.ascontiguousarray(picture[: size[0], : size[1]])
