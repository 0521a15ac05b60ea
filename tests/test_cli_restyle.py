"""`streamer transcode` and `image` as processes of their own, with the shipped styles."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tests.test_cli import STREAMER, only_sentence, start

LISTEN = """
import time
from streamer.cli.signals import stop_on_signals
with stop_on_signals() as stop:
    print("ready", flush=True)
    stop.wait(60)
    print("asked to stop", flush=True)
    time.sleep(60)
"""

LEAVE = """
import sys, time
from pathlib import Path
from streamer.cli.signals import stop_on_signals
from streamer.media import published, remove_unfinished
with stop_on_signals() as stop, published(Path(sys.argv[1])):
    stop.before_leaving = remove_unfinished
    print("ready", flush=True)
    stop.wait(60)
    print("asked to stop", flush=True)
    time.sleep(60)
"""


def write_clip(path: Path, frames: int = 12, size: tuple[int, int] = (96, 64)) -> Path:
    """A short silent clip of a moving gradient."""
    width, height = size
    picture = tiny.picture(height, width)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 2 * i, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def wait_for(path: Path, pattern: str, seconds: float = 30) -> None:
    """Wait until a folder holds a file that matches."""
    deadline = time.monotonic() + seconds
    while not list(path.glob(pattern)):
        assert time.monotonic() < deadline, f"no {pattern} in {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip in a folder of its own."""
    return write_clip(tmp_path / "clip.mp4")


# Transcode


def test_a_clip_becomes_a_styled_clip_beside_it(clip: Path) -> None:
    answer = start("transcode", clip)
    output = clip.with_name("clip.mosaic.mp4")
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"{output}: 12 frames")
    assert not answer.stderr
    assert output.exists()


def test_json_is_one_object_and_all_of_stdout(clip: Path) -> None:
    answer = start("transcode", clip, "--json", "-v", "--style", "mosaic:0.7,great_wave:0.3", "--strength", "0.5")
    result = json.loads(answer.stdout)
    assert result["frames"] == 12
    assert result["output"] == str(clip.with_name("clip.mosaic+great_wave.mp4"))
    assert result["results"] == [{key: result[key] for key in result if key not in ("results", "failed")}]
    assert result["failed"] == []
    assert "Streams run on LiteRT" in answer.stderr


def test_quiet_says_nothing(clip: Path) -> None:
    answer = start("transcode", clip, "--quiet", "--out-dir", clip.parent / "new")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert (clip.parent / "new" / "clip.mosaic.mp4").exists()


def test_one_bad_input_costs_the_others_nothing(clip: Path) -> None:
    (clip.parent / "notes.mp4").write_text("not a video")
    answer = start("transcode", clip.parent / "notes.mp4", clip, "--out-dir", clip.parent / "out", "--json")
    assert answer.returncode == 1
    result = json.loads(answer.stdout)
    assert [each["input"] for each in result["results"]] == [str(clip)]
    assert [each["input"] for each in result["failed"]] == [str(clip.parent / "notes.mp4")]
    assert "1 of 2 inputs failed" in answer.stderr
    assert [path.name for path in (clip.parent / "out").iterdir()] == ["clip.mosaic.mp4"]


def test_an_unknown_style_is_told_before_anything_is_made(clip: Path) -> None:
    answer = start("transcode", clip, "--style", "mosiac", "--out-dir", clip.parent / "out")
    assert answer.returncode == 2
    assert "Did you mean mosaic?" in only_sentence(answer.stderr)
    assert not (clip.parent / "out").exists()


def test_a_missing_input_leaves_no_folder(tmp_path: Path) -> None:
    answer = start("transcode", tmp_path / "none.mp4", "--out-dir", tmp_path / "out")
    assert answer.returncode == 1
    assert "none.mp4" in only_sentence(answer.stderr)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_and_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    clip = write_clip(tmp_path / "long.mp4", frames=600, size=(640, 360))
    out = tmp_path / "out"
    out.mkdir()
    command = [*STREAMER, "transcode", str(clip), "--out-dir", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(out, ".*.mp4")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert "topped" in only_sentence(stderr)
    assert not stdout
    assert not list(out.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_leaves_at_once(number: int, code: int) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTEN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "asked to stop\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == code


def test_a_silent_server_does_not_keep_a_signal_from_being_heard(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/clip.mp4"
        command = [*STREAMER, "transcode", url, "--out-dir", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = server.accept()
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
            assert time.monotonic() - began < 5
            connection.close()
    assert process.returncode == 130
    assert "topped" in only_sentence(stderr)
    assert not list(tmp_path.iterdir())


def test_two_signals_leave_no_temporary_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "long.mp4", frames=600, size=(640, 360))
    out = tmp_path / "out"
    out.mkdir()
    command = [*STREAMER, "transcode", str(clip), "--out-dir", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(out, ".*.mp4")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode in (143, 130)  # the latter if the first signal had done its work already
    assert not list(out.iterdir())


def test_a_second_signal_removes_what_is_not_finished(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LEAVE, str(tmp_path / "out.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        assert [path.suffix for path in tmp_path.iterdir()] == [".mp4"]
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked to stop\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
    assert not list(tmp_path.iterdir())


def test_handlers_are_put_back() -> None:
    from streamer.cli.signals import stop_on_signals

    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)
        assert stop.exit_code == 130
    assert signal.getsignal(signal.SIGINT) is before


def test_a_terminal_gets_a_bar(clip: Path) -> None:
    """stderr is a real terminal: the bar appears there, and what was done on stdout."""
    master, slave = os.openpty()
    command = [*STREAMER, "transcode", str(write_clip(clip.with_name("b.mp4"), 200, (320, 180)))]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=slave, text=True, env=os.environ | {"TERM": "xterm"}
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 4096):
            shown += chunk
    except OSError:  # how a terminal ends when nobody holds its other side
        pass
    stdout, _ = process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == 0
    assert b"200 frames" in shown
    assert b"fps" in shown
    assert "200 frames" in stdout


# Image


def test_a_picture_becomes_a_styled_picture_beside_it(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    Image.fromarray(tiny.picture(48, 64)).save(source)
    answer = start("image", source, "--style", "great_wave", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["output"] == str(tmp_path / "in.great_wave.png")
    with Image.open(tmp_path / "in.great_wave.png") as picture:
        assert picture.size == (64, 48)
