"""Animated pictures: 256 colours, hundredths of a second, no sound."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.media import VideoReader
from tests import media_probe as probe
from tests.media_clips import Clip, Identity, moving
from tests.media_run import restyle


def test_frames_times_and_colours(tmp_path: Path) -> None:
    source = Clip(ticks=range(0, 15360, 1536)).write(tmp_path / "in.mp4")
    report = restyle(source, tmp_path / "out.gif")
    assert (report.codec, report.frames) == ("gif", 10)
    assert probe.times(tmp_path / "out.gif") == [Fraction(index, 10) for index in range(10)]
    assert probe.facts(tmp_path / "out.gif")["duration"] == pytest.approx(1.0)
    with VideoReader(str(tmp_path / "out.gif")) as reader:
        for index, frame in enumerate(reader):
            apart = np.abs(frame.pixels.astype(int) - moving(index, 64, 48))
            assert apart.mean() < 8


def test_uneven_times_stay_uneven(tmp_path: Path) -> None:
    ticks = [0, 30, 130, 170, 600]
    source = Clip(ticks=ticks, time_base=Fraction(1, 1000)).write(tmp_path / "in.mkv")
    restyle(source, tmp_path / "out.gif")
    assert probe.times(tmp_path / "out.gif") == [Fraction(tick, 1000) for tick in ticks]


def test_more_than_fifty_frames_a_second_are_thinned_out(tmp_path: Path) -> None:
    source = Clip(ticks=range(0, 15360, 128)).write(tmp_path / "in.mp4")  # 120 a second
    report = restyle(source, tmp_path / "out.gif")
    assert any("50 a second" in notice for notice in report.notices)
    times = probe.times(tmp_path / "out.gif")
    assert 35 <= len(times) <= 50
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= Fraction(2, 100)


def test_loops_for_ever(tmp_path: Path) -> None:
    restyle(Clip(ticks=[0, 1536]).write(tmp_path / "in.mp4"), tmp_path / "out.gif")
    assert b"NETSCAPE2.0\x03\x01\x00\x00\x00" in (tmp_path / "out.gif").read_bytes()


def test_odd_and_tiny_sizes(tmp_path: Path) -> None:
    for size in ("1x1", "33x17"):
        output = tmp_path / f"{size}.gif"
        restyle(Clip(ticks=[0, 1536]).write(tmp_path / f"{size}.mp4"), output, size=size)
        assert "{}x{}".format(*probe.video_facts(output)["size"]) == size


def test_gif_as_input(tmp_path: Path) -> None:
    restyle(Clip(ticks=range(0, 15360, 1536)).write(tmp_path / "in.mp4"), tmp_path / "in.gif")
    style = Identity()
    restyle(tmp_path / "in.gif", tmp_path / "out.mp4", style)
    assert probe.times(tmp_path / "out.mp4") == probe.times(tmp_path / "in.gif")
    facts = probe.video_facts(tmp_path / "out.mp4")
    assert (facts["matrix"], facts["range"]) == (1, 1)
    assert np.abs(style.seen[0].astype(int) - moving(0, 64, 48)).mean() < 8


def test_nothing_is_left_of_the_frames_that_waited(tmp_path: Path) -> None:
    restyle(Clip(ticks=[0, 1536]).write(tmp_path / "in.mp4"), tmp_path / "out.gif")
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.gif"}
