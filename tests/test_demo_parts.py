"""What stands behind the demo's tabs, without a browser: limits, folder, tasks, webcams, theme, and what it costs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from streamer.engine import Engine
from streamer.errors import BadMedia, BadOption, Interrupted, Overloaded
from streamer.live import LiveEngine
from streamer.service_settings import LIVE_PAGE, DemoOptions
from streamer.settings import Look
from tests import tiny
from tests.demo_files import write_bomb, write_photo, write_text
from tests.processes import Demo, wait_for
from web.demo.limits import Limits
from web.demo.look import look_of
from web.demo.pictures import encoded, preview, shown_size
from web.demo.problems import SURPRISE, message_of, told
from web.demo.scratch import Scratch
from web.demo.task import Stops, Task
from web.demo.theme import head, theme, tokens
from web.demo.webcams import FORGET_AFTER, Webcams, decoded

ALONE, SHARED = Limits.of(DemoOptions()), Limits.of(DemoOptions(share=True))


# Limits.


def test_a_shared_page_gives_each_visitor_less() -> None:
    for name in ("upload", "pixels", "seconds", "webcams", "waiting", "disk", "painting"):
        assert getattr(SHARED, name) < getattr(ALONE, name), name
    assert SHARED.webcam is not None and ALONE.webcam is None


def test_a_page_that_others_reach_is_a_shared_one() -> None:
    assert not DemoOptions().is_shared and DemoOptions().may_train and DemoOptions().live_address == LIVE_PAGE
    for options in (DemoOptions(share=True), DemoOptions(host="0.0.0.0")):
        assert options.is_shared and not options.may_train and options.live_address is None
    assert DemoOptions(share=True, training=True).may_train


def test_what_was_asked_for_goes_before_what_suits() -> None:
    limits = Limits.of(DemoOptions(share=True, max_upload=7, max_megapixels=2.5, max_duration=9))
    assert (limits.upload, limits.pixels, limits.seconds) == (7 << 20, 2_500_000, 9)


def test_a_live_page_is_an_address() -> None:
    with pytest.raises(BadOption, match="--live-url must be an address.*received 'localhost:8000'"):
        DemoOptions(live_url="localhost:8000")


def test_a_picture_is_looked_at_before_it_is_opened(tmp_path: Path) -> None:
    assert ALONE.check_picture(write_photo(tmp_path / "photo.jpg", 40, 30)) == (40, 30)
    with pytest.raises(BadMedia, match="at most 50 million pixels; bomb.png has 900.0 million"):
        ALONE.check_picture(write_bomb(tmp_path / "bomb.png"))
    with pytest.raises(BadMedia, match="text.jpg is not a picture that can be read; taken are JPEG"):
        ALONE.check_picture(write_text(tmp_path / "text.jpg"))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ((0, None, 61.0), "at most 60 s long, and this is 61.0 s"),
        ((10, 70, 100.0), "at most 60 s long, and this is 70.0 s"),
        ((0, 70, None), "at most 60 s long, and this is 70.0 s"),
        ((-1, 5, 10.0), "must begin at 0 s or later"),
        ((0, 0, 10.0), "longer than 0 s"),
        ((12, 5, 10.0), "ends at 10.0 s; the part cannot begin at 12 s"),
    ],
)
def test_a_part_of_a_clip_that_cannot_be_had(part: Any, said: str) -> None:
    with pytest.raises(BadOption, match=said):
        SHARED.check_part(*part)


@pytest.mark.parametrize("part", [(0, None, 60.0), (50, 60, 100.0), (0, 90, 30.0), (3, 1, None), (0, None, None)])
def test_a_part_of_a_clip_that_can(part: Any) -> None:
    SHARED.check_part(*part)


# The folder.


def test_files_go_when_they_are_old_or_too_many_but_ours_stay(tmp_path: Path) -> None:
    now = [1000.0]
    with Scratch(keep=100, disk=2500, every=1e6, clock=lambda: now[0]) as scratch:
        folder = scratch.folder
        assert folder.stat().st_mode & 0o777 == 0o700
        ours = scratch.keep_copy(write_text(tmp_path / "ours.txt"))
        assert scratch.keep_copy(tmp_path / "ours.txt") == ours
        places = [scratch.place(f"{age}.bin") for age in (10, 70, 80, 150)]
        for path, age in zip(places, (10, 70, 80, 150), strict=True):
            path.write_bytes(bytes(1000))
            os.utime(path, (now[0] - age, now[0] - age))
        os.utime(ours, (0, 0))
        assert scratch.purge() == 2  # the one of 150 s for its age; then, of 3000 bytes, the oldest
        assert [path.exists() for path in places] == [True, True, False, False]
        assert ours.exists()
        now[0] += 200
        assert scratch.purge() == 2 and ours.exists()
    assert not folder.exists()


def test_only_files_of_the_folder_are_a_visitors(tmp_path: Path) -> None:
    with Scratch(keep=100, disk=1000) as scratch:
        mine = scratch.place("mine.txt")
        mine.write_text("mine")
        link = scratch.place("link.txt")
        link.symlink_to("/etc/passwd")
        assert scratch.has(mine)
        assert not scratch.has(link) and not scratch.has(scratch.folder / ".." / "x") and not scratch.has(tmp_path)


# Tasks.


def test_a_task_ends_when_its_block_is_left() -> None:
    ended = threading.Event()

    def work(stop: threading.Event) -> None:
        stop.wait(20)
        ended.set()

    with Task(work) as task:
        assert next(iter(task.ticks(0.01)), "tick") is None
    assert ended.is_set()


def test_a_task_hands_over_its_result_and_its_error() -> None:
    with Task(lambda stop: 42) as task:
        list(task.ticks())
        assert task.result() == 42

    def fail(stop: threading.Event) -> None:
        raise Interrupted

    with Task(fail) as failing, pytest.raises(Interrupted):
        failing.result()


def test_a_page_that_ends_waits_for_what_is_under_way() -> None:
    stops, ended = Stops(), []

    def work(stop: threading.Event) -> None:
        stop.wait(30)
        time.sleep(0.2)
        ended.append(True)

    task = Task(work, stops.begin("me", "training"))
    task.__enter__()  # as in a handler that nobody closes
    stops.close()
    assert ended


def test_a_visitor_stops_only_what_is_theirs() -> None:
    stops = Stops()
    mine, yours, clip = stops.begin("me", "photo"), stops.begin("you", "photo"), stops.begin("me", "clip")
    assert stops.stop("me", "photo") and mine.is_set() and not yours.is_set() and not clip.is_set()
    again = stops.begin("me", "clip")
    assert clip.is_set() and not again.is_set()
    stops.end("me", "clip", again)
    assert not stops.stop("me", "clip")
    assert stops.stop("you") and yours.is_set()


# Errors.


def test_a_sentence_is_shown_without_where_the_file_lies() -> None:
    error = BadMedia("'/tmp/streamer-demo-x1/ab/photo.jpg' is damaged <b>.")
    assert message_of(error).message == "'photo.jpg' is damaged &lt;b&gt;."


def test_a_surprise_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    import gradio

    def handler() -> None:
        raise RuntimeError("the secret of another visitor")

    with pytest.raises(gradio.Error) as shown:
        told(handler)()
    assert shown.value.message == SURPRISE and "secret" in caplog.text

    def yielding() -> Any:
        yield 1
        raise BadMedia("no picture")

    with pytest.raises(gradio.Error, match="no picture"):
        list(told(yielding)())


# Webcams.


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def test_webcams_are_painted_admitted_and_forgotten(tiny_engine: Engine) -> None:
    clock = Clock()
    frame = tiny.picture(48, 64)
    with LiveEngine(tiny_engine) as live:
        webcams = Webcams(lambda: live, 2, clock)
        look = Look(style="alpha")
        first = webcams.exchange("a", frame, look)
        assert first is not None and first.frame.shape == frame.shape and not np.array_equal(first.frame, frame)
        other = webcams.exchange("a", frame, Look(style="beta"))
        assert other is not None and not np.array_equal(first.frame, other.frame)
        webcams.exchange("b", frame, look)
        with pytest.raises(Overloaded, match="2 webcams are being painted"):
            webcams.exchange("c", frame, look)
        clock.now += FORGET_AFTER / 2
        webcams.exchange("b", frame, look)
        clock.now += FORGET_AFTER / 2 + 1  # a has been silent for too long
        assert webcams.exchange("c", frame, look) is not None
        assert live.sessions == 2
        webcams.forget("b")
        webcams.forget("c")
        webcams.forget(None)
        assert live.sessions == len(webcams) == 0


def test_a_webcams_picture_is_a_small_picture(tmp_path: Path) -> None:
    frame = tiny.picture(48, 64)
    again = decoded(encoded(frame))
    assert again.shape == frame.shape and np.abs(again.astype(int) - frame).mean() < 8
    import base64

    bomb = base64.b64encode(write_bomb(tmp_path / "bomb.png").read_bytes()).decode()
    for url, said in (
        ("data:text/html,hello", "no picture"),
        ("data:image/jpeg;base64,!!!!", "no picture"),
        ("data:image/jpeg;base64,aGVsbG8=", "not a picture"),
        (f"data:image/png;base64,{bomb}", "30000x30000"),
    ):
        with pytest.raises(BadMedia, match=said):
            decoded(url)


# What is shown.


def test_a_look_is_what_the_controls_say() -> None:
    assert look_of("mosaic", 100, False, "", 50) == Look("mosaic")
    assert look_of("mosaic", 40, True, "great_wave", 30) == Look("mosaic:70,great_wave:30", 0.4, True)
    assert look_of("mosaic", 100, False, "great_wave", 0) == Look("mosaic")
    assert look_of("mosaic", 100, False, "great_wave", 100) == Look("great_wave")
    assert look_of("mosaic", 100, False, "mosaic", 50) == Look("mosaic")


def test_a_preview_is_small_upright_and_opaque(tmp_path: Path) -> None:
    from PIL import Image

    photo = Image.fromarray(tiny.picture(3000, 2000))
    exif = Image.Exif()
    exif[274] = 6  # lies on its side
    photo.save(tmp_path / "photo.jpg", exif=exif)
    with Image.open(preview(tmp_path / "photo.jpg", tmp_path / "out.jpg")) as shown:
        assert shown.size == (1600, 1067) and shown.getexif().get(274, 1) == 1
    Image.new("RGBA", (20, 10), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    with Image.open(preview(tmp_path / "clear.png", tmp_path / "white.jpg")) as shown:
        assert shown.getpixel((5, 5)) == (255, 255, 255)
    assert shown_size(1, 5000) == (1, 1600)


def test_the_page_and_the_live_page_share_their_tokens() -> None:
    live = (Path(__file__).parent.parent / "web" / "live" / "theme.css").read_text()
    ours = tokens()
    assert ours in live and "--accent: light-dark(" in ours and "body {" not in ours
    assert ours in head() and "https://" not in head().replace("http://www.w3.org", "")
    css = cast(Any, theme())._get_theme_css()
    used = {part.partition(")")[0] for part in css.split("var(--")[1:]}
    known = {line.partition(":")[0].strip().removeprefix("--") for line in ours.splitlines() if ":" in line}
    assert {"wall", "sheet", "well", "ink", "accent", "on-accent", "line"} <= used & known


# What it costs.


def test_the_page_answers_soon_after_gradio_is_there_and_needs_no_framework(tmp_path: Path) -> None:
    alone, ours = [], []
    for _ in range(3):  # side by side, and the best of each: the machine has other things to do
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import gradio"], check=True, timeout=90, capture_output=True)
        alone.append(time.perf_counter() - began)
        began = time.perf_counter()
        demo = Demo(tmp_path)
        try:
            assert demo.get("/").status_code == 200
            ours.append(time.perf_counter() - began)
            loaded = Path(f"/proc/{demo.pid}/maps").read_text()
            assert "gradio" in demo.get("/config").text
            assert "numpy" in loaded and "tensorflow" not in loaded
        finally:
            assert demo.stop() == 0
    assert min(ours) <= 1.5 * min(alone), (ours, alone)


def test_where_no_tunnel_can_be_had_it_says_so_and_serves_on(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"  # as a proxy: nothing can be reached
    demo = Demo(
        tmp_path,
        "--share",
        environment={"HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere, "ALL_PROXY": nowhere, "HF_HOME": str(tmp_path)},
    )
    try:
        wait_for(lambda: "No public address could be had" in demo.log, 60, "the sentence", lambda: demo.log)
        assert "the page is served on this machine alone" in demo.log
        assert demo.get("/").status_code == 200
        components = demo.get("/config").json()["components"]
        buttons = [each["props"].get("value") for each in components if each["type"] == "button"]
        assert "Paint the clip" in buttons and "Learn this style" not in buttons
    finally:
        assert demo.stop() == 0
    assert "Traceback" not in demo.log


def test_without_gradio_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'gradio' else find(name, *rest)\n"
        "from streamer.cli import main; main(['demo', '--port', '0'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "pip install 'streamer[demo]'" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "streamer", "demo", "--port", str(port)], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2 and "something else listens there already" in done.stderr
