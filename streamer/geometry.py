"""Sizes: how a frame is padded for the network, and what size it is asked to become."""

from __future__ import annotations

from streamer.errors import BadOption
from streamer.options import AUTO, SIZE, SIZE_FORMS

STRIDE = 8  # the network halves the resolution three times
BORDER = 8  # pixels reflected around a frame, so that the zero padding inside the network stays out of it

MAX_SIDE = 16384  # pixels; beyond it no codec of ours encodes


def padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Pixels to reflect (top, bottom, left, right) so that both sides become multiples of STRIDE."""
    bottom = BORDER + (-(height + 2 * BORDER)) % STRIDE
    right = BORDER + (-(width + 2 * BORDER)) % STRIDE
    return BORDER, bottom, BORDER, right


def resolve_size(
    text: str | None, width: int, height: int, max_side: int = MAX_SIDE, *, name: str = "A size"
) -> tuple[int, int]:
    """What `text` means for a picture of this size, as (width, height) in pixels.

    `720p` is a height (of the shorter side) and keeps the aspect ratio, `640x360` is exact, `0.5x` is a factor,
    None changes nothing. `name` is what a message calls it, such as the flag that it was given with.
    Raises BadOption for anything else or a side outside 1..max_side.
    """
    if text is None:
        return width, height
    match = SIZE.fullmatch(text)
    if match is None:
        raise BadOption(f"{name} must be {SIZE_FORMS}; received {text!r}.")
    if match["width"]:
        sides = [int(match["width"]), int(match["by"])]
    else:
        factor = int(match["height"]) / min(width, height) if match["height"] else float(match["factor"])
        sides = [max(1, round(side * factor)) if factor else 0 for side in (width, height)]
    if not all(1 <= side <= max_side for side in sides):
        raise BadOption(f"{name} must be from 1 to {max_side} pixels a side; {text!r} gives {sides[0]}x{sides[1]}.")
    return sides[0], sides[1]


def lowered_size(text: str | None, width: int, height: int) -> tuple[int, int]:
    """(width, height) that a frame is styled at when `text` is asked for: `resolve_size`, but never enlarged.

    `auto` is the frame's own size here: whoever can measure lowers it (`streamer.worksize`, `streamer.pacing`).
    """
    if text == AUTO:
        return width, height
    size = resolve_size(text, width, height)
    return size if size[0] * size[1] < width * height else (width, height)
