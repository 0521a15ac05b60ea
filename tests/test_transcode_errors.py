"""Whatever is wrong gets one sentence and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import BadMedia, BadOption, OutputError, TruncatedMedia
from streamer.media import Notice
from streamer.media.problems import shown
from tests import media_probe as probe
from tests.media_clips import Clip, Identity, Sound
from tests.media_run import left_in, refused, restyle

SECONDS_OF_VIDEO = range(0, 15360 * 4, 512)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return Clip().write(tmp_path / "in.mp4")


class TestBadInput:
    def test_missing(self, tmp_path: Path) -> None:
        assert "nowhere.mp4" in refused(BadMedia, tmp_path / "nowhere.mp4", tmp_path / "out.mp4")

    def test_directory(self, tmp_path: Path) -> None:
        assert "directory" in refused(BadMedia, tmp_path, tmp_path / "out.mp4")

    @pytest.mark.parametrize("name", ["notes.mp4", "notes.txt"])
    def test_text(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("These are not the frames that you are looking for.\n" * 50)
        assert name in refused(BadMedia, tmp_path / name, tmp_path / "out.mp4")

    def test_zero_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "empty.mp4").touch()
        assert "0 bytes" in refused(BadMedia, tmp_path / "empty.mp4", tmp_path / "out.mp4")

    def test_noise(self, tmp_path: Path) -> None:
        (tmp_path / "noise.mp4").write_bytes(os.urandom(50_000))
        refused(BadMedia, tmp_path / "noise.mp4", tmp_path / "out.mp4")

    def test_no_video_stream(self, tmp_path: Path) -> None:
        import av

        with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as output:
            stream = output.add_stream("aac", rate=48000)
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            frame.sample_rate, frame.pts = 48000, 0
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            output.mux([*stream.encode(frame), *stream.encode(None)])
        assert "no video stream" in refused(BadMedia, tmp_path / "sound.m4a", tmp_path / "out.mp4")

    def test_unreadable(self, clip: Path, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("nothing is unreadable to root")
        clip.chmod(0)
        assert "permission" in refused(BadMedia, clip, tmp_path / "out.mp4")

    def test_start_behind_the_end(self, clip: Path, tmp_path: Path) -> None:
        assert "--start" in refused(BadOption, clip, tmp_path / "out.mp4", start=7.5)

    def test_no_duration(self, clip: Path, tmp_path: Path) -> None:
        assert "--duration" in refused(BadOption, clip, tmp_path / "out.mp4", duration=0.0)

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:9/clip.mp4", "rtsp://127.0.0.1:9/live", "rtmp://127.0.0.1:9/live"]
    )
    def test_nobody_at_a_url(self, tmp_path: Path, url: str) -> None:
        assert url in refused(BadMedia, url, tmp_path / "out.mp4")

    def test_unknown_protocol(self, tmp_path: Path) -> None:
        refused(BadMedia, "gopherish://somewhere/clip.mp4", tmp_path / "out.mp4")

    def test_a_password_is_not_shown(self) -> None:
        assert shown("rtsp://me:secret@camera:554/live") == "rtsp://me:***@camera:554/live"


class TestBadOutput:
    def test_unknown_container(self, clip: Path, tmp_path: Path) -> None:
        assert ".webm" in refused(BadOption, clip, tmp_path / "out.ogv")

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("out.webm", {"codec": "h264"}),
            ("out.mov", {"codec": "vp9"}),
            ("out.gif", {"codec": "av1"}),
            ("out.gif", {"crf": 20}),
            ("out.mp4", {"crf": 52}),
            ("out.mp4", {"preset": "quickly"}),
            ("out.mp4", {"preset": "5"}),
            ("out.mp4", {"size": "3x3", "codec": "hevc"}),
            ("out.mp4", {"size": "3x3", "codec": "av1"}),
            ("out.mp4", {"size": "huge"}),
        ],
    )
    def test_options_that_do_not_go_together(
        self, clip: Path, tmp_path: Path, name: str, options: dict[str, Any]
    ) -> None:
        refused(BadOption, clip, tmp_path / name, **options)

    def test_existing(self, clip: Path, tmp_path: Path) -> None:
        (tmp_path / "out.mp4").write_text("precious")
        assert "--overwrite" in refused(OutputError, clip, tmp_path / "out.mp4")
        assert (tmp_path / "out.mp4").read_text() == "precious"
        restyle(clip, tmp_path / "out.mp4", overwrite=True)
        assert len(probe.times(tmp_path / "out.mp4")) == 30

    @pytest.mark.parametrize("way", ["itself", "symlink", "hardlink"])
    def test_input_is_output(self, clip: Path, tmp_path: Path, way: str) -> None:
        output = clip if way == "itself" else tmp_path / "other.mp4"
        if way == "symlink":
            output.symlink_to(clip)
        elif way == "hardlink":
            output.hardlink_to(clip)
        before = clip.read_bytes()
        assert "input itself" in refused(OutputError, clip, output, overwrite=True)
        assert clip.read_bytes() == before

    @pytest.mark.parametrize("beginning", ["file://", "file://localhost", "file:"])
    def test_input_by_its_url_is_output(self, clip: Path, beginning: str) -> None:
        before = clip.read_bytes()
        assert "input itself" in refused(OutputError, f"{beginning}{clip}", clip, overwrite=True)
        assert clip.read_bytes() == before

    @pytest.mark.parametrize("name", ["10:30.mp4", "10:30.mkv", "10:30.gif", "pipe:1.mp4"])
    def test_a_colon_in_a_relative_name(
        self, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert restyle(clip, Path(name)).frames == len(probe.times(tmp_path / name)) == 30
        assert left_in(tmp_path) == {"in.mp4", name}

    def test_missing_folder(self, clip: Path, tmp_path: Path) -> None:
        assert "folder" in refused(OutputError, clip, tmp_path / "nowhere" / "out.mp4")

    def test_a_folder_of_that_name(self, clip: Path, tmp_path: Path) -> None:
        (tmp_path / "out.mp4").mkdir()
        refused(OutputError, clip, tmp_path / "out.mp4", overwrite=True)

    def test_unwritable_folder(self, clip: Path, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("nothing is unwritable to root")
        (tmp_path / "locked").mkdir(mode=0o500)
        assert "permission" in refused(OutputError, clip, tmp_path / "locked" / "out.mp4")

    def test_a_name_taken_meanwhile(self, clip: Path, tmp_path: Path) -> None:
        class Rival(Identity):
            def __call__(self, frames, times):
                (tmp_path / "out.mp4").write_text("first")
                return super().__call__(frames, times)

        with pytest.raises(OutputError, match="meanwhile"):
            restyle(clip, tmp_path / "out.mp4", Rival())
        assert (tmp_path / "out.mp4").read_text() == "first"
        assert left_in(tmp_path) == {"in.mp4", "out.mp4"}

    @pytest.mark.parametrize("limit", [3000, 9000])
    @pytest.mark.parametrize("ending", ["mp4", "mkv", "gif"])
    def test_disk_full(self, tmp_path: Path, ending: str, limit: int) -> None:
        """A limit on the size of files stands for a disk that fills up."""
        clip = Clip(ticks=SECONDS_OF_VIDEO, sounds=[Sound()]).write(tmp_path / "in.mp4")
        script = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from streamer.errors import OutputError\n"
            "from tests.media_run import left_in, refused, restyle\n"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {resource.RLIM_INFINITY}))\n"
            "try:\n"
            f"    restyle({str(clip)!r}, Path({str(tmp_path / f'out.{ending}')!r}))\n"
            "except OutputError as error:\n"
            "    sys.exit(f'SENTENCE {error}')\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith(f"SENTENCE Cannot write '{tmp_path}/out.{ending}': the file"), done.stderr
        assert "Traceback" not in done.stderr
        assert left_in(tmp_path) == {"in.mp4"}


class TestTruncated:
    @staticmethod
    def cut(path: Path, share: float) -> Path:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        return path

    def source(self, tmp_path: Path, ending: str) -> Path:
        options = {"movflags": "faststart"} if ending == "mp4" else {}
        if ending == "avi":
            clip = Clip(ticks=range(120), time_base=Fraction(1, 30), codec="mpeg4", options={})
            return clip.write(tmp_path / "in.avi")
        return Clip(ticks=SECONDS_OF_VIDEO, sounds=[Sound()], container_options=options).write(
            tmp_path / f"in.{ending}"
        )

    @pytest.mark.parametrize(
        ("ending", "share"), [("mp4", 0.5), ("mp4", 0.9), ("mkv", 0.5), ("mkv", 0.9), ("avi", 0.5)]
    )
    def test_is_refused(self, tmp_path: Path, ending: str, share: float) -> None:
        path = self.source(tmp_path, ending)
        sentence = refused(TruncatedMedia, self.cut(path, share), tmp_path / "out.mp4")
        assert "--keep-partial" in sentence

    def test_is_refused_by_its_url(self, tmp_path: Path) -> None:
        path = self.cut(self.source(tmp_path, "mkv"), 0.8)  # less is missing than a URL is forgiven
        refused(TruncatedMedia, f"file://{path}", tmp_path / "out.mp4")

    @pytest.mark.parametrize("ending", ["mp4", "mkv"])
    def test_what_could_be_read_is_kept_when_asked(self, tmp_path: Path, ending: str) -> None:
        path = self.source(tmp_path, ending)
        whole = probe.times(path)
        report = restyle(self.cut(path, 0.5), tmp_path / "out.mp4", keep_partial=True)
        times = probe.times(tmp_path / "out.mp4")
        assert report.partial
        assert 20 < report.frames == len(times) < 100
        assert times == whole[: len(times)]
        assert any("kept" in notice and "breaks off" in notice for notice in report.notices)
        assert float(times[-1]) - 0.5 < probe.facts(tmp_path / "out.mp4")["duration"] < float(times[-1]) + 0.5

    def test_part_before_the_break_is_no_matter(self, tmp_path: Path) -> None:
        path = self.cut(self.source(tmp_path, "mp4"), 0.7)
        report = restyle(path, tmp_path / "out.mp4", duration=1.0)
        assert (report.frames, report.partial) == (30, False)

    def test_without_its_index_nothing_can_be_read(self, tmp_path: Path) -> None:
        path = self.cut(Clip(ticks=SECONDS_OF_VIDEO).write(tmp_path / "in.mp4"), 0.5)
        refused(BadMedia, path, tmp_path / "out.mp4", keep_partial=True)

    @pytest.mark.parametrize("ending", ["mp4", "mkv"])
    def test_a_long_last_frame_is_not_a_break(self, tmp_path: Path, ending: str) -> None:
        ticks = [0, 100, 200, 300]
        clip = Clip(ticks=ticks, time_base=Fraction(1, 1000), sounds=[Sound()])
        path = clip.write(tmp_path / f"in.{ending}")
        assert restyle(path, tmp_path / "out.mp4").frames == 4

    def test_damage_in_the_middle_is_passed_over(self, tmp_path: Path) -> None:
        options = {"crf": "10", "preset": "ultrafast", "g": "10"}
        path = Clip(ticks=SECONDS_OF_VIDEO, options=options).write(tmp_path / "in.mp4")
        data = bytearray(path.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 400] = b"\xff" * 400
        path.write_bytes(data)
        report = restyle(path, tmp_path / "out.mp4")
        (notice,) = report.notices
        assert isinstance(notice, Notice)
        assert "damaged" in notice
        assert 110 <= report.frames <= 120
        assert set(probe.times(tmp_path / "out.mp4")) <= set(probe.times(path))
        assert not report.partial
