"""What is shipped: the trunk, its compiled form and its styles, on frames of the sample clip."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.compiled import compiled_path
from streamer.engine import Engine
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import still
from streamer.scenes import CutDetector
from streamer.settings import Look
from streamer.styles import SHIPPED, StyleLibrary

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(StyleLibrary([SHIPPED])) as engine:
        yield engine


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    with av.open(str(SAMPLES / "sample.mp4")) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def psnr(one: np.ndarray, two: np.ndarray) -> float:
    error = max(float(np.mean(np.square(one.astype(float) - two))), 1e-6)  # equal pictures: 108 dB, not infinity
    return 10 * float(np.log10(255**2 / error))


def test_the_trunk_is_small_and_compiled(engine: Engine) -> None:
    trunk = engine.library.trunk
    assert 60_000 <= sum(values.size for values in trunk.weights.values()) <= 130_000
    graphs = sorted(path.name for path in engine.library.trunk_path.parent.glob("*.tflite"))
    name = compiled_path(trunk, Path()).stem
    assert graphs == [f"{name}.tflite", f"{name}.tiles.tflite"], "compiled forms of another trunk lie in the library"


def test_every_style_is_whole_credited_and_scored(engine: Engine) -> None:
    library = engine.library
    assert {"mosaic", "great_wave"} <= set(library.names())
    for name in library.names():
        style = library.get(name)  # which checks the checksums
        assert style.name == name
        assert style.title and style.artist != "unknown" and style.licence != "unknown"
        assert {"content", "style"} <= set(style.scores)
        assert json.loads(style.metadata["recipe"])["steps"] > 0
        assert "/" not in style.metadata["content"]


@pytest.mark.parametrize("style", ["mosaic", "great_wave"])
def test_cpu_runtime_equals_keras_on_real_frames(engine: Engine, clip: list[np.ndarray], style: str) -> None:
    frames = np.stack([clip[10], clip[140]])
    batch = still(frames, engine.library.resolve(style), engine.library.trunk.config.statistics_size)
    theirs = KerasRuntime(engine.library.trunk).run(batch)
    assert np.abs(engine.run(batch).frames.astype(int) - theirs.frames).max() <= 2


def test_the_identity_row_gives_the_input_back(engine: Engine, clip: list[np.ndarray]) -> None:
    """By its own gates, run like any style; `--strength 0` does not run the network at all."""
    out = engine.stylize(clip[10], engine.library.resolve("mosaic", strength=0.0))
    assert psnr(out, clip[10]) >= 32


def test_strength_grows_away_from_the_input(engine: Engine, clip: list[np.ndarray]) -> None:
    outs = [engine.stylize(clip[10], engine.library.resolve("great_wave", s)) for s in (0.0, 0.3, 0.6, 1.0)]
    likeness = [psnr(out, clip[10]) for out in outs]
    assert likeness == sorted(likeness, reverse=True)


def test_styles_look_like_their_pictures(engine: Engine, clip: list[np.ndarray]) -> None:
    """The wave's palette is muted, the mosaic's is not; and the two differ from the input and from each other."""

    def chroma(frame: np.ndarray) -> float:
        return float(np.abs(cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)[..., 1:].astype(float) - 128).mean())

    wave, mosaic = (engine.stylize(clip[10], engine.library.resolve(name)) for name in ("great_wave", "mosaic"))
    assert chroma(wave) < chroma(mosaic)
    for one, two in itertools.combinations((wave, mosaic, clip[10]), 2):
        assert psnr(one, two) < 20


def test_a_cut_in_the_clip_does_not_smear(engine: Engine, clip: list[np.ndarray]) -> None:
    detector = CutDetector()
    cuts = [i for i, frame in enumerate(clip) if detector.is_cut(frame)]
    assert cuts[0] == 0 and len(cuts) == 2
    stream = engine.stream(Look("mosaic"))
    for i in range(cuts[1] - 3, cuts[1]):
        stream([clip[i]], [i / 24])
    (styled,) = stream([clip[cuts[1]]], [cuts[1] / 24])
    np.testing.assert_array_equal(styled, engine.stylize(clip[cuts[1]], engine.library.resolve("mosaic")))


def test_a_flat_frame_stays_flat(engine: Engine, clip: list[np.ndarray]) -> None:
    """No checkerboard: a grey frame, normalised by a photograph's statistics, has no pattern of 2 or 4 pixels."""
    from streamer.engine import stream_batch

    used = engine.run(
        still(clip[10][None], engine.library.resolve("mosaic"), engine.library.trunk.config.statistics_size)
    )
    grey = np.full((1, 256, 256, 3), 128, np.uint8)
    styled = engine.run(stream_batch(grey, engine.library.resolve("mosaic"), used.used[0], [1.0])).frames[0]
    inner = styled[64:192, 64:192].astype(float).mean(axis=2)
    spectrum = np.abs(np.fft.rfft(inner - inner.mean(), axis=1)).mean(axis=0) * 2 / inner.shape[1]
    assert spectrum[inner.shape[1] // 4] <= 0.5
    assert spectrum[inner.shape[1] // 2] / 2 <= 0.5
