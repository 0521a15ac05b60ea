"""What holds visitors of the demo within bounds: limits, folder, tasks that end, errors that say no more than that."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import BadMedia, BadOption, Interrupted
from streamer.service_settings import LIVE_PAGE, DemoOptions
from tests.demo_files import write_bomb, write_photo, write_text
from web.demo.limits import Limits
from web.demo.problems import SURPRISE, message_of, told
from web.demo.scratch import LONGEST_WORK, Scratch
from web.demo.task import Stops, Task

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


def test_the_place_of_a_result_stays_until_it_is_written() -> None:
    """What is painted slowly takes many minutes, and is written in the end."""
    now = [1e6]
    with Scratch(keep=100, disk=1000, every=1e6, clock=lambda: now[0]) as scratch:
        place = scratch.place("painting.png")
        os.utime(place.parent, (now[0], now[0]))
        now[0] += 3600
        scratch.purge()
        place.write_bytes(b"a painting")
        place.unlink()
        os.utime(place.parent, (now[0], now[0]))
        now[0] += LONGEST_WORK + 1
        scratch.purge()
        assert not place.parent.exists()


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
