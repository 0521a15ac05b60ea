"""The pipeline: what is handed to a style, how it ends, and what is left when it does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import BadOption, Interrupted
from streamer.media import published
from streamer.pipeline import Channel, Stopped
from streamer.settings import TranscodeOptions
from streamer.transcode import Progress, transcode
from tests import media_probe as probe
from tests.media_clips import Clip, Identity, Picture, Sound, number_of, numbered
from tests.media_run import restyle


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return Clip(picture=numbered, sounds=[Sound()]).write(tmp_path / "in.mp4")


def alive_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"decode", "encode"}


class TestStyle:
    @pytest.mark.parametrize("batch_size", [1, 4, 7, 64])
    def test_gets_all_frames_in_order_in_its_batches(self, clip: Path, tmp_path: Path, batch_size: int) -> None:
        style = Identity(batch_size)
        report = restyle(clip, tmp_path / "out.mp4", style)
        assert [number_of(picture) for picture in style.seen] == list(range(30))
        assert style.batches[:-1] == [batch_size] * (30 // batch_size - (30 % batch_size == 0))
        assert sum(style.batches) == report.frames == 30
        assert style.times == pytest.approx([index / 30 for index in range(30)])
        assert style.seen[0].dtype == np.uint8

    def test_makes_the_picture(self, clip: Path, tmp_path: Path) -> None:
        class Negative(Identity):
            def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
                return [255 - frame for frame in frames]

        restyle(clip, tmp_path / "out.mp4", Negative())
        seen = Identity()
        restyle(tmp_path / "out.mp4", tmp_path / "again.mp4", seen)
        assert [255 - number_of(picture) for picture in seen.seen] == list(range(30))

    def test_may_return_what_it_made_in_other_memory_layouts(self, clip: Path, tmp_path: Path) -> None:
        class Strided(Identity):
            def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
                return [np.asfortranarray(frame) for frame in frames]

        assert restyle(clip, tmp_path / "out.mp4", Strided()).frames == 30

    @pytest.mark.parametrize("error", [RuntimeError("no style today"), KeyboardInterrupt()])
    def test_error_leaves_nothing_and_no_thread(self, clip: Path, tmp_path: Path, error: BaseException) -> None:
        class Failing(Identity):
            def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
                if times[0] > 0.3:
                    raise error
                return list(frames)

        with pytest.raises(type(error)) as caught:
            restyle(clip, tmp_path / "out.mp4", Failing())
        assert caught.value is error
        assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"}
        assert not alive_threads()


class TestProgress:
    def test_is_reported_from_the_calling_thread(self, tmp_path: Path) -> None:
        class Slow(Identity):
            def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
                time.sleep(0.02)
                return list(frames)

        clip = Clip(sounds=[Sound()]).write(tmp_path / "in.mp4")
        seen: list[Progress] = []
        threads: set[int] = set()

        def note(progress: Progress) -> None:
            seen.append(progress)
            threads.add(threading.get_ident())

        options = TranscodeOptions()
        report = transcode(str(clip), tmp_path / "out.mp4", Slow(), options, progress=note)
        assert threads == {threading.get_ident()}
        assert 2 <= len(seen) <= 12
        assert all(progress.total == 30 for progress in seen)
        assert all(progress.total_seconds == pytest.approx(1.0) for progress in seen)
        assert [progress.frames for progress in seen] == sorted(progress.frames for progress in seen)
        assert report.elapsed >= 0.6
        assert report.fps == pytest.approx(30 / report.elapsed)
        assert (report.width, report.height, report.codec) == (64, 48, "h264")
        assert report.speed == pytest.approx(report.seconds / report.elapsed)

    def test_decoding_goes_on_while_a_style_is_busy(self, tmp_path: Path) -> None:
        """A style that waits finds the next frames ready, and so many of them as the queue holds."""
        clip = Clip(ticks=range(0, 512 * 60, 512)).write(tmp_path / "in.mp4")
        waits: list[float] = []

        class Patient(Identity):
            def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
                waits.append(time.monotonic() - self.left)
                time.sleep(0.2 if times[0] == 0 else 0)
                self.left = time.monotonic()
                return list(frames)

            left = time.monotonic()

        restyle(clip, tmp_path / "out.mp4", Patient())
        assert max(waits[1:4]) < 0.05


class TestStop:
    def test_event_interrupts_soon_and_leaves_nothing(self, tmp_path: Path) -> None:
        clip = Clip(ticks=range(0, 512 * 300, 512), sounds=[Sound()]).write(tmp_path / "in.mp4")
        stop = threading.Event()

        class Stopping(Identity):
            def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
                if times[0] >= 1.0:
                    stop.set()
                return super().__call__(frames, times)

        style = Stopping()
        with pytest.raises(Interrupted):
            transcode(str(clip), tmp_path / "out.mp4", style, TranscodeOptions(), stop=stop)
        assert len(style.seen) == 31
        assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"}
        assert not alive_threads()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
    def test_signals_leave_no_file_of_that_name(self, tmp_path: Path, number: signal.Signals) -> None:
        clip = Clip(ticks=range(0, 512 * 300, 512)).write(tmp_path / "in.mp4")
        output = tmp_path / "out.mp4"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.media_slow", str(clip), str(output)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "styling\n"
        assert any(path.name.startswith(".out.partial-") and path.suffix == ".mp4" for path in tmp_path.iterdir())
        os.kill(process.pid, number)
        process.communicate(timeout=20)
        assert process.returncode == (-9 if number == signal.SIGKILL else 130)
        assert not output.exists()
        restyle(clip, output, duration=0.2)
        assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.mp4"}


class TestPublished:
    def test_name_appears_at_the_end_only(self, tmp_path: Path) -> None:
        with published(tmp_path / "a.txt") as temporary:
            temporary.write_text("whole")
            assert temporary.suffix == ".txt"
            assert not (tmp_path / "a.txt").exists()
        assert (tmp_path / "a.txt").read_text() == "whole"
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]

    def test_two_at_a_time_do_not_disturb_each_other(self, tmp_path: Path) -> None:
        with published(tmp_path / "a.txt", overwrite=True) as first:
            first.write_text("one")
            with published(tmp_path / "a.txt", overwrite=True) as second:
                second.write_text("two")
            assert first.exists()
        assert (tmp_path / "a.txt").read_text() == "one"

    def test_long_names_stay_possible(self, tmp_path: Path) -> None:
        name = "x" * 250 + ".txt"
        with published(tmp_path / name) as temporary:
            temporary.write_text("whole")
        assert (tmp_path / name).exists()

    def test_file_modes_follow_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            with published(tmp_path / "a.txt") as temporary:
                temporary.write_text("whole")
        finally:
            os.umask(before)
        assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


class TestChannel:
    def test_is_bounded_by_weight(self) -> None:
        channel: Channel[str] = Channel(2)
        assert channel.put("a")
        assert channel.put("crumb", weight=0.01)
        assert channel.put("b")
        assert not channel.put("c", timeout=0.01)
        assert channel.get() == "a"
        assert channel.put("c", timeout=0.01)

    def test_ends_after_its_last_item(self) -> None:
        channel: Channel[int] = Channel(2)
        channel.put(1)
        channel.end()
        assert not channel.exhausted
        assert [channel.get(), channel.get()] == [1, None]
        assert channel.exhausted

    def test_stopping_frees_both_ends(self) -> None:
        channel: Channel[int] = Channel(1)
        channel.put(1)
        met: list[str] = []

        def write() -> None:
            try:
                channel.put(2)
            except Stopped:
                met.append("writer")

        thread = threading.Thread(target=write)
        thread.start()
        channel.stop()
        thread.join(5)
        assert met == ["writer"]
        with pytest.raises(Stopped):
            channel.get()


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "webm"])
def test_every_codec_in_every_container(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], ending: str, codec: str
) -> None:
    output = tmp_path / f"out.{ending}"
    allowed = {"mov": ("h264", "hevc"), "webm": ("av1", "vp9")}.get(ending, ("h264", "hevc", "av1", "vp9"))
    if codec not in allowed:
        with pytest.raises(BadOption, match=codec):
            restyle(clip, output, codec=codec)
        return
    assert restyle(clip, output, codec=codec, preset="ultrafast").codec == codec
    (video, *_) = probe.facts(output)["streams"]
    assert video["codec"] == {"av1": "libdav1d"}.get(codec, codec)
    assert len(probe.times(output)) == 30
    assert capfd.readouterr() == ("", "")  # encoders like to talk
    if codec == "hevc" and ending != "mkv":
        assert video["tag"] == "hvc1"  # or Apple's players refuse it


def test_quality_and_preset_reach_the_encoder(clip: Path, tmp_path: Path) -> None:
    sizes = {}
    for crf, preset in ((10, None), (40, None), (20, "ultrafast"), (20, "veryslow")):
        output = tmp_path / f"{crf}{preset}.mp4"
        restyle(clip, output, crf=crf, preset=preset)
        sizes[crf, preset] = output.stat().st_size
    assert sizes[10, None] > sizes[40, None]
    assert sizes[20, "ultrafast"] != sizes[20, "veryslow"]


def test_mp4_can_be_played_while_it_loads(clip: Path, tmp_path: Path) -> None:
    restyle(clip, tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """A style that is slower than decoding and faster than encoding sees only so many frames alive at once."""
    import gc
    import weakref

    clip = Clip(ticks=range(0, 512 * 200, 512)).write(tmp_path / "in.mp4")
    living: list[weakref.ref[Picture]] = []
    most = 0

    class Counting(Identity):
        def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
            nonlocal most
            made = [frame.copy() for frame in frames]
            living.extend(weakref.ref(picture) for picture in made)
            gc.collect(0)
            most = max(most, sum(ref() is not None for ref in living))
            return made

    restyle(clip, tmp_path / "out.webm", Counting())
    assert most <= 10
