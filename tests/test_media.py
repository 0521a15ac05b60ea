"""Reading and writing on their own, and what files are called."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import BadOption
from streamer.media import (
    CONTAINERS,
    Colour,
    Frame,
    Selection,
    VideoFormat,
    VideoReader,
    VideoWriter,
    container_for,
    default_output,
    is_url,
    plan_encoder,
)
from streamer.settings import TranscodeOptions, cores
from tests import media_probe as probe
from tests.media_clips import Clip, Sound, moving, number_of, numbered

TICK = Fraction(1, 1000)


@pytest.mark.parametrize(
    ("source", "style", "output"),
    [
        ("in.mp4", "mosaic", "in.mosaic.mp4"),
        ("films/in.webm", "mosaic", "films/in.mosaic.webm"),
        ("/films/a.b.MKV", "great_wave", "/films/a.b.great_wave.MKV"),
        ("in.avi", "mosaic", "in.mosaic.mp4"),
        ("in", "mosaic:0.7,great_wave:0.3", "in.mosaic+great_wave.mp4"),
        ("http://somewhere/films/in.mov?key=a/b.gif&x=1#t=3", "mosaic", "in.mosaic.mov"),
        ("rtsp://camera:554/", "mosaic", "stream.mosaic.mp4"),
        ("https://somewhere/a%20film%3A%20one.mp4", "mosaic", "a_film_one.mosaic.mp4"),
        ("file:///films/a%20film.mov", "mosaic", "/films/a film.mosaic.mov"),
        ("in.mp4", " mosaic : 1 ", "in.mosaic.mp4"),
        ("in.mp4", "../../etc/x", "in..._.._etc_x.mp4"),
    ],
)
def test_default_names(source: str, style: str, output: str) -> None:
    assert default_output(source, style) == Path(output)


def test_what_is_a_url() -> None:
    assert is_url("rtsp://camera/live")
    assert not is_url("/films/in.mp4")
    assert not is_url("C:\\films\\in.mp4")
    assert not is_url("a:b.mp4")


def test_threads_are_as_many_as_the_process_may_use() -> None:
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from streamer.settings import cores
print(cores())
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "1\n"
    assert cores() == len(os.sched_getaffinity(0))


def test_a_file_may_be_called_like_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Clip().write(tmp_path / "in.mp4").rename(tmp_path / "http:in.mp4")
    with VideoReader("http:in.mp4") as reader:
        assert reader.info.width == 64


def test_extensions_are_read_in_either_case() -> None:
    assert container_for(Path("OUT.MP4")) is CONTAINERS[".mp4"]
    with pytest.raises(BadOption, match=r"\.mkv"):
        container_for(Path("out"))


class TestReader:
    def test_knows_the_video(self, tmp_path: Path) -> None:
        clip = Clip(b_frames=2, aspect=Fraction(4, 3), rotation=(90, False, False), sounds=[Sound()])
        with VideoReader(str(clip.write(tmp_path / "in.mp4"))) as reader:
            info = reader.info
        assert (info.width, info.height, info.rotation) == (48, 64, 90)
        assert (info.codec, info.pixel_format, info.bits) == ("h264", "yuv420p", 8)
        assert info.fps == 30
        assert info.frames == 30
        assert info.duration == pytest.approx(1.0)
        assert info.sample_aspect_ratio == Fraction(3, 4)
        assert info.colour == Colour(matrix=1, full_range=False, primaries=1, transfer=1)
        assert info.time_base == Fraction(1, 15360)
        assert info.is_steady

    def test_gives_frames_alone(self, tmp_path: Path) -> None:
        clip = Clip(picture=numbered, b_frames=2, sounds=[Sound()])
        with VideoReader(str(clip.write(tmp_path / "in.mp4"))) as reader:
            frames = list(reader)
        assert [number_of(frame.pixels) for frame in frames] == list(range(30))
        assert all(frame.pixels.dtype == np.uint8 and frame.pixels.flags.c_contiguous for frame in frames)
        assert {frame.duration for frame in frames} == {512}
        assert frames[15].time == pytest.approx(0.5)

    def test_gives_packets_near_their_frames(self, tmp_path: Path) -> None:
        clip = Clip(ticks=range(0, 15360 * 4, 512), sounds=[Sound()])
        now = 0.0
        with VideoReader(str(clip.write(tmp_path / "in.mp4"))) as reader:
            for item in reader.items():
                if isinstance(item, Frame):
                    now = item.time
                elif item.pts is not None:
                    assert abs(float(item.pts * item.time_base) - now) < 0.7

    def test_resizes(self, tmp_path: Path) -> None:
        source = Clip().write(tmp_path / "in.mp4")
        with VideoReader(str(source), Selection(size="32x24")) as reader:
            small = next(iter(reader)).pixels
        wanted = moving(0, 64, 48).reshape(24, 2, 32, 2, 3).mean((1, 3))
        assert np.abs(small - wanted).mean() < 3

    def test_turning_and_sampling_of_a_resized_picture(self, tmp_path: Path) -> None:
        source = Clip(rotation=(270, False, False)).write(tmp_path / "in.mp4")
        with VideoReader(str(source), Selection(size="0.5x")) as reader:
            assert next(iter(reader)).pixels.shape == (32, 24, 3)

    def test_size_that_changes_on_the_way_is_evened_out(self, tmp_path: Path) -> None:
        """Joined broadcasts change size; every frame comes in the first one's."""
        first = Clip(64, 48).write(tmp_path / "a.ts").read_bytes()
        options = {"output_ts_offset": "1"}
        second = Clip(32, 24, container_options=options).write(tmp_path / "b.ts").read_bytes()
        (tmp_path / "in.ts").write_bytes(first + second)
        with VideoReader(str(tmp_path / "in.ts")) as reader:
            frames = list(reader)
        assert {frame.pixels.shape for frame in frames} == {(48, 64, 3)}
        assert len(frames) == 60


