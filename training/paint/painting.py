"""A whole painting, coarse to fine: each size begins with what the one before it made, enlarged.

The features of VGG-19 see some hundred pixels around them. What is larger than that, a large stroke or an even sky, is
settled at the coarse sizes, where it is small and a step costs little (Gatys et al., "Controlling Perceptual Factors in
Neural Style Transfer", CVPR 2017).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadMedia, Interrupted
from streamer.postprocess import preserve_color
from streamer.training_settings import PaintOptions
from streamer.trunk import Weights
from training.paint.descent import DESCENTS
from training.paint.objective import Losses, Objective, Terms
from training.paint.timing import Timing
from training.vgg import Features

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]
COARSEST = 128  # pixels: no coarser size has a shorter longer side
LEAST_SIDE = 32  # pixels: below it relu5_1, at a sixteenth of the size, has too little to look at
MOST_OBLONG = 16  # times as long as wide
NOISE_MEAN, NOISE_SPREAD = 128.0, 32.0


@dataclass(frozen=True)
class Moment:
    """The painting after a step."""

    picture: Picture  # (h, w, 3), at the size that is painted at present
    level: int  # of the sizes, from 1
    levels: int
    step: int  # of this size, from 1
    steps: int
    losses: Losses  # `loss` and its weighted parts
    share: float  # of all the work, 0 to 1
    elapsed: float  # seconds
    left: float | None  # seconds, an estimate; None while there is nothing to go by


@dataclass(frozen=True)
class Painting:
    """What came of it."""

    picture: Picture  # (H, W, 3), at the full size
    whole: bool  # whether it was painted to the end
    steps: int  # over all sizes
    losses: Losses  # at the last step
    elapsed: float  # seconds


Report = Callable[[Moment], None]


def paint(
    content: Picture,
    style: Picture,
    vgg: Weights,
    options: PaintOptions,
    *,
    report: Report,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Painting:
    """Paint the photograph `content` (H, W, 3) in the style of another picture (h, w, 3).

    report: called after every step, in this thread; what it raises ends the painting and is passed on.
    stop: when it is set, the painting ends within a step and is returned as it is.
    Raises BadMedia for a picture that is too thin, and Interrupted when it was stopped before the first step.
    """
    began = clock()
    sizes = plan_sizes(content.shape[0], content.shape[1], options.long_side)
    check_style(style)
    content = scaled(content, sizes[-1])
    easel = _Easel(content, options, sizes, report, stop, Timing(_costs(sizes, options.steps), clock))
    terms = Terms.of(options)
    features = Features(vgg, terms.layers, pooling=options.pooling)
    try:
        for level, size in enumerate(sizes):
            easel.check_stop()
            objective = Objective(features, terms, scaled(content, size), style_at(style, size, options.style_scale))
            easel.paint(level, objective)
    except _Stopped:
        if easel.losses is None:
            raise Interrupted("Stopped before the first step; nothing was painted.") from None
    picture = easel.shown(sizes[-1])
    return Painting(picture, easel.whole, easel.steps, easel.losses or {}, clock() - began)


class _Stopped(Exception):
    """Somebody asked to stop."""


class _Easel:
    """The picture in the making; knows how far it is, and tells."""

    def __init__(
        self,
        content: Picture,
        options: PaintOptions,
        sizes: list[tuple[int, int]],
        report: Report,
        stop: threading.Event,
        timing: Timing,
    ) -> None:
        self._content, self._options, self._sizes = content, options, sizes
        self._report, self._stop, self._timing = report, stop, timing
        self._picture = beginning(content, sizes[0], options)
        self.losses: Losses | None = None
        self.steps = 0
        self.whole = False

    def check_stop(self) -> None:
        """Raise _Stopped when somebody asked to."""
        if self._stop.is_set():
            raise _Stopped

    def paint(self, level: int, objective: Objective) -> None:
        """All steps of a size. Raises _Stopped."""

        def evaluate(picture: Float32) -> tuple[Losses, Float32]:
            self.check_stop()
            return objective(picture)

        def on_step(step: int, picture: Float32, losses: Losses) -> None:
            self._picture, self.losses, self.steps = picture, losses, self.steps + 1
            self._timing.note(level, step)
            self._report(self._moment(level, step))

        steps = steps_at(level, len(self._sizes), self._options.steps)
        self._timing.begin(level)
        DESCENTS[self._options.optimizer](evaluate, scaled(self._picture, self._sizes[level]), steps, on_step)
        self.whole = level == len(self._sizes) - 1

    def shown(self, size: tuple[int, int]) -> Picture:
        """The picture as it is, at a size (height, width), in the colours asked for."""
        picture = np.rint(scaled(self._picture, size)).astype(np.uint8)
        return preserve_color(picture, scaled(self._content, size)) if self._options.preserve_color else picture

    def _moment(self, level: int, step: int) -> Moment:
        levels, timing = len(self._sizes), self._timing
        steps = steps_at(level, levels, self._options.steps)
        picture = self.shown(self._sizes[level])
        told = timing.share, timing.elapsed, timing.left
        return Moment(picture, level + 1, levels, step, steps, dict(self.losses or {}), *told)


def plan_sizes(height: int, width: int, long_side: int) -> list[tuple[int, int]]:
    """(height, width) of every size that is painted, coarse to fine. Raises BadMedia for a picture that is too thin."""
    factor = long_side / max(height, width)
    full = (max(1, round(height * factor)), max(1, round(width * factor)))
    if min(full) < LEAST_SIDE:
        raise BadMedia(
            f"The shorter side of a painting must have at least {LEAST_SIDE} pixels; "
            f"{width}x{height} at --long-side {long_side} gives {full[1]}x{full[0]}."
        )
    sizes = [full]
    while max(sizes[0]) // 2 >= COARSEST and min(sizes[0]) // 2 >= LEAST_SIDE:
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    return sizes


def steps_at(level: int, levels: int, steps: int) -> int:
    """Steps at a size: each coarser one has twice as many, and still costs half as much."""
    return int(steps * 2 ** (levels - 1 - level))


def _costs(sizes: list[tuple[int, int]], steps: int) -> list[tuple[int, float]]:
    return [(steps_at(i, len(sizes), steps), float(height * width)) for i, (height, width) in enumerate(sizes)]


def check_style(style: Picture) -> None:
    """Raise BadMedia for a style picture that is too thin."""
    height, width = style.shape[:2]
    if max(height, width) > MOST_OBLONG * min(height, width):
        limit = f"{MOST_OBLONG} times as long as wide"
        raise BadMedia(f"A style picture may be at most {limit}; this one is {width}x{height}.")


def style_at(style: Picture, size: tuple[int, int], scale: float) -> Picture:
    """The style picture with `scale` times the sides of a picture of `size` (height, width), if both were square."""
    height, width = style.shape[:2]
    factor = scale * np.sqrt(size[0] * size[1] / (height * width))
    factor = max(factor, LEAST_SIDE / min(height, width))
    return scaled(style, (round(height * factor), round(width * factor)))


def beginning(content: Picture, size: tuple[int, int], options: PaintOptions) -> Float32:
    """What a painting begins with, at its coarsest size."""
    if options.begin == "content":
        return scaled(content, size).astype(np.float32)
    noise = np.random.default_rng(options.seed).normal(NOISE_MEAN, NOISE_SPREAD, (*size, 3))
    return np.clip(noise, 0, 255).astype(np.float32)


def scaled(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The picture (H, W, 3) at a size (height, width), in 0..255: averaged when it gets smaller, else interpolated."""
    if picture.shape[:2] == size:
        return picture
    smaller = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.clip(cv2.resize(picture, size[::-1], interpolation=how), 0, 255)
