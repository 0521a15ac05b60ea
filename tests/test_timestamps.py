"""Every frame keeps its time, and sound, subtitles and chapters keep step with it."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from streamer.media import Selection, VideoReader
from tests import media_probe as probe
from tests.media_clips import Clip, Cues, Identity, Sound, number_of, numbered
from tests.media_run import restyle

UNEVEN = (0, 512, 700, 2048, 2050, 5000, 9000, 15000, 15360)  # ticks of 1/15360 s


def in_milliseconds(times: list[Fraction]) -> list[Fraction]:
    """What Matroska's clock makes of times."""
    return [Fraction(round(time * 1000), 1000) for time in times]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_variable_frame_rate_stays_exact(tmp_path: Path, b_frames: int) -> None:
    source = Clip(ticks=UNEVEN, b_frames=b_frames).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / "out.mp4")
    assert probe.times(tmp_path / "out.mp4") == [Fraction(tick, 15360) for tick in UNEVEN]
    assert probe.facts(tmp_path / "out.mp4")["duration"] == pytest.approx(15720 / 15360, abs=0.001)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_matroska_times_stay_exact_in_every_container(tmp_path: Path, ending: str) -> None:
    ticks = [0, 33, 67, 80, 200, 450, 451, 999]
    source = Clip(ticks=ticks, time_base=Fraction(1, 1000), b_frames=2).write(tmp_path / "in.mkv")
    restyle(source, tmp_path / f"out.{ending}")
    assert probe.times(tmp_path / f"out.{ending}") == [Fraction(tick, 1000) for tick in ticks]


def test_matroska_rounds_to_its_millisecond_and_no_more(tmp_path: Path) -> None:
    source = Clip(ticks=UNEVEN).write(tmp_path / "in.mp4")
    report = restyle(source, tmp_path / "out.mkv")
    assert probe.times(tmp_path / "out.mkv") == in_milliseconds(probe.times(source))
    assert any("milliseconds" in notice for notice in report.notices)


def test_ntsc_rate_does_not_drift(tmp_path: Path) -> None:
    ticks = range(0, 1001 * 300, 1001)
    source = Clip(16, 16, Fraction(1, 30000), ticks, b_frames=3).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / "out.mp4")
    assert probe.times(tmp_path / "out.mp4") == [Fraction(tick, 30000) for tick in ticks]


def test_coarse_time_base_is_made_finer_not_rounded(tmp_path: Path) -> None:
    source = Clip(time_base=Fraction(1, 25), ticks=range(25), codec="mpeg4", options={}).write(tmp_path / "in.avi")
    restyle(source, tmp_path / "out.mp4")
    assert probe.times(tmp_path / "out.mp4") == [Fraction(tick, 25) for tick in range(25)]


@pytest.mark.parametrize("offset", [512, 700, 21504])
def test_late_start_is_kept(tmp_path: Path, offset: int) -> None:
    ticks = [offset + 512 * index for index in range(20)]
    source = Clip(ticks=ticks, b_frames=2, sounds=[Sound(start=offset / 15360)]).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / "out.mp4")
    assert probe.times(tmp_path / "out.mp4") == probe.times(source)
    assert probe.packets(tmp_path / "out.mp4", "audio") == probe.packets(source, "audio")


def test_frames_that_an_edit_list_hides_stay_hidden(tmp_path: Path) -> None:
    ticks = range(-7680, 7680, 512)
    options = {"avoid_negative_ts": "disabled"}
    source = Clip(ticks=ticks, b_frames=2, container_options=options).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / "out.mp4")
    assert probe.times(tmp_path / "out.mp4") == [Fraction(tick, 15360) for tick in range(0, 7680, 512)]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_negative_start_moves_all_streams_alike(tmp_path: Path, ending: str) -> None:
    options = {"avoid_negative_ts": "disabled", "mpegts_copyts": "1"}
    ticks = range(-45000, 45000, 3000)
    sound = Sound("mp2", start=-0.5, beeps=(0.25,))
    clip = Clip(time_base=Fraction(1, 90000), ticks=ticks, b_frames=2, sounds=[sound], container_options=options)
    source = clip.write(tmp_path / "in.ts")
    assert probe.times(source)[0] == Fraction(-1, 2)
    restyle(source, tmp_path / f"out.{ending}")
    moved = [time + Fraction(1, 2) for time in probe.times(source)]
    wanted = moved if ending == "mp4" else in_milliseconds(moved)
    assert probe.times(tmp_path / f"out.{ending}") == wanted
    assert probe.beeps(tmp_path / f"out.{ending}")[0] == pytest.approx(probe.beeps(source)[0] + 0.5, abs=0.002)


def test_frames_without_rising_times_are_all_kept(tmp_path: Path) -> None:
    """A raw stream has no timestamps at all."""
    source = Clip(codec="libx264", format="h264").write(tmp_path / "in.h264")
    report = restyle(source, tmp_path / "out.mp4")
    times = probe.times(tmp_path / "out.mp4")
    assert len(times) == report.frames == 30
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_joined_recordings_follow_each_other(tmp_path: Path) -> None:
    """Two broadcasts in one file: the clock begins anew in the middle."""
    clip = Clip(ticks=range(0, 15360 * 4, 512), b_frames=2, sounds=[Sound("mp2", (1.0, 3.0))])
    part = clip.write(tmp_path / "part.ts").read_bytes()
    (tmp_path / "in.ts").write_bytes(part + part)
    restyle(tmp_path / "in.ts", tmp_path / "out.mp4")
    times = [float(time) for time in probe.times(tmp_path / "out.mp4")]
    steps = np.diff(times)
    assert len(times) == 240
    assert steps[:119] == pytest.approx(1 / 30, abs=1e-4)
    assert 1 / 30 <= steps[119] < 0.15
    assert steps[120:] == pytest.approx(1 / 30, abs=1e-4)
    sounds = np.array(probe.beeps(tmp_path / "out.mp4"))
    assert sounds - [times[0], times[0], times[120], times[120]] == pytest.approx([1, 3, 1, 3], abs=0.003)


