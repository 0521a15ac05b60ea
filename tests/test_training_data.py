"""From photographs and videos to pairs of frames whose motion is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from keras import ops

from streamer.errors import BadMedia
from tests import tiny
from tests.lessons import draw_photographs, film
from training import losses, motion
from training.clips import read_moments, real_pair
from training.data import Pairs, find_photographs, read_picture, read_style_picture


def warped(pair: motion.Pair) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(motion.warp(pair.first[None], pair.flow[None]))[0])


def test_warp_of_a_known_shift_is_exact() -> None:
    picture = tiny.picture(32, 32).astype(np.float32)
    y, x = np.mgrid[:32, :32].astype(np.float32)
    shifted = ops.convert_to_numpy(motion.warp(picture[None], np.stack([x + 3, y - 2], -1)[None]))[0]
    np.testing.assert_allclose(shifted[2:, :-3], picture[:-2, 3:], atol=1e-4)
    half = ops.convert_to_numpy(motion.warp(picture[None], np.stack([x + 0.5, y], -1)[None]))[0]
    np.testing.assert_allclose(half[:, :-1], (picture[:, 1:] + picture[:, :-1]) / 2, atol=1e-4)


def test_the_mask_leaves_out_what_was_outside_of_the_first_frame() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        pair = motion.make_pair(np.zeros((96, 96, 3), np.float32), rng)
        x, y = pair.flow[..., 0], pair.flow[..., 1]
        inside = (x >= 0) & (x <= 31) & (y >= 0) & (y <= 31)
        np.testing.assert_array_equal(pair.mask[..., 0] > 0, inside)


def test_pairs_show_the_same_scene_where_the_mask_says_so() -> None:
    rng = np.random.default_rng(3)
    size = 96 + 2 * motion.MARGIN
    surround = cv2.GaussianBlur(tiny.picture(size, size).astype(np.float32), (0, 0), 4)
    for _ in range(5):
        pair = motion.make_pair(surround, rng)
        clear = (pair.mask[..., 0] > 0) & (pair.second.min(axis=2) > 8) & (pair.second.max(axis=2) < 247)
        # The luminance of what is left, averaged so that the noise goes: nothing but the change of light.
        grey = (pair.second - warped(pair)) @ np.array(losses.LUMINANCE, np.float32) - pair.light[..., 0]
        assert clear.mean() > 0.3
        assert abs(grey[clear].mean()) < 0.5


def test_real_neighbours_are_aligned_by_their_flow() -> None:
    """A scene that moves by 5 pixels and gets brighter, with a square that only the first frame shows."""
    scene = cv2.GaussianBlur(np.random.default_rng(0).normal(128, 400, (96, 128, 3)), (0, 0), 3).astype(np.float32)
    scene = np.clip(scene, 20, 220)
    first, second = scene[:, :96].copy(), scene[:, 5:101] + 12
    first[40:60, 40:60] = (255, 0, 0)
    pair = real_pair(first, second)
    seen = pair.mask[..., 0] > 0
    assert 0.5 < seen.mean() < 1
    assert not seen[43:57, 38:52].any()  # where the square was, in the second frame
    assert not seen[:, -3:].any()  # came in from outside
    moved = pair.flow - np.stack(np.meshgrid(np.arange(96), np.arange(96)), -1)
    np.testing.assert_allclose(np.median(moved[seen], axis=0), [5, 0], atol=0.1)
    np.testing.assert_allclose(pair.light[seen].mean(), 12, atol=1)
    left = np.abs(pair.second - warped(pair) - pair.light)[seen].mean()
    assert left < 0.3 * np.abs(second - first)[seen].mean()


def test_pairs_are_drawn_from_seed_and_step_alone(tmp_path: Path) -> None:
    paths, held_out = find_photographs([draw_photographs(tmp_path)])
    assert [path.name for path in held_out] == ["val_x.png"]
    assert held_out[0] not in paths
    first = Pairs(paths, styles=3, batch=2, size=64, steps=10)
    later = Pairs(paths, styles=3, batch=2, size=64, steps=6, start=4)
    for name, values in first[5][0].items():
        np.testing.assert_array_equal(values, later[1][0][name])
    assert np.abs(first[5][0]["first"] - first[6][0]["first"]).max() > 1


@pytest.mark.parametrize(("styles", "batch"), [(5, 2), (2, 3), (1, 4)])
def test_all_styles_take_turns(tmp_path: Path, styles: int, batch: int) -> None:
    paths, _ = find_photographs([draw_photographs(tmp_path, height=70, width=70)])
    pairs = Pairs(paths, styles=styles, batch=batch, size=64, steps=2 * styles)
    drawn = np.concatenate([pairs[i][0]["style"] for i in range(2 * styles)])
    for turn in range(len(drawn) // styles):
        assert sorted(drawn[turn * styles : (turn + 1) * styles]) == list(range(styles))
    assert set(np.unique(np.concatenate([pairs[i][0]["share"] for i in range(2 * styles)]))) <= {0.0, 1.0}


def test_photographs_are_held_out_and_kept_small(tmp_path: Path) -> None:
    for i in range(25):
        cv2.imwrite(str(tmp_path / f"{i:02}.png"), tiny.picture(20, 30, seed=i))
    cv2.imwrite(str(tmp_path / "00.png"), tiny.picture(900, 1200))
    training, held_out = find_photographs([tmp_path])
    assert [path.name for path in held_out] == ["19.png"]
    assert len(training) == 24
    pairs = Pairs(training, styles=1, batch=1, size=64, steps=1)
    assert max(max(frame.shape) for frames in pairs._sources for frame in frames) <= 600


def test_videos_are_held_out_and_give_real_pairs(tmp_path: Path) -> None:
    for i in range(3):
        film(tmp_path / f"{i}.mp4", seconds=2.5, seed=i)
    training, held_out = find_photographs([tmp_path])
    assert [path.name for path in training] == ["0.mp4", "1.mp4"] and [path.name for path in held_out] == ["2.mp4"]
    assert read_picture(held_out[0]).shape == (144, 192, 3)
    moments = read_moments(training)
    assert [len(frames) for frames in moments] == [2] * 4  # a moment each second
    first, second = moments[0]
    aligned = np.abs(second[:, :-3].astype(int) - first[:, 3:]).mean()
    assert aligned < 0.5 * np.abs(second.astype(int) - first).mean()  # neighbours: the scene moved by three pixels
    assert len(read_moments(training, limit=1)) == 1
    assert read_moments(training[:1], short_side=72)[0][0].shape == (72, 96, 3)


def test_photographs_and_videos_mix(tmp_path: Path) -> None:
    draw_photographs(tmp_path)
    film(tmp_path / "clip.mp4")
    training, held_out = find_photographs([tmp_path])
    assert len(training) == 11 and [path.name for path in held_out] == ["val_x.png"]
    moved = Pairs([tmp_path / "clip.mp4"], styles=1, batch=8, size=64, steps=1)[0][0]
    x = moved["flow"][..., 0] - np.arange(64)
    found = [float(np.median(x[i][moved["mask"][i, ..., 0] > 0])) for i in range(8)]
    spread = [float(x[i].std()) for i in range(8)]
    # Some pairs are the clip's own motion, about three pixels at the crop's scale to either side; the others synthetic.
    assert any(2 < abs(shift) < 4.5 and deviation < 1.5 for shift, deviation in zip(found, spread, strict=True))


@pytest.mark.parametrize("kind", ["photograph", "video"])
def test_too_little_content_is_said(tmp_path: Path, kind: str) -> None:
    if kind == "photograph":
        cv2.imwrite(str(tmp_path / "a.png"), tiny.picture(8, 8))
        found = "1 photographs and 0 videos"
    else:
        film(tmp_path / "a.mp4", seconds=0.2)
        found = "0 photographs and 1 videos"
    with pytest.raises(BadMedia, match=f"at least 8 photographs or a video, and one more to measure by; {found}"):
        find_photographs([tmp_path])


def test_a_file_that_is_no_video_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(BadMedia, match=r"a\.mp4"):
        read_moments([tmp_path / "a.mp4"])


def test_a_style_picture_of_one_colour_is_refused(tmp_path: Path) -> None:
    plain = np.full((64, 64, 3), 120, np.uint8)
    plain[::9, ::7] += 1  # as a codec leaves it
    cv2.imwrite(str(tmp_path / "plain.png"), plain)
    with pytest.raises(BadMedia, match=r"plain\.png is of one colour"):
        read_style_picture(tmp_path / "plain.png")
