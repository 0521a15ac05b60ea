"""Learning from another network: alone, without VGG, and beside the other losses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from streamer.errors import BadOption, BadStyle, Interrupted, UnknownStyle
from streamer.styles import StyleLibrary, load_style, save_style
from streamer.training_settings import TrainOptions
from streamer.trunk import Trunk, save_trunk
from tests import tiny
from tests.lessons import first_batch, tiny_recipe
from training.checkpoint import RECIPE
from training.distil import Teacher, find_teacher
from training.plan import Picture, make_recipe
from training.recipe import Recipe
from training.run import run
from training.train import Trainer, compile_trainer
from training.upgrade import Wishes, recipe_again
from training.vgg import random_weights


def quiet(*_: Any) -> None:
    """Tells nobody."""


def teach(folder: Path, names: tuple[str, ...] = ("one", "two"), seed: int = 7, model: str = "live") -> Trunk:
    """A library folder of a random network that knows these styles."""
    trunk = tiny.random_trunk(seed=seed)
    (folder / "trunks").mkdir(parents=True, exist_ok=True)
    save_trunk(trunk, folder / "trunks" / f"{model}.safetensors")
    for i, name in enumerate(names):
        save_style(tiny.random_style(trunk, name, seed + i), folder / f"{name}.safetensors")
    return trunk


def silent(recipe: Recipe) -> Recipe:
    """The recipe without a loss that looks at features."""
    return replace(
        recipe, content_weight=0.0, styles=tuple(replace(source, style_weight=0.0) for source in recipe.styles)
    )


@pytest.mark.parametrize(
    ("values", "losses"),
    [
        ({"temporal_weight": 40.0}, {"content", "style", "temporal", "teacher"}),
        ({"silent": True, "temporal_weight": 40.0, "accumulate": 2}, {"temporal", "teacher"}),
        ({"silent": True, "precision": "mixed_float16"}, {"teacher"}),
    ],
)
def test_a_teacher_joins_the_losses_that_there_are(tmp_path: Path, values: dict[str, Any], losses: set[str]) -> None:
    teach(tmp_path / "teacher")
    settled: dict[str, Any] = {"temporal_weight": 0.0, "steps": 2, "batch": 1, "teacher": str(tmp_path / "teacher")}
    is_silent = "silent" in values
    values = {name: value for name, value in values.items() if name != "silent"}
    recipe = tiny_recipe(tmp_path, **settled | values)
    recipe = silent(recipe) if is_silent else recipe
    seen: list[dict[str, float]] = []
    vgg = None if is_silent else random_weights()
    run(recipe, tmp_path / "run", report=lambda *told: seen.append(told[2]), vgg=vgg)
    assert set(seen[-1]) == losses | {"loss"}
    assert all(np.isfinite(list(told.values())).all() for told in seen)


def test_the_teacher_s_part_is_the_mean_difference_of_pixels(tmp_path: Path) -> None:
    """A pupil that has its teacher's weights has nothing to learn from it, to the rounding of float32; another has."""
    trunk = teach(tmp_path / "teacher")
    recipe = silent(tiny_recipe(tmp_path, batch=2, temporal_weight=0.0, teacher=str(tmp_path / "teacher")))
    rows = {name: load_style(tmp_path / "teacher" / f"{name}.safetensors").modulation for name in ("one", "two")}
    batch, found = first_batch(recipe), []
    for begin in ((trunk, rows), (tiny.random_trunk(), rows)):
        trainer = Trainer(recipe, None)
        trainer.load(*begin)
        outputs = trainer(batch)
        (part,) = trainer._parts(batch, outputs).values()
        found.append((ops.convert_to_numpy(part), ops.convert_to_numpy(outputs["first"])))
    (own, taught), (other, painted) = found
    inside = np.abs(np.clip(taught, 0, 255) - taught).mean(axis=(1, 2, 3)) / 255  # a teacher's picture is in 0..255
    np.testing.assert_allclose(own, inside, atol=1e-5)
    wanted = np.abs(painted - np.clip(taught, 0, 255)).mean(axis=(1, 2, 3)) / 255
    np.testing.assert_allclose(other, wanted, rtol=1e-4)
    assert other.min() > 0.01


