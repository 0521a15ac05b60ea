"""Tiles: how they part a picture, and that they are styled as the whole is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from streamer import image, tiles
from streamer.engine import Engine
from streamer.geometry import padding
from streamer.model import load_network
from streamer.runtime import Batch, bytes_per_pixel, pad
from streamer.settings import ImageOptions, Look
from streamer.tiles import Span, Tile, cut, drift, plan_sample, plan_tiles, reach, settle
from streamer.trunk import MODELS, neutral_modulation
from tests import tiny

REACH = reach(tiny.CONFIG)


def detailed(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture whose parts differ from each other in colour, contrast and texture, and from their neighbours too."""
    random = np.random.default_rng(seed)
    strength = tiny.picture(height, width, seed + 1).astype(np.float32) / 255
    noise = random.normal(0, 60, (height, width, 3)) * cv2.blur(strength, (61, 61))
    shade = np.linspace(0.2, 1.0, width)[None, :, None]
    return np.clip(tiny.picture(height, width, seed) * shade + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("length", "window", "overlap"), [(10, 10, 3), (11, 10, 2), (139, 46, 11), (500, 44, 11), (90, 89, 1)]
)
def test_cores_part_an_axis_and_windows_reach_past_them(length: int, window: int, overlap: int) -> None:
    spans = cut(length, window, overlap)
    assert [span.first for span in spans[1:]] == [span.last for span in spans[:-1]]
    assert (spans[0].first, spans[0].start, spans[-1].last, spans[-1].stop) == (0, 0, length, length)
    assert len({span.stop - span.start for span in spans}) == 1, "one shape, so that a runtime prepares once"
    for span in spans:
        assert span.stop - span.start <= window
        assert span.start == 0 or span.first - span.start >= overlap
        assert span.stop == length or span.stop - span.last >= overlap


