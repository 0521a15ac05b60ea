"""What is shipped: the trunk, its compiled form and its styles, on frames of the sample clip."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.compiled import compiled_path, int8_path
from streamer.engine import Engine
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import still
from streamer.scenes import CutDetector
from streamer.settings import EngineOptions, Look
from streamer.styles import SHIPPED, StyleLibrary
from streamer.thumbnails import LARGEST, SAMPLE, thumbnail
from streamer.trunk import MODELS, load_trunk
from tests.sample_scores import KEY, sample_scores, style_picture
from training.vgg import STYLE_LAYERS

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


def shipped() -> list[tuple[str, str]]:
    """Model and name of every shipped style."""
    return [(model, name) for model in MODELS for name in StyleLibrary([SHIPPED], model=model).names()]


def test_the_trunks_have_the_sizes_that_are_said() -> None:
    small, large = (StyleLibrary([SHIPPED], model=model).trunk for model in ("live", "quality"))
    assert 60_000 <= sum(values.size for values in small.weights.values()) <= 130_000
    assert sum(values.size for values in large.weights.values()) == pytest.approx(1.06e6, rel=0.01)
    assert (small.config, large.config) == (MODELS["live"], MODELS["quality"])


def test_every_trunk_is_compiled_and_nothing_else_is() -> None:
    trunks = SHIPPED / "trunks"
    expected = set()
    for trunk in map(load_trunk, trunks.glob("*.safetensors")):
        graph = compiled_path(trunk, trunks)
        expected |= {graph, graph.with_suffix(".tiles.tflite")} | ({int8_path(graph)} if trunk.is_for_int8 else set())
    assert set(trunks.glob("*.tflite")) == expected


@pytest.mark.parametrize(("model", "name"), shipped())
def test_every_style_is_whole_credited_and_scored(model: str, name: str) -> None:
    library = StyleLibrary([SHIPPED], model=model)
    style = library.get(name)  # which checks the checksums
    assert style.title and style.artist not in ("", "unknown") and style.licence not in ("", "unknown")
    assert {"content", "style", *(f"style_{layer}" for layer in STYLE_LAYERS)} <= set(style.scores)
    assert style.scores["style"] == pytest.approx(sum(style.scores[f"style_{x}"] for x in STYLE_LAYERS), abs=1e-3)
    assert style.metadata["scored_on"]
    assert KEY in style.metadata, "python -m tests.sample_scores writes it"
    assert json.loads(style.metadata["recipe"])["steps"] > 0
    assert "/" not in style.metadata["content"]
    selected = library.select(name)
    assert selected.trunk_path == SHIPPED / "trunks" / f"{model}.safetensors"


def test_the_models_have_the_same_styles_and_the_large_one_is_better_by_its_scores() -> None:
    live, quality = (StyleLibrary([SHIPPED], model=model) for model in ("live", "quality"))
    assert quality.names() == live.names()
    for name in live.names():  # by the product, which a mere change of balance leaves nearly as it is
        small, large = (library.get(name).scores for library in (live, quality))
        assert large["content"] * large["style"] < 0.95 * small["content"] * small["style"]


def test_the_sample_and_the_thumbnails_are_small(engine: Engine) -> None:
    assert SAMPLE.stat().st_size <= 40_000
    assert {path.stem for path in (SHIPPED / "thumbnails").iterdir()} == set(engine.library.names())
    for name in engine.library.names():
        assert len(engine.library.thumbnail(name) or b"") <= LARGEST


@pytest.mark.parametrize("name", StyleLibrary([SHIPPED]).names())
def test_a_thumbnail_shows_what_the_style_paints(engine: Engine, name: str) -> None:
    data = engine.library.thumbnail(name)
    assert data, f"{name} has no thumbnail: docs/draw_pictures.py draws it"
    kept, drawn = (
        cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        for jpeg in (
            data,
            thumbnail(engine.library, name, engine.stylize),
        )
    )
    assert psnr(kept, drawn) > 30, "the style has changed since: docs/draw_pictures.py draws it anew"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("model", "name"), shipped())
def test_the_score_on_the_samples_is_that_of_the_file(model: str, name: str) -> None:
    """Needs STREAMER_TEST_VGG, a file of VGG-19 weights, and STREAMER_TEST_PICTURES, a folder of style pictures."""
    vgg, folder = (os.environ.get(f"STREAMER_TEST_{what}") for what in ("VGG", "PICTURES"))
    picture = style_picture(name, Path(folder) if folder else None)
    if not vgg or not picture:
        pytest.skip("STREAMER_TEST_VGG or the style's picture in STREAMER_TEST_PICTURES is missing")
    with Engine(StyleLibrary([SHIPPED], model=model).select(name), EngineOptions(device="cpu")) as engine:
        scores = sample_scores(engine, name, picture, Path(vgg))
        kept = json.loads(engine.library.get(name).metadata[KEY])
    assert scores == pytest.approx(kept, rel=0.02, abs=0.002)


@pytest.fixture(scope="module", params=MODELS)
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, KerasRuntime]]:
    """A model's network in the CPU runtime, and in Keras."""
    with Engine(StyleLibrary([SHIPPED], model=request.param), EngineOptions(runtime="litert")) as engine:
        yield engine, KerasRuntime(engine.library.trunk)


@pytest.mark.parametrize("style", StyleLibrary([SHIPPED]).names())
def test_cpu_runtime_equals_keras_on_real_frames(
    both: tuple[Engine, KerasRuntime], clip: list[np.ndarray], style: str
) -> None:
    engine, keras = both
    frames = np.stack([clip[10], clip[140]])
    batch = still(frames, engine.library.resolve(style), engine.library.trunk.config.statistics_size)
    assert np.abs(engine.run(batch).frames.astype(int) - keras.run(batch).frames).max() <= 2


def test_no_strength_gives_the_input_back(engine: Engine, clip: list[np.ndarray]) -> None:
    """By its own gates, run like any style; `--strength 0` does not run the network at all."""
    out = engine.stylize(clip[10], engine.library.resolve("mosaic", strength=0.0))
    assert np.abs(out.astype(int) - clip[10]).max() <= 1


@pytest.mark.parametrize("name", StyleLibrary([SHIPPED]).names())
def test_strength_goes_straight_from_the_input_to_the_style(engine: Engine, clip: list[np.ndarray], name: str) -> None:
    before, after = (engine.stylize(clip[10], engine.library.resolve(name, s)).astype(float) for s in (0.0, 1.0))
    for strength in (0.3, 0.6):
        between = engine.stylize(clip[10], engine.library.resolve(name, strength))
        line = (1 - strength) * before + strength * after
        assert psnr(between, line) > 35
        distance = np.sqrt(np.mean((between - before) ** 2) / np.mean((after - before) ** 2))
        assert distance == pytest.approx(strength, abs=0.03)


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
