"""One queue for what works on the device: what the page's events say, and what reaches the runtime beside webcams."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.engine import Engine
from streamer.live import LiveEngine
from streamer.runtime import Batch, Runtime, Styled
from streamer.runtimes import make_runtime
from streamer.service_settings import DemoOptions
from streamer.settings import EngineOptions, Look
from streamer.shelf import KeptLibrary
from streamer.styles import SHIPPED
from tests import tiny
from tests.demo_files import write_clip, write_photo
from tests.processes import wait_for
from web.demo import clips, photo
from web.demo.limits import Limits
from web.demo.parts import Parts
from web.demo.scratch import Scratch
from web.demo.webcams import Webcams

SHARED = Limits.of(DemoOptions(share=True))


class Noting:
    """The CPU runtime, which notes who calls it, and how many at once."""

    name = "noting"

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.batch_size = runtime.batch_size
        self.callers: set[str] = set()
        self.at_once = self.most = 0

    def run(self, batch: Batch) -> Styled:
        self.callers.add(threading.current_thread().name)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        time.sleep(0.002)  # so that others would come in between, if they could
        styled = self._runtime.run(batch)
        self.at_once -= 1
        return styled

    def close(self) -> None:
        self._runtime.close()


@pytest.fixture
def library() -> KeptLibrary:
    return KeptLibrary([SHIPPED])


@pytest.fixture
def runtime(library: KeptLibrary) -> Noting:
    return Noting(make_runtime(library, EngineOptions(device="cpu")))


@pytest.fixture
def parts(library: KeptLibrary, runtime: Noting) -> Iterator[Parts]:
    with (
        Scratch(SHARED.keep, SHARED.disk) as scratch,
        Parts(SHARED, library, scratch, lambda: Engine(library, runtime=runtime), LiveEngine) as page,
    ):
        yield page


def test_pictures_clips_and_webcams_come_to_the_device_one_by_one(
    parts: Parts, runtime: Noting, tmp_path: Path
) -> None:
    look, stop = Look(style="mosaic"), threading.Event()
    webcams = Webcams(lambda: parts.live, 2)
    done: list[str] = []

    def watch(visitor: str) -> None:
        while not stop.is_set():
            if webcams.exchange(visitor, tiny.picture(48, 64), look) is not None:
                done.append(visitor)

    watching = [threading.Thread(target=watch, args=(visitor,)) for visitor in ("a", "b")]
    for thread in watching:
        thread.start()
    try:
        wait_for(lambda: {"a", "b"} <= set(done), 20, "both webcams")
        before = len(done)
        photo.run(parts, write_photo(tmp_path / "photo.jpg", 400, 300), look, "", threading.Event())
        clips.paint(parts, write_clip(tmp_path / "clip.mp4", 3), look, 0, None, threading.Event())
        during = len(done) - before
    finally:
        stop.set()
        for thread in watching:
            thread.join(10)
    assert during >= 2  # a webcam does not wait for the end of a clip
    assert runtime.most == 1
    assert len(runtime.callers) == 1 and runtime.callers.pop().startswith("device")


EVENTS = """
import json
from streamer.cli.demo import build
from streamer.service_settings import DemoOptions
from streamer.settings import EngineOptions
from web.demo.limits import Limits
from web.demo.scratch import Scratch
from web.demo.site import prepare

options = DemoOptions(share=True, training=True)
limits = Limits.of(options)
with Scratch(limits.keep, limits.disk) as scratch:
    prepare(scratch)
    from web.demo import app

    page = app.build(build(options, EngineOptions(), limits, scratch))
    events = [
        (event.concurrency_id, event.concurrency_limit, event.connection)
        for event in page.fns.values()
        if event.queue is not False and event.targets[0][1] != "unload"  # a visitor who has left waits for nothing
    ]
    print(json.dumps({"events": events, "waiting": page._queue.max_size}))
"""


def test_every_event_of_the_page_that_waits_is_in_the_one_queue() -> None:
    said = subprocess.run([sys.executable, "-c", EVENTS], capture_output=True, text=True, timeout=120, check=True)
    known = json.loads(said.stdout)
    on_device = [event for event in known["events"] if event[0] == "device"]
    others = [event for event in known["events"] if event[0] != "device"]
    assert len(on_device) >= 7  # five tabs, two endpoints
    assert all(limit == 1 for _, limit, _ in on_device)
    assert others == [["webcam", SHARED.webcams, "stream"]]
    assert known["waiting"] == SHARED.waiting
