"""The measures of the score card, each against what is known of what it measures; with a tiny VGG of random weights."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamer.engine import Engine
from tests import tiny
from tests.evaluated import drawn, tiny_painter
from training import staged
from training.artefacts import BAND, border_difference, find_artefacts, grid_amplitudes
from training.card import Stillness
from training.evaluate import LAYERS, score
from training.measure import GAPS, moved_scenes, steadiness, still_scenes
from training.painter import Painter
from training.stability import contrast, deviation, motions, sharpness, warping_error
from training.vgg import Features, random_weights


@pytest.fixture(scope="module")
def features() -> Features:
    return Features(random_weights(), LAYERS)


@pytest.fixture
def painter(tiny_engine: Engine) -> Painter:
    return tiny_painter(tiny_engine)


# Photographs


def test_an_untouched_photograph_loses_no_content_and_the_style_picture_is_in_its_own_style(features: Features) -> None:
    photograph, picture = tiny.picture(256, 300), tiny.picture(256, 300, seed=5)
    untouched = score(features, lambda frame: frame, picture, [photograph])
    assert untouched["content"] == 0 and untouched["style"] > 0
    assert untouched["style"] == pytest.approx(sum(v for k, v in untouched.items() if k.startswith("style_")), abs=1e-3)
    itself = score(features, lambda frame: picture, picture, [photograph])
    assert itself["style"] == pytest.approx(0, abs=1e-4) and itself["content"] > 0


# Steadiness


@pytest.mark.parametrize("path", staged.PATHS)
def test_exactly_moved_clips_have_no_warping_error_and_fresh_noise_has_its_own(path: str) -> None:
    moved = staged.moved(tiny.picture(200, 240), path)
    exact = {gap: moved.motions(gap) for gap in GAPS}
    assert np.abs(exact[10][0][0]).max() > 3  # it does move
    rng = np.random.default_rng(0)
    noisy = [np.clip(frame + rng.normal(0, 8, frame.shape), 0, 255).astype(np.uint8) for frame in moved.frames]
    steady, shaky = (steadiness(moved.frames, frames, exact) for frames in (moved.frames, noisy))
    for gap in GAPS:
        assert steady.e_warp[gap] < 2e-5 and steady.added[gap] == 0
        assert shaky.e_warp[gap] == pytest.approx((8 / 255) ** 2 * 1.5, rel=0.5)  # once whole, once interpolated
        assert shaky.own[gap] == steady.own[gap]


def test_flow_is_measured_once_and_used_for_all() -> None:
    scene = tiny.picture(120, 240, seed=9)
    frames = [np.ascontiguousarray(scene[:, 3 * i : 3 * i + 160]) for i in range(12)]
    known = {gap: motions(frames, gap) for gap in GAPS}
    brighter = [np.clip(frame * 1.2, 0, 255).astype(np.uint8) for frame in frames]
    for gap in GAPS:
        assert len(known[gap]) == 12 - gap
        expected = warping_error(frames, brighter, gap)
        assert steadiness(frames, brighter, known).e_warp[gap] == pytest.approx(expected)


def test_contrast_sharpness_and_deviation_by_hand() -> None:
    ramp = np.repeat(np.arange(0, 100, 2, dtype=np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    assert sharpness([ramp]) == pytest.approx(2)
    assert contrast([ramp]) == pytest.approx(np.arange(0, 100, 2).std(), rel=1e-5)
    assert sharpness([cv2.GaussianBlur(tiny.picture(64, 64), (0, 0), 4)]) < sharpness([tiny.picture(64, 64)])
    assert deviation([ramp, ramp + 6]) == pytest.approx(3)


def test_a_still_scene_has_the_noise_that_is_said_and_exposure_comes_in_steps() -> None:
    grey = np.full((60, 80, 3), 128, np.uint8)
    frames = staged.still_scene(grey, exposure=False)
    assert deviation(frames) == pytest.approx(staged.NOISE, rel=0.05)
    levels = [frame.mean() for frame in staged.still_scene(grey, exposure=True)]
    assert np.ptp(levels) == pytest.approx(128 * (max(staged.EXPOSURES) - min(staged.EXPOSURES)), rel=0.02)
    assert len(frames) == len(levels) == staged.FRAMES == len(staged.times())


def test_running_and_per_frame_statistics_are_told_apart(painter: Painter) -> None:
    scenes = {"one": tiny.picture(160, 176)}
    found = still_scenes(painter, scenes)
    assert set(found) == {"noise, one", "noise and exposure, one"}
    assert found["noise and exposure, one"].running != found["noise and exposure, one"].per_frame
    constant = still_scenes(drawn(lambda frame: np.full_like(frame, 7)), scenes)["noise, one"]
    assert constant.running == constant.per_frame == 0 and constant.own > 1
    assert Stillness(1.0, 4.0, 2.0).ratio == 0.25
    assert set(moved_scenes(painter, scenes)) == {"pan, one", "rotation, one", "zoom, one"}


# Artefacts


def test_a_planted_grid_is_seen_and_a_smooth_picture_has_none() -> None:
    x, y = np.meshgrid(np.arange(200), np.arange(196))
    smooth = 128 + 20 * np.sin(2 * np.pi * x / 132) + 20 * np.cos(2 * np.pi * y / 132)

    def amplitudes(wave: np.ndarray) -> tuple[float, float]:
        levels = [np.rint(np.stack([100 + level / 16 + wave] * 3, axis=-1)).astype(np.uint8) for level in range(16)]
        return grid_amplitudes(levels)

    for wave in (np.cos(np.pi * x / 2), np.cos(np.pi * (y + 0.5) / 2)):
        quarter, half = amplitudes(2 * wave)
        assert quarter == pytest.approx(2, abs=0.1) and half < 0.1
        assert amplitudes(0.3 * wave)[0] == pytest.approx(0.3, abs=0.1)  # less than 8 bits tell apart
    assert amplitudes(np.cos(np.pi * x))[1] == pytest.approx(1, abs=0.1)
    assert max(amplitudes(smooth - 128)) < 0.1


def test_a_planted_band_is_seen() -> None:
    crop = tiny.picture(120, 140)
    framed = crop.copy()
    framed[:BAND] = np.clip(framed[:BAND].astype(int) + 9, 0, 255)
    border, middle, shift = border_difference(framed, crop)
    assert 1 < border <= 9 and middle == 0 and shift == pytest.approx(border, rel=0.1)
    assert border_difference(crop, crop) == (0, 0, 0)


def test_artefacts_of_networks_that_are_known(painter: Painter) -> None:
    photograph = tiny.picture(171, 203)
    clean = find_artefacts(drawn(lambda frame: frame), [photograph])
    assert max(clean.quarter, clean.half) < 1e-9 and clean.border == clean.border_ratio == 0

    def spoil(frame: np.ndarray) -> np.ndarray:
        spoilt = frame.astype(int)
        spoilt[::4] += 8  # the mean of four rows rises by 2, and with it come waves of 4 at 1/4 and of 2 at 1/2
        spoilt[:BAND] += 30
        return np.clip(spoilt, 0, 255).astype(np.uint8)

    spoilt = find_artefacts(drawn(spoil), [photograph])
    assert spoilt.quarter == pytest.approx(4, abs=0.1) and spoilt.half == pytest.approx(2, abs=0.1)
    assert spoilt.border > 2 and spoilt.middle == 0 and spoilt.border_ratio == spoilt.border
    assert find_artefacts(painter, [photograph]).border > 0
