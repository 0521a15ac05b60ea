"""Whole runs with a tiny VGG of random weights and a tiny trunk: the real losses, the real loop, real checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from streamer.errors import Interrupted
from streamer.styles import StyleLibrary, load_style, save_style
from streamer.trunk import MODELS, save_trunk
from tests import tiny
from tests.lessons import film, first_batch, tiny_recipe
from training.checkpoint import CHECKPOINT, load_checkpoint, read_recipe
from training.exports import read_export
from training.optimizer import make_optimizer
from training.recipe import Recipe
from training.run import run
from training.train import Trainer, compile_trainer
from training.vgg import random_weights


def quiet(*_: Any) -> None:
    """Tells nobody."""


def learn(trainer: Trainer, batch: dict[str, np.ndarray], steps: int) -> list[float]:
    """Losses of so many steps on one and the same batch."""
    seen = []
    for _ in range(steps):
        trainer.reset_metrics()
        seen.append(float(trainer.train_on_batch(dict(batch), return_dict=True)["loss"]))  # Keras takes it apart
    return seen


@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16", "bfloat16"])
def test_fit_lowers_the_loss(tmp_path: Path, precision: str) -> None:
    recipe = tiny_recipe(tmp_path, steps=30, learning_rate=3e-3, precision=precision, batch=2)
    keras.utils.set_random_seed(0)
    trainer = Trainer(recipe, random_weights())
    compile_trainer(trainer)
    seen = learn(trainer, first_batch(recipe), 30)
    assert np.isfinite(seen).all()
    assert seen[-1] < 0.7 * seen[0]


@pytest.mark.parametrize(
    ("scope", "accumulate", "content"),
    [("trunk", 1, "photographs"), ("style", 1, "photographs"), ("trunk", 2, "videos")],
)
def test_a_resumed_run_ends_where_an_uninterrupted_one_ends(
    tmp_path: Path, request: pytest.FixtureRequest, scope: str, accumulate: int, content: str
) -> None:
    tiny_library: StyleLibrary | None = request.getfixturevalue("tiny_library") if scope == "style" else None
    values: dict[str, Any] = {"scope": scope, "accumulate": accumulate, "batch": 2}
    if content == "videos":
        (tmp_path / "clips").mkdir()
        for i in range(3):
            film(tmp_path / "clips" / f"{i}.mp4", seconds=1, seed=i)
        values["content"] = (str(tmp_path / "clips"),)
    recipe, vgg = tiny_recipe(tmp_path, **values), random_weights()

    def go(folder: str, report: Any) -> Trainer:
        return run(recipe, tmp_path / folder, report=report, keep_every=3, vgg=vgg, library=tiny_library)

    def stop_at_four(step: int, steps: int, losses: dict[str, float]) -> None:
        if step == 4:
            raise Interrupted

    seen: list[int] = []
    go("whole", quiet)
    with pytest.raises(Interrupted):
        go("parts", stop_at_four)
    go("parts", lambda step, *_: seen.append(step))
    go("parts", lambda step, *_: seen.append(step))
    assert seen == [5, 6]  # nothing of the four steps was lost, and a finished run has nothing left to do
    ends = [load_style(tmp_path / folder / "export" / "one.safetensors") for folder in ("whole", "parts")]
    np.testing.assert_allclose(ends[1].modulation, ends[0].modulation, rtol=0, atol=1e-6)
    if tiny_library:
        assert {end.trunk for end in ends} == {tiny_library.trunk.checksum}


def test_a_checkpoint_holds_the_variables_in_an_order_that_stays(tmp_path: Path) -> None:
    """Checkpoints name variables by number: weights, modulations, progress, then the optimiser's."""
    recipe = tiny_recipe(tmp_path, steps=1)
    trainer = run(recipe, tmp_path / "run", report=quiet, vgg=random_weights())
    state = load_file(tmp_path / "run" / CHECKPOINT)
    learnt = len(trainer.trainable_variables)
    assert state["0000"].shape == tuple(trainer.trainable_variables[0].shape)
    assert float(state[f"{learnt:04}"]) == 1.0
    # Progress; iterations; a moment and the average of each, and Adam's second moment of modulations and last kernel.
    assert len(state) == learnt + 1 + 1 + 2 * learnt + 2
    again = Trainer(recipe, random_weights())
    compile_trainer(again)
    assert load_checkpoint(again, tmp_path / "run") == 1
    assert read_recipe(tmp_path / "run") == recipe


def test_a_new_style_begins_at_the_mean_of_those_that_the_trunk_knows(
    tmp_path: Path, tiny_library: StyleLibrary
) -> None:
    recipe = tiny_recipe(tmp_path, scope="style", steps=1, learning_rate=1e-9)
    trainer = run(recipe, tmp_path / "run", report=quiet, vgg=random_weights(), library=tiny_library)
    mean = np.mean([tiny_library.resolve(name) for name in tiny_library.names()], axis=0)
    np.testing.assert_allclose(trainer.table, np.stack([mean] * len(recipe.styles)), rtol=0, atol=1e-5)


