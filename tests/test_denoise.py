"""Noise of a still scene goes, what moves stays sharp, and a cut leaves nothing of the scene before it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.denoise import STILL_GAIN, TemporalDenoiser
from tests import tiny

Frame = NDArray[np.uint8]


def noisy(frame: Frame, rng: np.random.Generator, sigma: float) -> Frame:
    return np.clip(frame + rng.normal(0, sigma, frame.shape), 0, 255).round().astype(np.uint8)


def filtered(frames: list[Frame]) -> list[Frame]:
    denoiser = TemporalDenoiser()
    return [denoiser(frame, cut=i == 0) for i, frame in enumerate(frames)]


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_the_noise_of_a_still_scene_falls_to_a_third(sigma: float) -> None:
    rng = np.random.default_rng(0)
    scene = tiny.picture(96, 128) // 2 + 60
    frames = [noisy(scene, rng, sigma) for _ in range(40)]
    quiet = np.stack(filtered(frames)[10:]).astype(np.float32)
    expected = np.sqrt(STILL_GAIN / (2 - STILL_GAIN))  # of a first-order recursive filter
    left = quiet.std(axis=0).mean() / np.stack(frames[10:]).std(axis=0).mean()
    assert left == pytest.approx(expected, abs=0.09)  # rounding to whole levels adds to it
    assert np.abs(quiet.mean(axis=0) - scene).mean() < 0.25 * sigma + 0.2


@pytest.mark.parametrize("speed", [1, 3, 8])
def test_what_moves_leaves_no_trail(speed: int) -> None:
    texture = np.repeat(np.repeat(tiny.picture(12, 12), 4, axis=0), 4, axis=1)
    frames = []
    for i in range(12):
        frame = np.full((96, 200, 3), 90, np.uint8)
        frame[24:72, 10 + speed * i : 58 + speed * i] = texture
        frames.append(frame)
    for given, got in zip(frames, filtered(frames), strict=True):
        difference = np.abs(got.astype(int) - given)
        assert difference.mean() < 0.05
        assert difference.max() <= 12


def test_slow_light_is_followed() -> None:
    frames = [np.full((40, 60, 3), 60 + i, np.uint8) for i in range(60)]
    lag = [int(given[0, 0, 0]) - int(got[0, 0, 0]) for given, got in zip(frames, filtered(frames), strict=True)]
    assert 0 < max(lag) <= 3


def test_a_scene_without_noise_passes_through() -> None:
    frame = tiny.picture(33, 47)
    for got in filtered([frame] * 5):
        np.testing.assert_array_equal(got, frame)


def test_a_cut_and_another_size_start_anew() -> None:
    first, second = tiny.picture(40, 60), np.clip(tiny.picture(40, 60).astype(int) + 2, 0, 255).astype(np.uint8)
    denoiser = TemporalDenoiser()
    denoiser(first, cut=True)
    assert (denoiser(second, cut=False) != second).any()
    np.testing.assert_array_equal(denoiser(second, cut=True), second)
    np.testing.assert_array_equal(denoiser(first[:20], cut=False), first[:20])


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2), (641, 359)])
def test_any_size(size: tuple[int, int]) -> None:
    frames = [tiny.picture(*size), tiny.picture(*size)]
    assert [got.shape for got in filtered(frames)] == [(*size, 3)] * 2
