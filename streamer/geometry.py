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


def resolve_size(text: str | None, width: int, height: int) -> tuple[int, int]:
    """What `text` means for a picture of this size, as (width, height) in pixels.

    `720p` is a height (of the shorter side) and keeps the aspect ratio, `640x360` is exact, `0.5x` is a factor, None changes nothing.
    Raises BadOption for anything else or a side outside 1..MAX_SIDE.
    """
    if text is None:
        return width, height
    if match := re.fullmatch(r"(\d+)p", text):
        factor = int(match[1]) / min(width, height)
    elif match := re.fullmatch(r"(\d+)x(\d+)", text):
        return _checked(text, int(match[1]), int(match[2]))
    elif match := re.fullmatch(r"(\d*\.?\d+)x", text):
        factor = float(match[1])
    else:
        raise BadOption(f"{_SIZE_FORMS}; received {text!r}.")
    return _checked(text, max(1, round(width * factor)) if factor else 0, max(1, round(height * factor)) if factor else 0)


def _checked(text: str, width: int, height: int) -> tuple[int, int]:
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise BadOption(f"A size must be from 1 to {MAX_SIDE} pixels a side; {text!r} gives {width}x{height}.")
    return width, height