@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 5000), (5000, 64), (700, 900), (3000, 2000)])
def test_cores_part_a_picture(height: int, width: int) -> None:
    plan = plan_tiles(height, width, 400 * 400, REACH)
    top, bottom, left, right = padding(height, width)
    counts = np.zeros(((top + height + bottom) // 8, (left + width + right) // 8), int)
    for tile in plan:
        counts[tile.rows.first : tile.rows.last, tile.columns.first : tile.columns.last] += 1
        assert tile.window_area * 64 <= 400 * 400
    assert (counts == 1).all()
    assert sum(tile.area for tile in plan) == counts.size


def test_the_sample_lies_inside_and_is_the_same_every_time() -> None:
    plan = plan_tiles(1100, 1500, 400 * 400, REACH)
    sample = plan_sample(1100, 1500, plan, REACH, 9)
    assert sample == plan_sample(1100, 1500, plan, REACH, 9)
    assert len(sample) >= 9
    for tile in sample:
        assert all(margin in (0, REACH) for margin in tile.margins)
        assert 0 <= tile.rows.start < tile.rows.stop <= (1100 + 31) // 8
        assert tile.area > 0


def test_nothing_beyond_the_reach_is_felt(tiny_engine: Engine) -> None:
    """What lies further away than `reach` changes no pixel, when the statistics are given."""
    frame = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    other = frame.copy()
    other[:, 160:] = 255 - other[:, 160:]
    given = np.full(tiny.CONFIG.statistics_size, 0.5, np.float32)
    tile = Tile(Span(0, 40, 0, 40), Span(0, 40, 0, 40))
    modulation = tiny_engine.library.resolve("alpha")
    one, two = (tiny_engine.run(image.tile_batch(f, modulation, given, tile)).frames[0] for f in (frame, other))
    np.testing.assert_array_equal(one[:, : 160 - 8 * REACH], two[:, : 160 - 8 * REACH])
    assert np.abs(one[:, : 160 - 8 * REACH + 24].astype(int) - two[:, : 160 - 8 * REACH + 24]).max() > 0, (
        "no more than needed"
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("at", [256, 260])
def test_the_reach_of_the_real_architectures(model: str, at: int) -> None:
    """Of their convolutions alone, whatever the weights: what a change on one side of a column is felt by."""
    config = MODELS[model]
    network = load_network(tiny.random_trunk(config))
    frame = np.random.default_rng(0).integers(0, 256, (1, 64, 512, 3)).astype(np.float32)
    other = frame.copy()
    other[:, :, at:] = 255 - other[:, :, at:]
    given = {
        "modulation": neutral_modulation(config)[None],
        "given": np.full((1, config.statistics_size), 0.5, np.float32),
        "mix": np.zeros((1, 1), np.float32),
        "carry": np.ones((1, 1), np.float32),
    }
    one, two = (np.asarray(network({"frames": x, **given})["frames"])[0] for x in (frame, other))
    felt = np.flatnonzero(np.abs(one - two).max(axis=(0, 2)))
    assert reach(config) * 8 - 8 < at - felt[0] <= reach(config) * 8


@pytest.mark.parametrize(("height", "width"), [(3, 5), (40, 700), (431, 523)])
def test_windows_are_those_of_the_padded_picture(height: int, width: int) -> None:
    frame = detailed(height, width)
    picture = Image.fromarray(frame)
    padded = pad(frame[None])[0][0]
    plan = plan_tiles(height, width, 256 * 256, REACH)
    for tile in plan:
        window = padded[tile.rows.start * 8 : tile.rows.stop * 8, tile.columns.start * 8 : tile.columns.stop * 8]
        np.testing.assert_array_equal(image.read_window(picture, tile), window)
    canvas = Image.new("RGB", (width, height))
    for tile in plan:
        image.place_core(canvas, image.read_window(picture, tile), tile)
    np.testing.assert_array_equal(np.asarray(canvas), frame)


@pytest.mark.parametrize("style", ["alpha", "beta"])
@pytest.mark.parametrize("size", [(1100, 1500), (200, 3600)], ids=["photo", "panorama"])
def test_tiled_equals_whole(tiny_engine: Engine, tmp_path: Path, style: str, size: tuple[int, int]) -> None:
    frame = detailed(*size)
    Image.fromarray(frame).save(tmp_path / "in.png", compress_level=1)
    whole, tiled = (
        image.stylize_image(
            tmp_path / "in.png", tmp_path / f"{budget}.png", tiny_engine, Look(style), ImageOptions(memory=budget)
        )
        for budget in (1024, 64)
    )
    assert (whole.tiles, whole.passes) == (1, 1)
    assert tiled.tiles > 2
    assert tiled.passes <= 6
    one, other = (np.asarray(Image.open(report.output)).astype(int) for report in (whole, tiled))
    np.testing.assert_array_equal(one, tiny_engine.stylize(frame, tiny_engine.library.resolve(style)))
    assert np.abs(one - other).max() <= 2


def test_statistics_settle_layer_by_layer_at_the_latest() -> None:
    """A network whose layers feel wrong statistics before them violently, and of which the sample knows nothing."""
    widths = [1, 1, 1, 1]
    truth = np.array([3.0, 10.0, -1.0, 2.0, 0.5, 1.0, 4.0, 17.0])
    tile, sample = (Tile(Span(0, 8, 0, 8), Span(0, size, 0, size)) for size in (8, 4))

    def run(asked: Tile, given: np.ndarray) -> np.ndarray:
        if asked is sample:
            return np.tile(np.float32([0, 1]), 4)
        own = truth.copy()
        for layer in range(1, 4):
            wrong = np.abs(given[: 2 * layer] - truth[: 2 * layer]).sum()
            own[2 * layer : 2 * layer + 2] += [10 * wrong, 1000 * wrong**2 + 100 * wrong]
        return own.astype(np.float32)

    assert settle(run, [tile], [sample], widths) <= len(widths) + 1


def test_drift_is_in_standard_deviations() -> None:
    used, measured = np.array([0.0, 4.0, 1.0, 2.0]), np.array([0.2, 4.04, 1.0, 2.0])
    assert drift(used, measured, [1, 1]) == pytest.approx(0.1, rel=1e-2)
    assert drift(used, used, [1, 1]) == 0 < tiles.SETTLED


def test_keras_and_the_cpu_runtime_agree_on_a_tile(tiny_engine: Engine) -> None:
    from streamer.keras_runtime import KerasRuntime

    given = np.tile(np.float32([0.1, 0.5]), tiny.CONFIG.statistics_size // 2)
    tile = Tile(Span(3, 30, 10, 20), Span(0, 25, 0, 18))
    batch: Batch = image.tile_batch(detailed(27 * 8, 25 * 8), tiny_engine.library.resolve("beta"), given, tile)
    ours = tiny_engine.run(batch)
    theirs = KerasRuntime(tiny_engine.library.trunk, precision="float32").run(batch)
    assert np.abs(ours.frames.astype(int) - theirs.frames).max() <= 1
    np.testing.assert_allclose(ours.own, theirs.own, rtol=1e-3, atol=1e-3)


def test_the_budget_is_met(tiny_engine: Engine) -> None:
    """Tiles and what the network needs for each of their pixels; the fit itself was measured, see the function."""
    assert bytes_per_pixel(tiny.CONFIG) > 160
    plan = plan_tiles(5000, 5000, (64 << 20) // bytes_per_pixel(tiny.CONFIG), REACH)
    assert max(tile.window_area for tile in plan) * 64 * bytes_per_pixel(tiny.CONFIG) <= 64 << 20
