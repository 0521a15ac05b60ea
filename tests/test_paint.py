"""Painting slowly, with a tiny random VGG: the gradient, the two ways down, coarse to fine, stopping, telling."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import BadMedia, BadOption, Interrupted
from streamer.training_settings import PaintOptions
from tests import tiny
from training.paint.descent import DESCENTS, Evaluate
from training.paint.objective import Objective, Terms
from training.paint.painting import Moment, Painting, paint, plan_sizes, scaled, steps_at, style_at
from training.paint.timing import Timing
from training.vgg import Features, random_weights

VGG = random_weights()
PHOTOGRAPH, STYLE = tiny.picture(60, 80, seed=1), tiny.picture(70, 50, seed=2)
ROOT = Path(__file__).parents[1]
JUDGE = """
import sys, numpy as np
from tests.test_paint import judged
losses, gradient = judged()
np.savez(sys.argv[1], gradient=gradient, **losses)
"""


def objective(**options: object) -> Objective:
    terms = Terms.of(PaintOptions(**options))
    return Objective(Features(VGG, terms.layers), terms, PHOTOGRAPH, STYLE)


def judged() -> tuple[dict[str, float], np.ndarray]:
    """Of a picture without equal neighbours, at which the variation has no gradient of its own."""
    picture = np.random.default_rng(3).uniform(0, 255, PHOTOGRAPH.shape).astype(np.float32)
    return objective(content_layers="relu3_1:0.5,relu4_2")(picture)


def painted(stop: threading.Event | None = None, **options: object) -> tuple[Painting, list[Moment]]:
    moments: list[Moment] = []
    settled = PaintOptions(**{"long_side": 128, "steps": 3} | options)
    painting = paint(PHOTOGRAPH, STYLE, VGG, settled, report=moments.append, stop=stop or threading.Event())
    return painting, moments


def test_the_gradient_is_that_of_the_loss() -> None:
    judge = objective()
    at = np.random.default_rng(0).uniform(40, 215, PHOTOGRAPH.shape).astype(np.float32)
    _, gradient = judge(at)
    length = np.linalg.norm(gradient)
    ahead, behind = (judge(at + far * gradient / length)[0]["loss"] for far in (10, -10))  # levels of 255, altogether
    assert (ahead - behind) / 20 == pytest.approx(length, rel=0.02)


def test_the_photograph_has_no_content_loss_and_the_style_picture_no_style_loss() -> None:
    assert objective()(PHOTOGRAPH.astype(np.float32))[0]["content"] == pytest.approx(0, abs=1e-6)
    terms = Terms({}, {"relu1_1": 1.0, "relu5_1": 0.5})
    losses, _ = Objective(Features(VGG, terms.layers), terms, STYLE, STYLE)(STYLE.astype(np.float32))
    assert set(losses) == {"loss", "style"} and losses["style"] == pytest.approx(0, abs=1e-6)


def test_weights_count_and_what_weighs_nothing_is_not_computed() -> None:
    picture = tiny.picture(60, 80, seed=3).astype(np.float32)
    once = objective(variation_weight=0)(picture)[0]
    twice = objective(variation_weight=0, style_weight=2, content_layers="relu4_2:3")(picture)[0]
    assert twice["style"] == pytest.approx(2 * once["style"], rel=1e-5)
    assert twice["content"] == pytest.approx(3 * once["content"], rel=1e-5)
    assert Terms.of(PaintOptions(content_weight=0)).content_layers == {}
    assert Terms.of(PaintOptions(style_layers="relu1_1:0,relu2_1")).layers == ("relu2_1", "relu4_2")


def test_average_pooling_sees_something_else() -> None:
    seen = [Features(VGG, ("relu2_1",), pooling=how)(PHOTOGRAPH[None].astype(np.float32)) for how in ("max", "average")]
    most, mean = (np.asarray(each["relu2_1"]) for each in seen)
    assert most.shape == mean.shape and not np.allclose(most, mean)


@pytest.mark.timeout(400)  # a process of its own, that loads JAX and Keras
def test_jax_judges_as_tensorflow_does(tmp_path: Path) -> None:
    losses, gradient = judged()
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", JUDGE, str(tmp_path / "jax.npz")]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, timeout=300)
    with np.load(tmp_path / "jax.npz") as found:
        for name, value in losses.items():
            assert float(found[name]) == pytest.approx(value, rel=1e-3)
        assert np.abs(found["gradient"] - gradient).max() < 1e-3 * np.abs(gradient).max()


def bowl(middle: np.ndarray) -> Evaluate:
    """Lowest at `middle`, and ten times as steep across it as along it."""
    steep = np.where(np.arange(middle.size).reshape(middle.shape) % 2, 10.0, 1.0) / middle.size

    def evaluate(picture: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        away = picture - middle
        return {"loss": float((steep * away**2).sum())}, (2 * steep * away).astype(np.float32)

    return evaluate


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_both_ways_lead_down_and_stay_among_the_colours(optimizer: str) -> None:
    middle = np.linspace(-60, 300, 48).reshape(4, 4, 3).astype(np.float32)
    steps: list[int] = []
    seen: list[np.ndarray] = []

    def on_step(step: int, picture: np.ndarray, losses: dict[str, float]) -> None:
        steps.append(step)
        seen.append(picture)

    DESCENTS[optimizer](bowl(middle), np.full((4, 4, 3), 128, np.float32), 120, on_step)
    assert steps == list(range(1, len(steps) + 1)) and len(steps) <= 120
    assert all(picture.min() >= 0 and picture.max() <= 255 for picture in seen)
    assert np.abs(seen[-1] - np.clip(middle, 0, 255)).max() < 2


@pytest.mark.parametrize("weight", [1e-3, 1e3])
def test_lbfgs_begins_with_a_step_of_one_level(weight: float) -> None:
    """Whatever the loss weighs; else it spends its first evaluations on finding out how far to go."""
    first: list[np.ndarray] = []
    start = np.full((40, 40, 3), 128, np.float32)

    def evaluate(picture: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        first.append(picture)
        losses, gradient = bowl(np.full((40, 40, 3), 100, np.float32))(picture)
        return {"loss": weight * losses["loss"]}, weight * gradient

    DESCENTS["lbfgs"](evaluate, start, 1, lambda step, picture, losses: None)
    assert np.sqrt(np.mean((first[1] - start) ** 2)) == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_painting_comes_nearer_to_the_style(optimizer: str) -> None:
    painting, moments = painted(optimizer=optimizer, steps=20, variation_weight=0)
    before = objective(variation_weight=0)(PHOTOGRAPH.astype(np.float32))[0]["loss"]
    assert painting.whole and painting.picture.shape == (96, 128, 3) and painting.picture.dtype == np.uint8
    assert moments[-1].losses["loss"] < 0.6 * before
    assert painting.losses == moments[-1].losses and painting.steps == len(moments)


def test_sizes_double_and_steps_halve() -> None:
    assert plan_sizes(321, 481, 512) == [(85, 128), (171, 256), (342, 512)]
    assert plan_sizes(100, 100, 255) == [(255, 255)]
    assert plan_sizes(1000, 70, 600) == [(600, 42)]  # a coarser one would be too thin
    assert [steps_at(level, 3, 100) for level in range(3)] == [400, 200, 100]
    with pytest.raises(BadMedia, match="at least 32 pixels; 1000x50 at --long-side 512 gives 512x26"):
        plan_sizes(50, 1000, 512)


def test_coarse_to_fine_each_begins_with_the_one_before() -> None:
    painting, moments = painted(long_side=256, steps=2)
    assert [moment.picture.shape for moment in moments[:1] + moments[-1:]] == [(96, 128, 3), (192, 256, 3)]
    assert [(m.level, m.levels, m.step, m.steps) for m in moments] == [(1, 2, s, 4) for s in (1, 2, 3, 4)] + [
        (2, 2, 1, 2),
        (2, 2, 2, 2),
    ]
    last_coarse, first_fine = moments[3].picture, moments[4].picture
    away = np.abs(scaled(last_coarse, (192, 256)).astype(float) - first_fine).mean()
    from_photograph = np.abs(scaled(PHOTOGRAPH, (192, 256)).astype(float) - first_fine).mean()
    assert away < 0.5 * from_photograph
    assert [moment.share for moment in moments] == sorted(moment.share for moment in moments)
    assert moments[-1].share == 1 and painting.whole


def test_a_stopped_painting_is_what_there_was_at_its_full_size() -> None:
    stop = threading.Event()
    seen: list[Moment] = []

    def report(moment: Moment) -> None:
        seen.append(moment)
        if len(seen) == 2:
            stop.set()

    painting = paint(PHOTOGRAPH, STYLE, VGG, PaintOptions(long_side=256, steps=5), report=report, stop=stop)
    assert len(seen) == painting.steps == 2 and not painting.whole
    assert painting.picture.shape == (192, 256, 3)
    again = np.abs(scaled(painting.picture, (96, 128)).astype(float) - seen[-1].picture)
    assert again.mean() < 3  # but for what interpolation takes
    with pytest.raises(Interrupted, match="before the first step; nothing was painted"):
        painted(stop)


def test_noise_is_drawn_from_its_seed() -> None:
    same = [painted(begin="noise", steps=1, seed=seed)[1][0].picture for seed in (1, 1, 2)]
    assert np.array_equal(same[0], same[1]) and not np.array_equal(same[0], same[2])


def test_the_colours_of_the_photograph_can_be_kept() -> None:
    import cv2

    painting, _ = painted(preserve_color=True)
    kept, wanted = (
        cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(float)
        for each in (painting.picture, scaled(PHOTOGRAPH, (96, 128)))
    )
    assert np.abs(kept - wanted).mean() < 3


def test_the_style_picture_is_looked_at_in_the_size_of_the_painting() -> None:
    style = np.zeros((300, 400, 3), np.uint8)
    height, width = style_at(style, (60, 80), 1.0).shape[:2]
    assert (height, width) == (60, 80)
    assert style_at(style, (60, 80), 2.0).shape[:2] == (120, 160)
    assert min(style_at(style, (60, 80), 0.125).shape[:2]) == 32
    with pytest.raises(BadMedia, match="at most 16 times as long as wide; this one is 17x1"):
        paint(
            PHOTOGRAPH,
            np.zeros((1, 17, 3), np.uint8),
            VGG,
            PaintOptions(),
            report=lambda moment: None,
            stop=threading.Event(),
        )


def test_time_left_counts_a_step_by_its_pixels_and_not_the_first_of_a_size() -> None:
    moments = iter([0.0, 10.0, 11.0, 11.0, 30.0, 38.0])  # begun; steps 1 and 2 of 4; asked; steps 1 and 2 of 2
    timing = Timing([(4, 1.0), (2, 4.0)], lambda: next(moments))
    timing.begin(0)
    timing.note(0, 1)  # after the graph was built
    before = timing.left
    assert before is None
    assert timing.share == pytest.approx(1 / 12)
    timing.note(0, 2)
    assert timing.left == pytest.approx(10)
    assert timing.elapsed == 11
    timing.begin(1)  # the descent had no further to go
    timing.note(1, 1)
    assert timing.left == pytest.approx(4)
    assert timing.share == pytest.approx(8 / 12)
    timing.note(1, 2)
    assert timing.left == 0
    assert timing.share == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"style_layers": "relu9_1"},
            "--style-layers takes relu1_1 to relu5_4, as VGG-19 has them; received 'relu9_1'.",
        ),
        ({"content_layers": "relu4_2:x"}, "A weight in --content-layers must be a finite number of at least 0"),
        ({"content_layers": ""}, "--content-layers takes layers such as relu3_1:0.5,relu4_2; received ''."),
        ({"style_weight": 0, "content_layers": "relu4_2:0"}, "Neither the content nor the style has a weight above 0"),
        ({"long_side": 32}, "--long-side must be from 64 to 2048; received 32."),
        ({"style_scale": float("nan")}, "--style-scale must be from 0.125 to 8; received nan."),
        ({"optimizer": "sgd"}, "--optimizer must be one of lbfgs, adam; received 'sgd'."),
    ],
)
def test_options_that_make_no_painting_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        PaintOptions(**options)
    assert said in str(caught.value)
