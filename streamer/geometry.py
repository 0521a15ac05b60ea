"""Sizes: how a frame is padded for the network, and what size it is asked to become."""

from __future__ import annotations

import re

from streamer.errors import BadOption

STRIDE = 8  # the network halves the resolution three times
BORDER = 8  # pixels reflected around a frame, so that the zero padding inside the network stays out of it

_SIZE_FORMS = "--size takes a height (720p), a size (640x360) or a factor (0.5x)"
MAX_SIDE = 16384  # pixels; beyond it no codec of ours encodes


def padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Pixels to reflect (top, bottom, left, right) so that both sides become multiples of STRIDE."""
    bottom = BORDER + (-(height + 2 * BORDER)) % STRIDE
    right = BORDER + (-(width + 2 * BORDER)) % STRIDE
    return BORDER, bottom, BORDER, right


def resolve_size(text: str | None, width: int, height: int, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """What `text` means for a picture of this size, as (width, height) in pixels.

    `720p` is a height (of the shorter side) and keeps the aspect ratio, `640x360` is exact, `0.5x` is a factor,
    None changes nothing.
    Raises BadOption for anything else or a side outside 1..max_side.
    """
    if text is None:
        return width, height
    if match := re.fullmatch(r"(\d{1,9})p", text):
        factor = int(match[1]) / min(width, height)
    elif match := re.fullmatch(r"(\d{1,9})x(\d{1,9})", text):
        return _checked(text, int(match[1]), int(match[2]), max_side)
    elif match := re.fullmatch(r"(\d{0,9}\.?\d{1,9})x", text):
        factor = float(match[1])
    else:
        raise BadOption(f"{_SIZE_FORMS}; received {text!r}.")
    sides = [max(1, round(side * factor)) if factor else 0 for side in (width, height)]
    return _checked(text, sides[0], sides[1], max_side)


def _checked(text: str, width: int, height: int, max_side: int) -> tuple[int, int]:
    if not (1 <= width <= max_side and 1 <= height <= max_side):
        raise BadOption(f"A size must be from 1 to {max_side} pixels a side; {text!r} gives {width}x{height}.")
    return width, height
