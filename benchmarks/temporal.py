"""How steady styled video is, with and without statistics that travel from frame to frame.

    python benchmarks/temporal.py CLIPS_FOLDER [--style great_wave] [--frames 24]

Prints two Markdown tables: the warping error of each clip at gap 1, styled by per-frame statistics and by running
statistics of several time constants, beside the unstyled clip's own; and the flicker of a still scene with noise.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.engine import Engine, stream_batch
from streamer.scenes import CutDetector
from streamer.styles import StyleLibrary
from training.stability import warping_error

Frame = NDArray[np.uint8]
TIME_CONSTANTS = (0.25, 0.5, 1.0)  # seconds
WIDTH = 320  # pixels
NOISE = 2.0  # sigma, of 255


def read_clip(path: Path, count: int) -> tuple[list[Frame], float]:
    """The first frames of a clip at WIDTH, and its frames per second."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in itertools.islice(container.decode(stream), count)]
        rate = float(stream.average_rate or 25)
    height = round(frames[0].shape[0] * WIDTH / frames[0].shape[1] / 4) * 4
    return [cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.uint8) for frame in frames], rate


def stylize(engine: Engine, frames: Sequence[Frame], style: str, rate: float, tau: float) -> list[Frame]:
    """Style a clip with running statistics of time constant tau in seconds; 0 is each frame by its own."""
    modulation = engine.library.resolve(style)
    used = np.zeros(engine.library.trunk.config.statistics_size, np.float32)
    cuts = CutDetector()
    styled = []
    for frame in frames:
        keep = 0.0 if cuts.is_cut(frame) or not tau else math.exp(-1 / rate / tau)
        result = engine.run(stream_batch(frame[None], modulation, used, [keep]))
        used = result.used[0]
        styled.append(result.frames[0])
    return styled


def flicker(frames: Sequence[Frame]) -> float:
    """Mean standard deviation over time of a pixel, of 255, after the first quarter of the frames."""
    settled = np.stack(frames[len(frames) // 4 :]).astype(np.float32)
    return float(settled.std(axis=0).mean())


def noisy_scene(still: Frame, count: int, light: bool) -> list[Frame]:
    """A still picture with fresh sensor noise in every frame and, if asked, exposure that hunts by two per cent."""
    rng = np.random.default_rng(0)
    gains = 1 + (0.02 * rng.standard_normal(count) if light else np.zeros(count))
    return [np.clip(still * gain + rng.normal(0, NOISE, still.shape), 0, 255).astype(np.uint8) for gain in gains]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--style", default="great_wave")
    parser.add_argument("--frames", type=int, default=24)
    arguments = parser.parse_args()
    with Engine(StyleLibrary.default()) as engine:
        taus = (0.0, *TIME_CONSTANTS)
        print("| clip | unstyled | per frame | " + " | ".join(f"{tau} s" for tau in TIME_CONSTANTS) + " |")
        print("|---|" + "---|" * (len(taus) + 1))
        stills = {}
        for path in sorted(arguments.clips.glob("*.mp4")):
            frames, rate = read_clip(path, arguments.frames)
            stills[path.stem] = frames[0]
            errors = [warping_error(frames, frames)]
            errors += [warping_error(frames, stylize(engine, frames, arguments.style, rate, tau)) for tau in taus]
            print(f"| {path.stem} | " + " | ".join(f"{1000 * error:.2f}" for error in errors) + " |", flush=True)
        print("\n| still scene | " + " | ".join(["per frame", *(f"{tau} s" for tau in TIME_CONSTANTS)]) + " |")
        print("|---|" + "---|" * len(taus))
        for name, light in itertools.product(list(stills)[:2], (False, True)):
            frames = noisy_scene(stills[name], 32, light)
            values = [flicker(stylize(engine, frames, arguments.style, 24, tau)) for tau in taus]
            label = f"{name}, noise{' and exposure' if light else ''}"
            print(f"| {label} | " + " | ".join(f"{value:.2f}" for value in values) + " |", flush=True)


if __name__ == "__main__":
    main()