def test_temporal_and_teacher_together_lower_both(tmp_path: Path) -> None:
    teach(tmp_path / "teacher")
    recipe = silent(tiny_recipe(tmp_path, steps=40, learning_rate=5e-3, temporal_weight=5.0, batch=2))
    recipe = replace(recipe, teacher=str(tmp_path / "teacher"), temporal_ramp=(-1.0, -0.5))
    keras.utils.set_random_seed(0)
    trainer = Trainer(recipe, None)
    trainer.load(tiny.random_trunk(seed=3), {})
    compile_trainer(trainer)
    batch, seen = first_batch(recipe), []
    for _ in range(40):
        trainer.reset_metrics()
        seen.append(trainer.train_on_batch(dict(batch), return_dict=True))
    assert float(seen[-1]["teacher"]) < 0.7 * float(seen[0]["teacher"])
    assert float(seen[-1]["loss"]) < 0.7 * float(seen[0]["loss"])
    assert isinstance(trainer._teacher, Teacher)
    kernel = ops.convert_to_numpy(trainer._teacher.network.stem.kernel)
    np.testing.assert_array_equal(kernel, tiny.random_trunk(seed=7).weights["stem/kernel"])  # nothing was unlearnt


@pytest.mark.parametrize("scope", ["trunk", "style"])
def test_a_resumed_pupil_ends_where_an_uninterrupted_one_ends(
    tmp_path: Path, request: pytest.FixtureRequest, scope: str
) -> None:
    teach(tmp_path / "teacher")
    recipe = tiny_recipe(tmp_path, steps=4, batch=2, scope=scope, temporal_weight=0.0)
    recipe = silent(replace(recipe, teacher=str(tmp_path / "teacher")))
    library: StyleLibrary | None = request.getfixturevalue("tiny_library") if scope == "style" else None

    def stop_at_two(step: int, steps: int, losses: dict[str, float]) -> None:
        if step == 2:
            raise Interrupted

    run(recipe, tmp_path / "whole", report=quiet, library=library)
    with pytest.raises(Interrupted):
        run(recipe, tmp_path / "parts", report=stop_at_two, library=library)
    run(recipe, tmp_path / "parts", report=quiet, library=library)
    ends = [load_style(tmp_path / folder / "export" / "two.safetensors") for folder in ("whole", "parts")]
    np.testing.assert_allclose(ends[1].modulation, ends[0].modulation, rtol=0, atol=1e-6)
    if library:
        assert ends[0].trunk == library.trunk.checksum


def picture_of(folder: Path, name: str = "one") -> Picture:
    tiny_recipe(folder)  # draws it
    return Picture(folder / "styles" / f"{name}.png", name, sizes=(64,), weight=0.0)


def test_a_run_keeps_its_teacher_and_its_style_file_names_it_by_checksum(tmp_path: Path) -> None:
    trunk = teach(tmp_path / "secret" / "teacher")
    options = TrainOptions(
        scope="trunk", steps=1, batch_size=1, crop=64, content_weight=0, temporal_weight=0, precision="float32",
        teacher=str(tmp_path / "secret" / "teacher"), teacher_weight=3,
    )  # fmt: skip
    recipe = make_recipe([picture_of(tmp_path)], [tmp_path / "photographs"], options)
    assert (recipe.teacher_trunk, recipe.teacher_weight) == (trunk.checksum, 3)
    assert make_recipe([picture_of(tmp_path)], [], replace(options, teacher_weight=None)).teacher_weight == 10
    recipe = replace(recipe, config=tiny.CONFIG)
    run(recipe, tmp_path / "run", report=quiet)
    style = load_style(tmp_path / "run" / "export" / "one.safetensors")
    told = json.loads(style.metadata["recipe"])
    assert told["teacher"] == told["teacher_trunk"] == trunk.checksum
    assert "secret" not in json.dumps(style.metadata) and str(tmp_path) not in json.dumps(style.metadata)
    teach(tmp_path / "secret" / "teacher", seed=8)
    with pytest.raises(BadStyle, match=f"This run has another teacher .{trunk.checksum[:12]}. than"):
        run(recipe, tmp_path / "run", report=quiet)