def test_recording_that_begins_between_keyframes_begins_at_the_next(tmp_path: Path) -> None:
    options = {"crf": "10", "preset": "ultrafast", "g": "20"}
    source = Clip(ticks=range(0, 15360 * 2, 512), options=options, picture=numbered).write(tmp_path / "whole.ts")
    (tmp_path / "in.ts").write_bytes(source.read_bytes()[188 * 12 :])
    style = Identity()
    restyle(tmp_path / "in.ts", tmp_path / "out.mp4", style)
    assert [number_of(picture) for picture in style.seen] == list(range(20, 60))


def test_sound_keeps_step_over_four_minutes(tmp_path: Path) -> None:
    """Flashes and beeps every 40 s of a clip of uneven frame rate; sound encoded again."""
    ticks = [second * 1000 + extra for second in range(240) for extra in (0, 300 + second % 7)]
    flashes = [index for index, tick in enumerate(ticks) if tick % 40_000 == 0]
    beeps = [ticks[index] / 1000 for index in flashes]

    def picture(index: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), 235 if index in flashes else 20, np.uint8)

    clip = Clip(16, 16, Fraction(1, 1000), ticks, picture=picture, sounds=[Sound("aac", beeps)])
    source = clip.write(tmp_path / "in.mkv")
    restyle(source, tmp_path / "out.webm", preset="ultrafast")
    style = Identity()
    with VideoReader(str(tmp_path / "out.webm")) as reader:
        seen = [frame.time for frame in reader if frame.pixels.mean() > 128]
    assert seen == pytest.approx(beeps, abs=0.001)
    assert probe.beeps(tmp_path / "out.webm") == pytest.approx(beeps, abs=0.005)
    assert style.batches == []


class TestCut:
    """--start and --duration."""

    codecs: ClassVar = {".mp4": "mov_text", ".mkv": "ass"}

    def clip(self, path: Path) -> Path:
        return Clip(
            ticks=range(0, 15360 * 3, 512),
            b_frames=3,
            options={"crf": "10", "preset": "ultrafast", "g": "40"},
            sounds=[Sound(beeps=(0.5, 1.5, 2.5))],
            cues=[Cues(self.codecs[path.suffix], [(0.1, 0.4, "a"), (0.6, 1.6, "b"), (2, 2.9, "c")])],
            chapters=[(0, 1.2, "one"), (1.2, 1.8, "two"), (1.8, 3, "three")],
        ).write(path)

    @pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi"])
    def test_is_exact_to_the_frame(self, tmp_path: Path, ending: str) -> None:
        options = {"crf": "10", "preset": "ultrafast", "g": "25"}
        clip = Clip(ticks=range(0, 15360 * 3, 512), b_frames=3, options=options, picture=numbered)
        if ending == "avi":
            clip = Clip(time_base=Fraction(1, 30), ticks=range(90), codec="mpeg4", options={}, picture=numbered)
        source = clip.write(tmp_path / f"in.{ending}")
        style = Identity()
        restyle(source, tmp_path / "out.mp4", style, start=1.0, duration=1.0)
        assert [number_of(picture) for picture in style.seen] == list(range(30, 60))
        times = [float(time) for time in probe.times(tmp_path / "out.mp4")]
        assert times == pytest.approx([index / 30 for index in range(30)], abs=0.0006)

    @pytest.mark.parametrize("ending", ["mp4", "mkv"])
    def test_takes_sound_subtitles_and_chapters_along(self, tmp_path: Path, ending: str) -> None:
        source = self.clip(tmp_path / f"in.{ending}")
        restyle(source, tmp_path / f"out.{ending}", start=1.0, duration=1.0)
        assert probe.beeps(tmp_path / f"out.{ending}") == pytest.approx([0.5], abs=0.002)
        ((begin, end, text),) = probe.cues(tmp_path / f"out.{ending}")
        assert (begin, round(end, 3), text) == (0.0, 0.6, "b")
        chapters = [
            (float(chapter["start"] * chapter["time_base"]), chapter["metadata"]["title"])
            for chapter in probe.facts(tmp_path / f"out.{ending}")["chapters"]
        ]
        assert chapters == [(0.0, "one"), (pytest.approx(0.2), "two"), (pytest.approx(0.8), "three")]
        assert probe.facts(tmp_path / f"out.{ending}")["duration"] == pytest.approx(1.0, abs=0.03)

    def test_duration_alone_keeps_the_beginning(self, tmp_path: Path) -> None:
        source = self.clip(tmp_path / "in.mp4")
        restyle(source, tmp_path / "out.mp4", duration=0.5)
        assert probe.times(tmp_path / "out.mp4") == probe.times(source)[:15]

    def test_frame_times_of_a_tenth_count_as_said(self, tmp_path: Path) -> None:
        source = Clip(time_base=Fraction(1, 10), ticks=range(30), codec="mpeg4", options={}).write(tmp_path / "in.avi")
        report = restyle(source, tmp_path / "out.mp4", start=0.3, duration=0.7)
        assert report.frames == 7

    def test_reader_expects_what_it_delivers(self, tmp_path: Path) -> None:
        source = self.clip(tmp_path / "in.mp4")
        with VideoReader(str(source), Selection(start=2.5, duration=9)) as reader:
            assert reader.expected_frames == 15
            assert len(list(reader)) == 15
