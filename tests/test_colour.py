"""Colour in and out: the right numbers, and the right tags on them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.errors import BadMedia
from streamer.media import Notice, VideoReader
from tests import media_probe as probe
from tests.media_clips import H273, MATRIX, Clip, Identity, frame_of, moving, planes_of, rgb_of, yuv_of
from tests.media_run import restyle

KINDS = [(matrix, full) for matrix in MATRIX for full in (False, True)]
LOSSLESS = {"crf": "0", "preset": "ultrafast"}


def decoded(path: Path, matrix: int, full: bool) -> list[np.ndarray]:
    """Each frame by the exact formula, from its stored samples."""
    return [rgb_of(planes_of(frame), matrix, full) for frame in probe.frames(path)]


@pytest.mark.parametrize(("matrix", "full"), KINDS)
def test_frames_are_read_as_tagged(tmp_path: Path, matrix: int, full: bool) -> None:
    source = Clip(matrix=matrix, full=full, options=LOSSLESS, ticks=range(0, 1536, 512)).write(tmp_path / "in.mp4")
    with VideoReader(str(source)) as reader:
        read = [frame.pixels for frame in reader]
    for ours, exact in zip(read, decoded(source, matrix, full), strict=True):
        assert np.abs(ours - exact).max() <= 1


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
@pytest.mark.parametrize(("matrix", "full"), KINDS)
def test_a_pass_changes_nothing_but_what_the_codec_loses(tmp_path: Path, matrix: int, full: bool, codec: str) -> None:
    source = Clip(matrix=matrix, full=full, options=LOSSLESS, ticks=range(0, 1536, 512)).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / "out.mp4", codec=codec, crf=0)
    was, now = probe.video_facts(source), probe.video_facts(tmp_path / "out.mp4")
    tags = ("matrix", "range", "primaries", "transfer", "size")
    assert {tag: now[tag] for tag in tags} == {tag: was[tag] for tag in tags}
    assert (now["matrix"], now["range"]) == (H273[matrix], 2 if full else 1)
    limit = {"h264": 2, "hevc": 6, "vp9": 6, "av1": 16}[codec]  # x264 alone is lossless here
    for before, after in zip(decoded(source, matrix, full), decoded(tmp_path / "out.mp4", matrix, full), strict=True):
        assert np.abs(before - after).max() <= limit
        assert np.abs(before - after).mean() <= max(1, limit / 4)


def test_fine_chroma_survives(tmp_path: Path) -> None:
    """Chroma that alternates from sample to sample, as thin coloured lines do."""

    def frame(index: int) -> av.VideoFrame:
        luma = np.full((48, 64), 120, np.uint8)
        chroma = np.where(np.indices((24, 32)).sum(0) % 2, 110, 150).astype(np.uint8)
        return frame_of([luma, chroma, chroma[:, ::-1]])

    source = Clip(frame=frame, options=LOSSLESS, ticks=[0, 512]).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / "out.mp4", crf=0)
    for before, after in zip(probe.frames(source), probe.frames(tmp_path / "out.mp4"), strict=True):
        for ours, theirs in zip(planes_of(after), planes_of(before), strict=True):
            assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize(("height", "matrix"), [(576, 601), (578, 709)])
def test_untagged_video_follows_the_usual_rule_and_is_tagged(tmp_path: Path, height: int, matrix: int) -> None:
    clip = Clip(32, height, matrix=matrix, tagged=False, options=LOSSLESS, ticks=[0, 512])
    source = clip.write(tmp_path / "in.mp4")
    assert probe.video_facts(source)["matrix"] == 2
    restyle(source, tmp_path / "out.mp4", crf=0)
    facts = probe.video_facts(tmp_path / "out.mp4")
    assert (facts["matrix"], facts["range"], facts["primaries"], facts["transfer"]) == (H273[matrix], 1, 2, 2)
    difference = decoded(source, matrix, False)[0] - decoded(tmp_path / "out.mp4", matrix, False)[0]
    assert np.abs(difference).max() <= 2


def test_resized_untagged_hd_keeps_its_colours(tmp_path: Path) -> None:
    """At 72 lines a player would guess BT.601; the tag says BT.709."""

    def picture(index: int, width: int, height: int) -> np.ndarray:
        return np.broadcast_to(np.array([200, 60, 90], np.uint8), (height, width, 3))

    clip = Clip(1280, 720, matrix=709, tagged=False, picture=picture, ticks=[0])
    restyle(clip.write(tmp_path / "in.mp4"), tmp_path / "out.mp4", size="128x72", crf=0)
    assert probe.video_facts(tmp_path / "out.mp4")["matrix"] == 1
    assert np.abs(decoded(tmp_path / "out.mp4", 709, False)[0] - [200, 60, 90]).max() <= 3


def ten_bit(index: int) -> av.VideoFrame:
    planes = [plane.astype(np.uint16) * 4 + 2 for plane in yuv_of(moving(index, 64, 48), 709, False)]
    return frame_of(planes, "yuv420p10le")


def test_ten_bits_are_read_right_and_written_as_eight(tmp_path: Path) -> None:
    clip = Clip(codec="libx265", pix_fmt="yuv420p10le", frame=ten_bit, ticks=[0, 512, 1024])
    clip.options = {"preset": "ultrafast", "x265-params": "lossless=1:log-level=none"}
    source = clip.write(tmp_path / "in.mp4")
    style = Identity()
    report = restyle(source, tmp_path / "out.mp4", style, crf=0)
    (notice,) = report.notices
    assert isinstance(notice, Notice)
    assert "10 bits" in notice
    assert notice.level == "detail"
    exact = [plane + 0.5 for plane in yuv_of(moving(0, 64, 48), 709, False)]
    assert np.abs(style.seen[0] - rgb_of(exact, 709, False)).max() <= 2
    assert probe.video_facts(tmp_path / "out.mp4")["pix_fmt"] == "yuv420p"


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused(tmp_path: Path, transfer: int, name: str) -> None:
    source = Clip(matrix=2020, transfer=transfer, ticks=[0]).write(tmp_path / "in.mp4")
    with pytest.raises(BadMedia, match=name):
        restyle(source, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "ending"),
    [("ffv1", "bgr0", "mkv"), ("ffv1", "yuv444p", "mkv"), ("ffv1", "yuv422p", "mkv"), ("mjpeg", "yuvj420p", "avi")],
)
def test_other_sample_layouts(tmp_path: Path, codec: str, pix_fmt: str, ending: str) -> None:
    clip = Clip(codec=codec, pix_fmt=pix_fmt, options={}, tagged=False, ticks=[0, 1, 2], time_base=Fraction(1, 25))
    style = Identity()
    restyle(clip.write(tmp_path / f"in.{ending}"), tmp_path / "out.mp4", style, crf=0)
    limit = {"mjpeg": 12, "ffv1": 6}[codec]  # 4:2:2 was made with a blur
    assert np.abs(style.seen[0].astype(int) - moving(0, 64, 48)).max() <= limit
    with VideoReader(str(tmp_path / "out.mp4")) as reader:
        back = next(iter(reader)).pixels
    assert np.abs(back.astype(int) - style.seen[0]).mean() <= 2


def test_grey_stays_grey(tmp_path: Path) -> None:
    def frame(index: int) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1)), format="gray")

    clip = Clip(codec="ffv1", pix_fmt="gray", frame=frame, options={}, tagged=False, ticks=[0])
    style = Identity()
    restyle(clip.write(tmp_path / "in.mkv"), tmp_path / "out.mp4", style, crf=0)
    assert np.abs(style.seen[0].astype(int) - (np.arange(64) * 4)[None, :, None]).max() <= 1


class TestOddSizes:
    """4:2:0 has a chroma sample for two pixels; sizes that are no multiple of two come out as they went in."""

    @pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 5), (17, 33), (65, 63)])
    @pytest.mark.parametrize("codec", ["h264", "vp9"])
    def test_size_and_colours_are_kept(self, tmp_path: Path, size: tuple[int, int], codec: str) -> None:
        clip = Clip(*size, codec="libvpx-vp9", ticks=[0, 512], options={"lossless": "1"})
        source = clip.write(tmp_path / "in.mp4")
        restyle(source, tmp_path / "out.mp4", codec=codec, crf=0)
        assert probe.video_facts(tmp_path / "out.mp4")["size"] == size
        with VideoReader(str(tmp_path / "out.mp4")) as reader:
            after = [frame.pixels for frame in reader]
        for exact, ours in zip(decoded(source, 709, False), after, strict=True):
            assert np.abs(ours - exact).max() <= (2 if codec == "h264" else 8)

    def test_odd_h264_is_said(self, tmp_path: Path) -> None:
        clip = Clip(33, 17, codec="libvpx-vp9", ticks=[0], options={})
        report = restyle(clip.write(tmp_path / "in.webm"), tmp_path / "out.mp4")
        assert any("33x17" in notice for notice in report.notices)