class TestWriter:
    def test_writes_frames_alone(self, tmp_path: Path) -> None:
        output = tmp_path / "out.mp4"
        plan = plan_encoder(output, TranscodeOptions(), 64, 48)
        form = VideoFormat(64, 48, TICK, Fraction(25))
        with VideoWriter(output, plan, form) as writer:
            writer.begin()
            for index in range(10):
                writer.write(Frame(numbered(index, 64, 48), index * 40, TICK, 40))
            writer.finish()
        assert writer.frames == 10
        assert probe.times(output) == [Fraction(index, 25) for index in range(10)]
        assert probe.facts(output)["duration"] == pytest.approx(0.4)
        with VideoReader(str(output)) as reader:
            assert [number_of(frame.pixels) for frame in reader] == list(range(10))

    def test_last_frame_keeps_its_length(self, tmp_path: Path) -> None:
        source = Clip(ticks=[0, 512, 1024, 9000], sounds=[]).write(tmp_path / "in.mp4")
        with VideoReader(str(source)) as reader:
            assert [frame.duration for frame in reader] == [512, 512, 7976, 7976]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may have real-time priority")
def test_no_encoder_takes_the_machine_for_itself(tmp_path: Path) -> None:
    """SVT-AV1, opened by root, had itself and the caller scheduled before everything else."""
    with VideoReader(str(Clip().write(tmp_path / "in.mp4"))) as reader:
        form, frames = reader.form, list(reader)
    plan = plan_encoder(tmp_path / "out.mkv", TranscodeOptions(codec="av1"), form.width, form.height)
    with VideoWriter(tmp_path / "out.mkv", plan, form) as writer:
        writer.begin()
        for frame in frames[:10]:
            writer.write(frame)
        threads = [int(name) for name in os.listdir("/proc/self/task")]
        assert len(threads) > 10  # its own are among them
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_OTHER}
        writer.finish()
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # what was laid down has been taken up again
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