def test_a_model_is_a_teacher(tmp_path: Path, clean_environment: Path) -> None:
    """Its own network comes first, even where a pupil of the same name has been put into one's own library."""
    shipped = StyleLibrary.default()
    pupil = teach(clean_environment, ("mosaic", "mine"))
    (clean_environment / "trunks" / "live.safetensors").rename(clean_environment / "trunks" / "own.safetensors")
    export = find_teacher("live", ["mosaic"])
    assert export.trunk.checksum == shipped.trunk.checksum == export.styles["mosaic"].trunk
    assert shipped.get("mosaic").trunk == pupil.checksum
    assert find_teacher("live", ["mine"]).trunk.checksum == pupil.checksum
    assert find_teacher("live", ["mosaic", "mine"]).trunk.checksum == pupil.checksum
    with pytest.raises(BadStyle, match="tahiti, mine of the live model belong to different networks"):
        find_teacher("live", ["tahiti", "mine"])
    with pytest.raises(UnknownStyle, match="There is no style 'nobody'"):
        find_teacher("live", ["nobody"])
    options = TrainOptions(teacher="live", content_weight=0)
    recipe = make_recipe([replace(picture_of(tmp_path), name="mosaic")], [], options)
    assert (recipe.teacher, recipe.teacher_trunk) == ("live", shipped.trunk.checksum)


def test_a_style_learns_from_its_picture_again_when_its_teacher_is_of_another_network(
    tmp_path: Path, tiny_library: StyleLibrary
) -> None:
    teach(tmp_path / "teacher")
    taught = silent(tiny_recipe(tmp_path, teacher=str(tmp_path / "teacher"), teacher_trunk="0" * 64, prune=0.5))
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / RECIPE).write_text(taught.to_json())
    style = load_style(tmp_path / "teacher" / "one.safetensors")
    again = recipe_again(style, tmp_path / "runs", tiny_library, Wishes())
    assert (again.teacher, again.teacher_trunk, again.prune, again.scope) == ("", "", 0.0, "style")
    assert again.content_weight == again.styles[0].style_weight == 1.0 and again.learns
    seen = replace(taught, styles=tuple(replace(source, style_weight=3.0) for source in taught.styles))
    (tmp_path / "runs" / "one" / RECIPE).write_text(seen.to_json())
    again = recipe_again(style, tmp_path / "runs", tiny_library, Wishes())
    assert (again.content_weight, again.styles[0].style_weight) == (0.0, 3.0)  # as it was chosen


def test_a_quality_library_lies_beside_its_trunks(tmp_path: Path) -> None:
    trunk = teach(tmp_path, model="quality")
    (tmp_path / "quality").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"{name}.safetensors").rename(tmp_path / "quality" / f"{name}.safetensors")
    other = tiny.random_trunk(seed=1)
    save_style(tiny.random_style(other, "of_another", 1), tmp_path / "quality" / "of_another.safetensors")
    assert find_teacher(str(tmp_path / "quality"), ["one"]).trunk.checksum == trunk.checksum


def test_who_cannot_teach_is_said(tmp_path: Path) -> None:
    teach(tmp_path / "teacher")
    (tmp_path / "empty").mkdir()
    for where, names, said in (
        ("nowhere", ["one"], "There is no folder nowhere of styles to learn from; a model is one of live, quality."),
        (str(tmp_path / "empty"), ["one"], "does not know one; it knows no style"),
        (str(tmp_path / "teacher"), ["one", "three"], "does not know three; it knows one, two"),
    ):
        with pytest.raises(BadStyle, match=said):
            find_teacher(where, names)
    with pytest.raises(BadOption, match="there is nothing to learn from but a --teacher with a weight"):
        make_recipe([picture_of(tmp_path)], [], TrainOptions(content_weight=0))