def test_two_accumulated_batches_are_one_of_twice_the_size(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, temporal_ramp=(-1, -0.5))
    batch = first_batch(recipe)
    halves = [{name: values[i : i + 2] for name, values in batch.items()} for i in (0, 2)]

    def learnt(batches: list[dict[str, np.ndarray]], **options: int) -> list[np.ndarray]:
        trainer = Trainer(recipe, random_weights())
        trainer.load(tiny.random_trunk(), {})
        compile_trainer(trainer, keras.optimizers.SGD(1e-3, **options))
        for part in batches:
            trainer.train_on_batch(dict(part))
        return [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]

    whole, parts = learnt([batch]), learnt(halves, gradient_accumulation_steps=2)
    begun = learnt([])
    for before, one, two in zip(begun, whole, parts, strict=True):
        assert np.abs(one - before).max() > 1e-5
        np.testing.assert_allclose(two - before, one - before, rtol=1e-3, atol=1e-6)


def test_schedule_and_average_count_updates_not_batches(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, steps=1000)
    one, four = make_optimizer(recipe), make_optimizer(replace(recipe, accumulate=4))
    for step in (0, 50, 100, 500, 1000):
        rates = [float(optimizer._learning_rate(count)) for optimizer, count in ((one, step), (four, 4 * step))]
        assert rates[0] == pytest.approx(rates[1], rel=1e-4)
    assert four.ema_momentum**4 == pytest.approx(one.ema_momentum)
    begun_with = {
        steps: make_optimizer(tiny_recipe(tmp_path, steps=steps)).ema_momentum ** steps for steps in (40, 600, 8000)
    }
    assert max(begun_with.values()) < 1e-6  # what the average at the end still holds of the weights at the start


def test_a_style_file_says_how_it_was_made_and_names_no_path(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, steps=1, teacher="", vgg=str(tmp_path / "secret" / "vgg19.npz"))
    recipe = replace(
        recipe,
        styles=tuple(replace(s, title="The Waves", artist="A. Painter", licence="CC0-1.0") for s in recipe.styles),
    )
    run(recipe, tmp_path / "run", report=quiet, vgg=random_weights())
    style = load_style(tmp_path / "run" / "export" / "two.safetensors")
    assert (style.name, style.title, style.artist, style.licence) == ("two", "The Waves", "A. Painter", "CC0-1.0")
    assert style.metadata["content"] == "drawn pictures"
    assert style.metadata["vgg"] == "vgg19"
    told = json.loads(style.metadata["recipe"])
    assert told["steps"] == 1 and told["batch"] == 4 and told["styles"][1]["name"] == "two"
    assert str(tmp_path) not in json.dumps(style.metadata)
    assert style.trunk == read_export(tmp_path / "run" / "export").trunk.checksum


def test_the_fixed_blur_never_learns(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, learning_rate=0.1)
    trainer = Trainer(recipe, random_weights())
    compile_trainer(trainer)
    before = ops.convert_to_numpy(trainer.network.smooth.kernel).copy()
    learn(trainer, first_batch(recipe), 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(trainer.network.smooth.kernel), before)


def test_a_model_is_an_architecture(tmp_path: Path) -> None:
    recipe = Recipe((), (), model="quality")
    assert recipe.config == MODELS["quality"]
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_pupil_comes_nearer_to_its_teacher_without_vgg(tmp_path: Path) -> None:
    teacher = tiny.random_trunk(seed=7)
    (tmp_path / "teacher" / "trunks").mkdir(parents=True)
    save_trunk(teacher, tmp_path / "teacher" / "trunks" / "quality.safetensors")
    recipe = tiny_recipe(tmp_path, steps=40, learning_rate=5e-3, content_weight=0.0, temporal_weight=0.0)
    for seed, source in enumerate(recipe.styles):
        row = tiny.random_style(teacher, source.name, seed)
        save_style(row, tmp_path / "teacher" / f"{source.name}.safetensors")
    silent = tuple(replace(source, style_weight=0.0) for source in recipe.styles)
    recipe = replace(recipe, styles=silent, teacher=str(tmp_path / "teacher"))
    keras.utils.set_random_seed(0)
    trainer = Trainer(recipe, None)
    compile_trainer(trainer)
    batch = first_batch(recipe)
    learn(trainer, batch, 1)
    before = float(trainer.get_metrics_result()["teacher"])
    learn(trainer, batch, 39)
    assert set(trainer.get_metrics_result()) == {"loss", "teacher"}
    assert float(trainer.get_metrics_result()["teacher"]) < 0.6 * before


def test_previews_and_logs_show_how_a_run_went(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, steps=20, batch=1)
    pictures = [tiny.picture(60, 80, seed=1), tiny.picture(90, 60, seed=2)]
    run(recipe, tmp_path / "run", report=quiet, keep_every=10, preview=pictures, vgg=random_weights())
    sheet = cv2.imread(str(tmp_path / "run" / "preview.png"))
    moments = [cv2.imread(str(path)) for path in sorted((tmp_path / "run").glob("preview-*.png"))]
    assert len(moments) == 2 and np.abs(moments[0].astype(int) - moments[1]).max() > 0
    assert sheet.shape[1] == moments[0].shape[1] == 2 * (256 + 6)  # a column for each style
    assert sheet.shape[0] > 3 * moments[0].shape[0]  # the pictures themselves, and both moments
    events = EventAccumulator(str(tmp_path / "run" / "logs"))
    events.Reload()
    assert {"loss/content", "loss/loss", "loss/style"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/style")] == [10, 20]
    assert [event.step for event in events.Images("preview")] == [10, 20]
