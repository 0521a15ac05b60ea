"""Training with a tiny VGG of random weights and a tiny trunk: the real losses, the real loop, real checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from keras import ops

from streamer.engine import Engine
from streamer.errors import BadMedia, BadOption, Interrupted
from streamer.settings import TrainOptions
from streamer.styles import StyleLibrary, load_style
from tests import tiny
from training import losses, motion
from training.cli import Picture, make_recipe, train
from training.data import Pairs, find_photographs
from training.recipe import Recipe, StyleSource
from training.run import Report, run
from training.stability import warping_error
from training.train import Trainer, compile_trainer
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights, random_weights


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for i in range(10):
        cv2.imwrite(str(folder / f"{i}.png"), tiny.picture(140, 180, seed=i))
    cv2.imwrite(str(folder / "val_x.png"), tiny.picture(140, 180, seed=99))
    return folder


@pytest.fixture(scope="module")
def recipe(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder = tmp_path_factory.mktemp("styles")
    for i, name in enumerate(("one", "two")):
        cv2.imwrite(str(folder / f"{name}.png"), tiny.picture(80, 80, seed=50 + i))
    sources = tuple(StyleSource(name, str(folder / f"{name}.png"), (64,)) for name in ("one", "two"))
    return Recipe(
        sources,
        (str(photographs),),
        vgg="random",
        config=tiny.CONFIG,
        steps=6,
        batch=4,
        size=96,
        temporal_ramp=(0, 0.1),
    )


def test_gram_by_hand() -> None:
    features = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]], np.float32)  # two positions, two channels
    expected = [[(1 + 9) / 2, (2 + 12) / 2], [(2 + 12) / 2, (4 + 16) / 2]]
    np.testing.assert_allclose(losses.gram(features)[0], expected)


def test_gram_does_not_depend_on_the_number_of_positions() -> None:
    features = np.random.default_rng(0).normal(size=(1, 4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(losses.gram(np.tile(features, (1, 2, 3, 1))), losses.gram(features), rtol=1e-5)


def test_losses_by_hand() -> None:
    one, two = np.full((2, 4, 4, 3), 255.0, np.float32), np.zeros((2, 4, 4, 3), np.float32)
    np.testing.assert_allclose(losses.relative_square_error(two, one), [1, 1], rtol=1e-6)
    np.testing.assert_allclose(losses.total_variation(one), [0, 0])
    stripes = one.copy()
    stripes[:, ::2] = 0
    np.testing.assert_allclose(losses.total_variation(stripes), [1, 1])
    mask = np.ones((2, 4, 4, 1), np.float32)
    mask[1] = 0
    np.testing.assert_allclose(losses.temporal(one, two, mask, np.zeros_like(mask)), [48 / 49, 0], rtol=1e-6)
    # A change of light that the output follows costs nothing.
    np.testing.assert_allclose(losses.temporal(two + 10, two, mask, np.full_like(mask, 10)), [0, 0])


def test_warp_of_a_known_shift_is_exact() -> None:
    picture = tiny.picture(32, 32).astype(np.float32)
    y, x = np.mgrid[:32, :32].astype(np.float32)
    shifted = ops.convert_to_numpy(motion.warp(picture[None], np.stack([x + 3, y - 2], -1)[None]))[0]
    np.testing.assert_allclose(shifted[2:, :-3], picture[:-2, 3:], atol=1e-4)
    half = ops.convert_to_numpy(motion.warp(picture[None], np.stack([x + 0.5, y], -1)[None]))[0]
    np.testing.assert_allclose(half[:, :-1], (picture[:, 1:] + picture[:, :-1]) / 2, atol=1e-3)


def test_pairs_show_the_same_scene_where_the_mask_says_so() -> None:
    rng = np.random.default_rng(3)
    size = 96 + 2 * motion.MARGIN
    surround = cv2.GaussianBlur(tiny.picture(size, size).astype(np.float32), (0, 0), 4)
    for _ in range(5):
        pair = motion.make_pair(surround, rng)
        warped = ops.convert_to_numpy(motion.warp(pair.first[None], pair.flow[None]))[0]
        clear = (pair.mask[..., 0] > 0) & (pair.second.min(axis=2) > 8) & (pair.second.max(axis=2) < 247)
        # The luminance of what is left, averaged so that the noise goes: nothing but the change of light.
        grey = (pair.second - warped) @ np.array(losses.LUMINANCE, np.float32) - pair.light[..., 0]
        assert clear.mean() > 0.3
        assert abs(grey[clear].mean()) < 0.5
        assert 0 < pair.mask.mean() <= 1


def test_pairs_are_drawn_from_seed_and_step_alone(photographs: Path) -> None:
    paths, held_out = find_photographs([photographs])
    assert [path.name for path in held_out] == ["val_x.png"]
    assert held_out[0] not in paths
    first = Pairs(paths, batch=2, size=64, steps=10)
    later = Pairs(paths, batch=2, size=64, steps=6, start=4)
    np.testing.assert_array_equal(first[5][0]["second"], later[1][0]["second"])
    assert np.abs(first[5][0]["first"] - first[6][0]["first"]).max() > 1


def test_too_few_photographs_is_said(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), tiny.picture(8, 8))
    with pytest.raises(BadMedia, match=r"at least 8 photographs, and one to measure by; 1 found"):
        find_photographs([tmp_path])


def test_features_have_vgg_names_and_sizes() -> None:
    features = Features(random_weights(), (*STYLE_LAYERS, CONTENT_LAYER))(np.zeros((1, 64, 64, 3), np.float32))
    assert {name: tuple(value.shape[1:]) for name, value in features.items()} == {
        "relu1_1": (64, 64, 4),
        "relu2_1": (32, 32, 6),
        "relu3_1": (16, 16, 8),
        "relu4_1": (8, 8, 8),
        "relu4_2": (8, 8, 8),
        "relu5_1": (4, 4, 8),
    }


def test_features_equal_kerass_own_vgg(tmp_path: Path) -> None:
    """The same random weights in keras.applications.VGG19, layer by layer."""
    network = keras.applications.VGG19(include_top=False, weights=None)
    weights = {}
    for layer in network.layers:
        if layer.name.startswith("block") and "conv" in layer.name:
            name = layer.name.replace("block", "conv").replace("_conv", "_")
            weights[f"{name}/kernel"], weights[f"{name}/bias"] = layer.get_weights()
    np.savez(tmp_path / "vgg.npz", **weights)
    picture = tiny.picture(32, 32).astype(np.float32)[None]
    layer = network.get_layer("block3_conv1")
    theirs = keras.Model(network.input, layer.output)(keras.applications.vgg19.preprocess_input(picture.copy()))
    ours = Features(load_weights(str(tmp_path / "vgg.npz")), ("relu3_1",))(picture)["relu3_1"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_missing_vgg_weights_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match=r"nowhere\.npz"):
        load_weights(str(tmp_path / "nowhere.npz"))


def test_training_lowers_the_loss(recipe: Recipe, photographs: Path) -> None:
    keras.utils.set_random_seed(0)
    trainer = Trainer(replace(recipe, steps=40, learning_rate=3e-3), random_weights())
    compile_trainer(trainer)
    batch = Pairs(find_photographs([photographs])[0], batch=4, size=96, steps=1)[0][0]
    # A new copy each time: Keras takes the batch apart.
    seen = [float(trainer.train_on_batch(dict(batch), return_dict=True)["loss"]) for _ in range(1)]
    for _ in range(39):
        trainer.reset_metrics()
        seen.append(float(trainer.train_on_batch(dict(batch), return_dict=True)["loss"]))
    assert seen[-1] < 0.7 * seen[0]


def test_half_of_the_pairs_share_statistics_and_each_style_does_once(recipe: Recipe) -> None:
    shared = Trainer(recipe, random_weights())._sharing()
    assert shared[:, 0].tolist() == [0, 1, 1, 0]  # of the styles one, two, one, two


def test_losses_do_not_see_the_margin(recipe: Recipe, photographs: Path) -> None:
    """What the network paints around the crop that is judged costs nothing: no incentive to paint a frame."""
    trainer = Trainer(replace(recipe, temporal_weight=0.0), random_weights())
    batch = Pairs(find_photographs([photographs])[0], batch=4, size=96, steps=1)[0][0]
    painted = trainer(batch)
    loss = float(trainer.compute_loss(batch, None, painted))
    framed = np.array(ops.convert_to_numpy(painted["first"]))
    framed[:, : motion.MARGIN] = 0
    assert float(trainer.compute_loss(batch, None, {**painted, "first": framed})) == pytest.approx(loss, rel=1e-6)
    framed[:, motion.MARGIN + 5] = 0
    assert float(trainer.compute_loss(batch, None, {**painted, "first": framed})) != pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("scope", ["trunk", "style"])
def test_resumed_run_ends_where_an_uninterrupted_one_ends(
    recipe: Recipe, tmp_path: Path, tiny_library: StyleLibrary, scope: str
) -> None:
    recipe, vgg = replace(recipe, scope=scope), random_weights()

    def go(folder: str, report: Report) -> None:
        run(recipe, tmp_path / folder, report=report, keep_every=3, vgg=vgg, library=tiny_library)

    def stop_at_four(step: int, steps: int, values: dict[str, float]) -> None:
        if step == 4:
            raise Interrupted

    seen: list[int] = []
    go("whole", lambda *_: None)
    with pytest.raises(Interrupted):
        go("parts", stop_at_four)
    go("parts", lambda step, *_: seen.append(step))
    go("parts", lambda step, *_: seen.append(step))
    assert seen == [5, 6]  # nothing of the four steps was lost, and a finished run has nothing left to do
    ends = [load_style(tmp_path / folder / "export" / "one.safetensors") for folder in ("whole", "parts")]
    np.testing.assert_allclose(ends[1].modulation, ends[0].modulation, rtol=1e-4, atol=1e-5)
    if scope == "style":
        assert {end.trunk for end in ends} == {tiny_library.trunk.checksum}


def test_a_frames_border_is_taught_by_the_same_place_inside_a_larger_one(recipe: Recipe, photographs: Path) -> None:
    trainer = Trainer(replace(recipe, content_weight=0.0, edge_weight=50.0, steps=30), random_weights())
    compile_trainer(trainer)
    batch = Pairs(find_photographs([photographs])[0], batch=4, size=96, steps=1)[0][0]

    def edge() -> float:
        painted = trainer(batch)
        seen = ops.convert_to_numpy(motion.centre(painted["first"]))
        difference = np.abs(ops.convert_to_numpy(painted["cropped"]) - seen)
        assert difference[:, 40:-40, 40:-40].mean() < difference.mean()  # it is the border that differs
        return float(difference.mean())

    before = edge()
    for _ in range(30):
        trainer.train_on_batch(dict(batch))
    assert edge() < before


def test_photographs_are_held_out_and_kept_small(tmp_path: Path) -> None:
    for i in range(25):
        cv2.imwrite(str(tmp_path / f"{i:02}.png"), tiny.picture(20, 30, seed=i))
    cv2.imwrite(str(tmp_path / "00.png"), tiny.picture(900, 1200))
    training, held_out = find_photographs([tmp_path])
    assert [path.name for path in held_out] == ["19.png"]
    assert len(training) == 24
    pairs = Pairs(training, batch=1, size=64, steps=1)
    assert max(max(picture.shape) for picture in pairs._pictures) <= 600


@pytest.mark.parametrize(
    ("names", "options", "sentence"),
    [
        (("one", "one"), {}, "a --name of its own"),
        (("one", "Two!"), {}, "--name takes small letters"),
        (("one", "two"), {"batch_size": 3}, "--batch-size must be a multiple of the number of pictures, 2"),
        (("one", "two"), {"crop": 100}, "--crop must be a multiple of 8; received 100"),
    ],
)
def test_bad_recipes_are_refused(
    recipe: Recipe, names: tuple[str, ...], options: dict[str, int], sentence: str
) -> None:
    pictures = [Picture(Path(recipe.styles[0].picture), name) for name in names]
    with pytest.raises(BadOption) as caught:
        make_recipe(pictures, [], TrainOptions(**options))
    assert sentence in str(caught.value)


def test_train_from_pictures_to_styles_that_work(
    recipe: Recipe, photographs: Path, tmp_path: Path, tiny_library: StyleLibrary
) -> None:
    np.savez(tmp_path / "vgg.npz", **random_weights())
    pictures = [
        Picture(Path(source.picture), source.name, "Title", "Artist", "CC0-1.0", (64,)) for source in recipe.styles
    ]
    options = TrainOptions(
        vgg_weights=str(tmp_path / "vgg.npz"), steps=2, batch_size=2, crop=96, content_credit="drawn pictures"
    )
    out = tmp_path / "library"
    told: list[int] = []
    paths = train(
        pictures,
        [photographs],
        options,
        folder=tmp_path / "run",
        out=out,
        library=tiny_library,
        report=lambda step, steps, values: told.append(step),
    )
    assert told == [1, 2]
    library = StyleLibrary([out], tiny_library.trunk_path)
    for path in paths:
        style = library.get(path.stem)  # which checks its trunk: scope `style` leaves the trunk alone
        assert set(style.scores) >= {"content", "style"}
        assert (style.title, style.artist, style.licence) == ("Title", "Artist", "CC0-1.0")
        assert str(tmp_path) not in "".join(style.metadata.values())
        assert style.metadata["content"] == "drawn pictures"
    with pytest.raises(BadOption, match="--resume"):
        train(pictures, [photographs], options, folder=tmp_path / "run", out=out, library=tiny_library, report=print)


def test_a_trunk_of_ones_own_makes_a_library_of_its_own(
    recipe: Recipe, photographs: Path, tmp_path: Path, clean_environment: Path
) -> None:
    """Trained into the user's folder, style and trunk are found at once, and run on the CPU runtime."""
    np.savez(tmp_path / "vgg.npz", **random_weights())
    options = TrainOptions(scope="trunk", vgg_weights=str(tmp_path / "vgg.npz"), steps=2, batch_size=2, crop=96)
    picture = Picture(Path(recipe.styles[0].picture), "mine", sizes=(64,))
    train(
        [picture],
        [photographs],
        options,
        folder=tmp_path / "run",
        out=clean_environment,
        library=StyleLibrary.default(),
        report=lambda *_: None,
    )
    library = StyleLibrary.default()
    assert library.names() == ["mine"]
    with Engine(library) as engine:
        assert engine.stylize(tiny.picture(40, 50), library.resolve("mine")).shape == (40, 50, 3)


def test_warping_error_is_the_motion_left_over() -> None:
    base = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (140, 180, 3)).astype(np.uint8), (0, 0), 2)
    base = cv2.normalize(base, None, 0, 255, cv2.NORM_MINMAX)
    frames = [base[:, 2 * i : 150 + 2 * i] for i in range(3)]
    steady = warping_error(frames, frames)
    flickering = [
        np.clip(frame.astype(int) + (10 if i % 2 else 0), 0, 255).astype(np.uint8) for i, frame in enumerate(frames)
    ]
    assert steady < 2e-4
    assert warping_error(frames, flickering) == pytest.approx((10 / 255) ** 2, rel=0.3)
