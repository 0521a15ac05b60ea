"""Pruned networks: what is cut makes no difference where it was dead, and a run goes on from what is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.compiled import compile_trunk
from streamer.errors import BadOption, BadStyle, Interrupted
from streamer.model import load_network
from streamer.runtime import Batch, LiteRTRuntime
from streamer.styles import load_style
from streamer.trunk import MODELS, Trunk, TrunkConfig, load_trunk
from tests import tiny
from tests.lessons import first_batch, inputs_of, library_of, tiny_recipe
from training.checkpoint import read_recipe
from training.preview import run_network
from training.prune import groups, importance, prune, smaller
from training.recipe import Recipe
from training.run import run
from training.train import Trainer, compile_trainer
from training.vgg import random_weights

WIDE = TrunkConfig(width=16, blocks=2, deep_width=16, deep_dilations=(1, 2), head_width=16)
HALVES = {
    "blocks": replace(WIDE, inside_width=8, deep_inside_width=8),
    "everywhere": TrunkConfig(width=8, blocks=2, deep_width=8, deep_dilations=(1, 2), head_width=8),
}
Rows = dict[str, np.ndarray]


def quiet(*_: Any) -> None:
    """Tells nobody."""


def wide(**changes: Any) -> tuple[Trunk, Rows]:
    """A random trunk with channels to spare, and two styles of it, called as those of `tests.lessons`."""
    trunk = tiny.random_trunk(replace(WIDE, **changes))
    return trunk, {name: tiny.random_style(trunk, name, seed).modulation for seed, name in enumerate(("one", "two"))}


def kill(trunk: Trunk, rows: Rows, names: Iterable[str], dead: slice) -> None:
    """Have those outputs of these convolutions be nothing: no kernels, no scales and no shifts."""
    widths, at = trunk.config.normalised(), 0
    for name in names:
        trunk.weights[f"{name}/kernel"][..., dead] = 0
    for name, width in widths.items():
        for row in rows.values():
            for first in (at, at + width):
                row[first : first + width][dead] *= name not in names
        at += 2 * width


@pytest.mark.parametrize("where", ["blocks", "everywhere"])
@pytest.mark.parametrize("dead", [slice(0, 8), slice(1, None, 2)], ids=["first", "odd"])
def test_dead_channels_go_and_nothing_changes(where: str, dead: slice) -> None:
    trunk, rows = wide()
    names = [name for group in groups(WIDE) for name in group.written]
    kill(trunk, rows, [name for name in names if where == "everywhere" or name.endswith("_0")], dead)
    cut, left = prune(trunk, rows, 0.5, where)
    assert cut.config == HALVES[where]
    pictures = [tiny.picture(48, 64, seed=3), tiny.picture(56, 40, seed=4)]
    before, after = load_network(trunk), load_network(cut)
    for name, row in rows.items():
        for picture in pictures:
            inputs = inputs_of(picture, row, trunk.config), inputs_of(picture, left[name], cut.config)
            wanted, found = (np.asarray(net(each)["frames"]) for net, each in zip((before, after), inputs, strict=True))
            np.testing.assert_allclose(found, wanted, rtol=0, atol=0.02)  # of 255: 1e-4 of the range
            assert wanted.std() > 5
    np.testing.assert_array_equal(run_network(after, pictures[0], cut.identity), pictures[0])


def test_a_channel_is_worth_its_variance_times_the_kernels_that_read_it() -> None:
    trunk, rows = wide()
    row = rows["one"]
    (inside,) = (group for group in groups(WIDE) if group.written == ("body1_0",))
    at = 2 * sum(list(WIDE.normalised().values())[: list(WIDE.normalised()).index("body1_0")])
    row[at : at + 16], row[at + 16 : at + 32] = 1.0, 0.0
    row[at + 3] = 2.0  # twice as large: four times the variance
    row[at + 16 + 5] = -9.0  # so far below 0 that nothing passes the ReLU
    row[at + 16 + 7] = 9.0  # so far above 0 that all of it does
    kernel = trunk.weights["body1_1/kernel"]
    kernel[:] = 0.0
    kernel[1, 1, :, 0] = 0.5
    kernel[0, 2, 9, 3] = 0.5  # read twice
    worth = importance(trunk, row[None], inside)
    # A rectified normal variable has the variance 1/2 - 1/(2 pi).
    plain = 0.25 * (0.5 - 0.5 / np.pi)
    wanted = np.full(16, plain)
    wanted[[3, 5, 7, 9]] = 4 * plain, 0.0, 0.25, 2 * plain
    np.testing.assert_allclose(worth, wanted, rtol=0.01, atol=1e-6)


def test_the_styles_that_are_learnt_decide() -> None:
    trunk, rows = wide()
    (inside,) = (group for group in groups(WIDE) if group.written == ("body0_0",))
    at = 2 * sum(list(WIDE.normalised().values())[: list(WIDE.normalised()).index("body0_0")])
    rows["one"][at : at + 8] *= 0.01
    rows["two"][at + 8 : at + 16] *= 0.01
    for name, stays in (("one", slice(8, 16)), ("two", slice(0, 8))):
        judged = importance(trunk, rows[name][None], inside)
        assert set(np.argsort(-judged)[:8]) == set(range(16)[stays])
        cut, left = prune(trunk, rows, 0.5, by=[name])
        np.testing.assert_array_equal(cut.weights["body0_0/kernel"], trunk.weights["body0_0/kernel"][..., stays])
        np.testing.assert_array_equal(cut.weights["body0_1/kernel"], trunk.weights["body0_1/kernel"][:, :, stays])
        assert set(left) == {"one", "two"}


def test_a_pruned_trunk_is_a_trunk(tmp_path: Path) -> None:
    trunk, rows = wide(blocks=1, deep_dilations=(1,))
    cut, left = prune(trunk, rows, 0.5)
    assert len(left["one"]) == cut.config.modulation_size < trunk.config.modulation_size
    library = library_of(cut, left, tmp_path)
    read = load_trunk(library.trunk_path)
    assert read.config == cut.config and read.checksum == cut.checksum != trunk.checksum
    picture = tiny.picture(40, 48, seed=2)
    row = library.resolve("one:0.5,two:0.5")
    inputs = inputs_of(picture, row, cut.config)
    frames = LiteRTRuntime(compile_trunk(read, tmp_path)).run(
        Batch(picture[None], *(inputs[name] for name in ("modulation", "given", "mix", "carry")))
    )
    wanted = run_network(load_network(read), picture, row)
    assert np.abs(frames.frames[0].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(
    ("config", "share", "where", "left"),
    [
        (MODELS["live"], 0.5, "blocks", (32, 16, 32, 16, 16)),
        (MODELS["live"], 0.5, "everywhere", (16, 16, 16, 16, 8)),
        (MODELS["live"], 0.25, "everywhere", (24, 24, 24, 24, 16)),
        (MODELS["live"], 0.9, "everywhere", (8, 8, 8, 8, 8)),
        (MODELS["quality"], 0.5, "blocks", (64, 32, 96, 48, 32)),
        (HALVES["blocks"], 0.5, "everywhere", (8, 8, 8, 8, 8)),
        (tiny.CONFIG, 0.9, "everywhere", None),
        (MODELS["live"], 0.1, "blocks", None),
        (HALVES["blocks"], 0.5, "blocks", None),
    ],
)
def test_what_is_left_is_a_multiple_of_eight(
    config: TrunkConfig, share: float, where: str, left: tuple[int, ...] | None
) -> None:
    if left is None:
        with pytest.raises(BadOption, match=f"--prune {share:g} removes nothing: .* multiples of 8"):
            smaller(config, share, where)
    else:
        cut = smaller(config, share, where)
        assert (cut.width, cut.inside, cut.deep_width, cut.deep_inside, cut.head_width) == left


def test_an_architecture_that_is_not_pruned_says_nothing_of_it() -> None:
    """Checksums of trunks go over this text, so those of older trunks stay what they are."""
    assert set(WIDE.to_dict()) == {"width", "blocks", "deep_width", "deep_dilations", "head_width"}
    cut = HALVES["blocks"]
    assert TrunkConfig.from_dict(cut.to_dict()) == cut != WIDE
    assert sum(cut.norm_widths()) == sum(WIDE.norm_widths()) - 4 * 8


def pruning(folder: Path, **values: Any) -> Recipe:
    return tiny_recipe(folder, steps=4, batch=2, prune=0.5, temporal_weight=0.0, **values)


def test_a_run_begins_with_what_is_left_and_lowers_the_loss(tmp_path: Path) -> None:
    trunk, rows = wide(blocks=1, deep_dilations=(1,))
    library_of(trunk, rows, tmp_path / "export")
    recipe = replace(pruning(tmp_path), steps=30, learning_rate=3e-3, content_weight=0.0)  # dark crops have none
    trainer = run(recipe, tmp_path / "run", report=quiet, start_from=tmp_path / "export", vgg=random_weights())
    cut, left = prune(trunk, rows, 0.5, by=["one", "two"])
    assert trainer.recipe.config == cut.config and trainer.recipe.trunk == trunk.checksum
    begun = Trainer(trainer.recipe, random_weights())
    begun.load(cut, left)
    compile_trainer(begun)
    before, after = (loss_of(each, first_batch(recipe, batch=8)) for each in (begun, trainer))
    assert after < 0.9 * before
    style = load_style(tmp_path / "run" / "export" / "one.safetensors")
    made = load_trunk(tmp_path / "run" / "export" / "trunks" / "live.safetensors")
    assert made.config == cut.config and style.trunk == made.checksum
    assert len(style.modulation) == cut.config.modulation_size


def loss_of(trainer: Trainer, batch: dict[str, np.ndarray]) -> float:
    trainer.reset_metrics()
    return float(trainer.test_on_batch(dict(batch), return_dict=True)["loss"])


def test_before_its_first_step_a_run_has_what_pruning_left(tmp_path: Path) -> None:
    trunk, rows = wide()
    library = library_of(trunk, rows, tmp_path / "library")
    recipe = replace(pruning(tmp_path), steps=1, learning_rate=1e-9)
    trainer = run(recipe, tmp_path / "run", report=quiet, library=library, vgg=random_weights())
    cut, left = prune(trunk, rows, 0.5, by=["one", "two"])
    for name, values in trainer.trunk().weights.items():
        np.testing.assert_allclose(values, cut.weights[name], rtol=0, atol=1e-6)
    np.testing.assert_allclose(trainer.table, np.stack([left["one"], left["two"]]), rtol=0, atol=1e-5)


def test_a_pruned_run_that_is_resumed_ends_where_an_uninterrupted_one_ends(tmp_path: Path) -> None:
    trunk, rows = wide(blocks=1, deep_dilations=(1,))
    library, recipe, vgg = library_of(trunk, rows, tmp_path / "library"), pruning(tmp_path), random_weights()

    def stop_at_two(step: int, steps: int, losses: dict[str, float]) -> None:
        if step == 2:
            raise Interrupted

    run(recipe, tmp_path / "whole", report=quiet, library=library, vgg=vgg)
    with pytest.raises(Interrupted):
        run(recipe, tmp_path / "parts", report=stop_at_two, library=library, vgg=vgg)
    kept = read_recipe(tmp_path / "parts")
    assert kept.prune == 0.5 and kept.config.inside == 8
    other = tiny.random_trunk(replace(WIDE, blocks=3))  # has become the default meanwhile
    run(kept, tmp_path / "parts", report=quiet, library=library_of(other, {}, tmp_path / "later"), vgg=vgg)
    ends = [load_style(tmp_path / folder / "export" / "one.safetensors") for folder in ("whole", "parts")]
    np.testing.assert_allclose(ends[1].modulation, ends[0].modulation, rtol=0, atol=1e-6)
    run(recipe, tmp_path / "parts", report=quiet, library=library, vgg=vgg)  # done: nothing is pruned twice
    assert load_style(tmp_path / "parts" / "export" / "one.safetensors").checksum == ends[1].checksum


def test_a_run_goes_on_from_a_pruned_export(tmp_path: Path) -> None:
    trunk, rows = wide(blocks=1, deep_dilations=(1,))
    cut, left = prune(trunk, rows, 0.5, "everywhere")
    library_of(cut, left, tmp_path / "export")
    recipe = replace(pruning(tmp_path), steps=1, prune=0.0)
    trainer = run(recipe, tmp_path / "run", report=quiet, start_from=tmp_path / "export", vgg=random_weights())
    assert trainer.recipe.config == cut.config


def test_what_cannot_be_pruned_is_said(tmp_path: Path) -> None:
    trunk, rows = wide(**{name: getattr(tiny.CONFIG, name) for name in ("width", "deep_width", "head_width")})
    library = library_of(trunk, rows, tmp_path / "library")
    with pytest.raises(BadOption, match=r"--prune 0\.5 removes nothing"):
        run(pruning(tmp_path), tmp_path / "run", report=quiet, library=library, vgg=random_weights())
    with pytest.raises(BadOption, match="needs a network to begin with"):
        run(pruning(tmp_path), tmp_path / "run", report=quiet, vgg=random_weights())
    library_of(*wide_as("quality"), tmp_path / "large")
    with pytest.raises(BadStyle, match="large holds a network of the quality model: give --model quality"):
        run(pruning(tmp_path), tmp_path / "run", report=quiet, start_from=tmp_path / "large", vgg=random_weights())
    assert not (tmp_path / "run").exists()


def wide_as(model: str) -> tuple[Trunk, Rows]:
    """A random trunk of a model's architecture, and a style."""
    trunk = tiny.random_trunk(MODELS[model])
    return trunk, {"one": tiny.random_style(trunk, "one", 1).modulation}
