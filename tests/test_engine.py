"""Streams: what travels from frame to frame, what a cut resets, and what happens after the network."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamer.engine import SMOOTHING_SECONDS, Engine
from streamer.errors import BadOption, MissingDependency, UnknownStyle
from streamer.geometry import resolve_size
from streamer.scenes import CutDetector
from streamer.settings import EngineOptions, Look
from streamer.styles import StyleLibrary
from tests import tiny


def noisy(frame: np.ndarray, seed: int, sigma: float = 2.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def test_first_frame_is_styled_as_a_still(tiny_engine: Engine) -> None:
    frame = tiny.picture(48, 80)
    (styled,) = tiny_engine.stream(Look("alpha"))([frame], [0.0])
    np.testing.assert_array_equal(styled, tiny_engine.stylize(frame, tiny_engine.library.resolve("alpha")))


def test_a_cut_does_not_smear(tiny_engine: Engine) -> None:
    """The first frame of the second scene is, to the bit, what it would be had there been no first scene."""
    stream = tiny_engine.stream(Look("alpha"))
    before = 255 - tiny.picture(48, 80, seed=1) // 3
    after = tiny.picture(48, 80, seed=2) // 3
    for i in range(3):
        stream([noisy(before, i)], [i / 24])
    (styled,) = stream([after], [3 / 24])
    np.testing.assert_array_equal(styled, tiny_engine.stylize(after, tiny_engine.library.resolve("alpha")))


def test_without_a_cut_the_past_is_felt(tiny_engine: Engine) -> None:
    stream = tiny_engine.stream(Look("alpha"))
    frame = tiny.picture(48, 80)
    stream([frame], [0.0])
    brighter = np.clip(frame.astype(int) + 12, 0, 255).astype(np.uint8)
    (styled,) = stream([brighter], [1 / 24])
    still = tiny_engine.stylize(brighter, tiny_engine.library.resolve("alpha"))
    assert np.abs(styled.astype(int) - still).max() > 1


def test_smoothing_does_not_depend_on_the_frame_rate(tiny_engine: Engine) -> None:
    """A constant scene after a change of light converges alike at 12 and at 48 frames a second."""
    dark = tiny.picture(48, 80)
    light = np.clip(dark.astype(int) + 15, 0, 255).astype(np.uint8)
    used = []
    for rate in (12, 48):
        stream = tiny_engine.stream(Look("alpha"))
        stream([dark], [0.0])
        for i in range(1, rate // 2 + 1):
            stream([light], [i / rate])
        used.append(stream._state.used)
    own = tiny_engine.run(_still(tiny_engine, light)).own[0]
    start = tiny_engine.run(_still(tiny_engine, dark)).own[0]
    np.testing.assert_allclose(used[0], used[1], rtol=2e-2, atol=2e-2)
    width = tiny.CONFIG.width
    expected = own + math.exp(-0.5 / SMOOTHING_SECONDS) * (start - own)
    np.testing.assert_allclose(used[0][:width], expected[:width], rtol=1e-2, atol=1e-2)


def _still(engine: Engine, frame: np.ndarray):
    from streamer.runtime import still

    return still(frame[None], engine.library.resolve("alpha"), engine.library.trunk.config.statistics_size)


def test_strength_zero_returns_the_input(tiny_engine: Engine) -> None:
    frame = tiny.picture(33, 47)
    (out,) = tiny_engine.stream(Look("alpha", strength=0.0))([frame], [0.0])
    np.testing.assert_array_equal(out, frame)
    assert out is not frame


def test_preserve_color_keeps_the_colours_of_the_input(tiny_engine: Engine) -> None:
    import cv2

    frame = tiny.picture(48, 80) // 2 + 64
    (out,) = tiny_engine.stream(Look("alpha", preserve_color=True))([frame], [0.0])
    plain = tiny_engine.stylize(frame, tiny_engine.library.resolve("alpha"))
    colours = [cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(int) for picture in (frame, out, plain)]
    inside = ((out > 0) & (out < 255)).all(axis=2)  # where nothing was clipped
    assert np.abs(colours[0] - colours[1])[inside].max() <= 3
    assert np.abs(colours[0] - colours[2])[inside].mean() > 3


def test_work_size_keeps_the_size_and_the_fine_detail(tiny_engine: Engine) -> None:
    frame = tiny.picture(96, 160) // 2 + 64
    lines = frame.copy()
    lines[::2] += 8  # one pixel high: shrinking takes them away, and only the input can give them back
    small = Look("alpha", work_size="0.5x")
    (plain,), (lined,) = (tiny_engine.stream(small)([f], [0.0]) for f in (frame, lines))
    assert plain.shape == frame.shape
    difference = lined.astype(int) - plain
    assert (difference[::2] - difference[1::2]).mean() == pytest.approx(8, abs=2)


def test_batches_of_a_stream_equal_frames_one_by_one(tiny_engine: Engine) -> None:
    frames = [noisy(tiny.picture(48, 80), i) for i in range(5)]
    times = [0.0, 0.04, 0.1, 0.14, 0.3]
    together = tiny_engine.stream(Look("beta"))(frames, times)
    stream = tiny_engine.stream(Look("beta"))
    alone = [stream([frame], [time])[0] for frame, time in zip(frames, times, strict=True)]
    assert np.abs(np.stack(together).astype(int) - np.stack(alone)).max() <= 1


def test_frames_queued_ahead_equal_frames_waited_for(tiny_engine: Engine) -> None:
    frames = [noisy(tiny.picture(48, 80), i) for i in range(4)]
    ahead, waiting = tiny_engine.stream(Look("beta")), tiny_engine.stream(Look("beta"))
    pending = [ahead.begin([frame], [i / 24]) for i, frame in enumerate(frames)]
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(pending[i]()[0], waiting([frame], [i / 24])[0])


def test_running_statistics_steady_a_noisy_still_scene(tiny_engine: Engine) -> None:
    """The same noise, with and without memory: the stream's statistics wander less than each frame's own."""
    frames = [noisy(tiny.picture(96, 160), i, sigma=12) for i in range(24)]
    stream = tiny_engine.stream(Look("alpha"), denoise=False)
    used, own = [], []
    for i, frame in enumerate(frames):
        stream([frame], [i / 24])
        used.append(stream._state.used)
        own.append(tiny_engine.run(_still(tiny_engine, frame)).own[0])
    keep = math.exp(-1 / 24 / SMOOTHING_SECONDS)
    expected = math.sqrt((1 - keep) / (1 + keep))  # of a first-order recursive filter
    assert np.std(used[4:], axis=0).mean() < 1.2 * expected * np.std(own[4:], axis=0).mean()


def test_cut_detector_tells_cuts_from_motion_and_light() -> None:
    detector = CutDetector()
    first, second = 255 - tiny.picture(180, 320, 1) // 3, tiny.picture(180, 320, 2) // 3
    assert detector.is_cut(first)
    assert not detector.is_cut(np.roll(first, 6, axis=1))
    assert not detector.is_cut(np.clip(first.astype(int) - 30, 0, 255).astype(np.uint8))
    assert detector.is_cut(second)
    assert not detector.is_cut(second)


def test_unknown_style_and_missing_gpu_are_said(tiny_engine: Engine, tiny_library: StyleLibrary) -> None:
    with pytest.raises(UnknownStyle, match="nobody"):
        tiny_engine.stream(Look("nobody"))
    from streamer.keras_runtime import gpu_count

    if gpu_count() == 0:
        with pytest.raises(MissingDependency, match="--device"):
            Engine(tiny_library, EngineOptions(device="gpu"))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("720p", (1280, 720)),
        ("640x360", (640, 360)),
        ("0.5x", (960, 540)),
        (None, (1920, 1080)),
        ("1.5x", (2880, 1620)),
    ],
)
def test_sizes(text: str | None, size: tuple[int, int]) -> None:
    assert resolve_size(text, 1920, 1080) == size


@pytest.mark.parametrize("text", ["", "big", "0x0", "0p", "640x", "99999x2", "-1x", "0x", "nanx"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(BadOption):
        resolve_size(text, 1920, 1080)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"strength": 1.5}, "--strength must be from 0 to 1; received 1.5."),
        ({"strength": float("nan")}, "--strength must be from 0 to 1; received nan."),
    ],
)
def test_options_check_themselves(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        Look(**values)
    assert str(caught.value) == sentence
