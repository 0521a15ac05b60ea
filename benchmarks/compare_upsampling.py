"""Compares ways back from a smaller working size, by the score card of the full-size frame.

Each photograph is brought to 1920x1080, styled at a smaller size and brought back. `restore` is what ships
(streamer/postprocess.py). The guided filter is the fast one of He and Sun 2015 (arXiv:1505.00996): it fits what was
painted, in windows of the small frame, as linear functions of what was there before, and applies these to the full
frame; what the fit leaves over is added, for otherwise the strokes are gone. Needs TensorFlow and VGG-19's weights:

    .venv/bin/python benchmarks/compare_upsampling.py PHOTOGRAPH... \\
        --style great_wave --picture PICTURE --vgg-weights FILE
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.engine import Engine
from streamer.postprocess import restore, shrink
from streamer.styles import StyleLibrary
from training.data import read_picture
from training.evaluate import content_of, score_one, style_grams
from training.stability import sharpness
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Way = Callable[[Picture, Picture, Picture], Picture]  # styled and small (h, w, 3), original (H, W, 3) -> (H, W, 3)
FULL = (1920, 1080)
SMOOTH = 40.0  # of the guided filter, in squared levels: variances well below it count as flat


def bicubic(styled: Picture, small: Picture, original: Picture) -> Picture:
    """No help from the original."""
    return np.asarray(cv2.resize(styled, _size(original), interpolation=cv2.INTER_CUBIC), np.uint8)


def guided(radius: int, *, strokes: bool) -> Way:
    """The guided filter, by luminance; strokes: what the fit leaves over is added."""

    def mean(values: Float32) -> Float32:
        return np.asarray(cv2.blur(values, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT), np.float32)

    def way(styled: Picture, small: Picture, original: Picture) -> Picture:
        guide, painted, size = _luminance(small), styled.astype(np.float32), _size(original)
        guides, paints = mean(guide), mean(painted)
        variance = mean(guide * guide) - guides * guides
        covariance = mean(painted * guide[..., None]) - paints * guides[..., None]
        slope = np.asarray(covariance / (variance + SMOOTH)[..., None], np.float32)
        offset = mean(np.asarray(paints - slope * guides[..., None], np.float32))
        slope = mean(slope)
        large = cv2.resize(slope, size) * _luminance(original)[..., None] + cv2.resize(offset, size)
        if strokes:
            rest = painted - slope * guide[..., None] - offset
            large += cv2.resize(rest, size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(large, 0, 255), np.uint8)

    return way


def _luminance(picture: Picture) -> Float32:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


WAYS: dict[str, Way] = {
    "bicubic": bicubic,
    "guided filter, radius 2": guided(2, strokes=False),
    "guided filter, radius 2, and what it leaves": guided(2, strokes=True),
    "guided filter, radius 1, and what it leaves": guided(1, strokes=True),
    "bicubic and luminance detail (ships)": restore,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("--style", default="great_wave")
    parser.add_argument("--picture", type=Path, required=True, help="the style's picture")
    parser.add_argument("--vgg-weights", required=True)
    parser.add_argument("--work-size", default="640x360")
    asked = parser.parse_args()
    width, height = map(int, asked.work_size.split("x"))
    features = Features(load_weights(asked.vgg_weights), (*STYLE_LAYERS, CONTENT_LAYER))
    grams = style_grams(features, read_picture(asked.picture))
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in WAYS}
    with Engine(StyleLibrary.default().select(asked.style)) as engine:
        modulation = engine.library.resolve(asked.style)
        for path in asked.photographs:
            original = np.asarray(cv2.resize(read_picture(path), FULL, interpolation=cv2.INTER_LANCZOS4), np.uint8)
            content, small = content_of(features, original), shrink(original, (width, height))
            styled = engine.stylize(small, modulation)
            for name, way in WAYS.items():
                began = time.perf_counter()
                large = way(styled, small, original)
                took = time.perf_counter() - began
                scores = score_one(features, content, large, grams)
                found[name].append((scores["content"], scores["style"], sharpness([large]), 1e3 * took))
    print(f"| {asked.style}, {width}x{height} | content | style | sharpness | ms |\n|---|---|---|---|---|")
    for name, rows in found.items():
        content_mean, style_mean, sharp = np.mean(rows, axis=0)[:3]
        took = statistics.median(row[3] for row in rows)
        print(f"| {name} | {content_mean:.3f} | {style_mean:.3f} | {sharp:.1f} | {took:.0f} |")


if __name__ == "__main__":
    main()
