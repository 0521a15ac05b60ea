"""A real browser for the tests of the page: headless Chromium with a clip as its camera."""

from __future__ import annotations

import base64
import functools
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.processes import wait_for

Picture = NDArray[np.uint8]
SAMPLE = Path(__file__).parent.parent / "samples" / "sample.mp4"
CHROMIUM = os.environ.get("STREAMER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("STREAMER_REQUIRE_BROWSER") == "1"  # read here: no test sees STREAMER_* from outside
NOT_RUN = "NOT RUN: there is no Chromium here; `apt-get install chromium`, or name one in STREAMER_TEST_CHROMIUM"
CAMERA = (256, 144, 24)  # width, height, frames a second: of the clip that plays the camera
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
    " --use-fake-device-for-media-stream"
)


def chromium() -> str:
    """Where Chromium is. Skips the test, or fails it where a browser is required."""
    if CHROMIUM is None and REQUIRED:
        pytest.fail("STREAMER_REQUIRE_BROWSER is set, and there is no Chromium.")
    if CHROMIUM is None:
        pytest.skip(NOT_RUN)
    return CHROMIUM


def write_camera(path: Path, form: tuple[int, int, int] = CAMERA) -> Path:
    """The sample clip as the raw file that Chromium takes for a camera; form: width, height, frames a second."""
    width, height, rate = form
    with av.open(str(SAMPLE)) as clip, av.open(str(path), "w", format="yuv4mpegpipe") as out:
        stream = out.add_stream("wrapped_avframe", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        every = round(float(clip.streams.video[0].average_rate or rate) / rate)
        for number, frame in enumerate(clip.decode(video=0)):
            if number % every == 0:
                small = frame.reformat(width, height, "yuv420p")
                small.pts = None
                out.mux(stream.encode(small))
        out.mux(stream.encode(None))
    return path


@contextmanager
def browser(driver: Any, *flags: str, camera: Path | None = None) -> Iterator[Any]:
    """A Chromium of one's own, driven by a Playwright; with no camera, none is there."""
    arguments = FLAGS.split() + list(flags)
    if camera is None:
        arguments.remove("--use-fake-device-for-media-stream")
    else:
        arguments.append(f"--use-file-for-fake-video-capture={camera}")
    program = driver.chromium.launch(executable_path=chromium(), args=arguments)
    try:
        yield program
    finally:
        program.close()


_GRAB = """([id, width, height]) => {
    const canvas = Object.assign(document.createElement("canvas"), {width, height});
    canvas.getContext("2d").drawImage(document.getElementById(id), 0, 0, width, height);
    return canvas.toDataURL("image/png").split(",")[1];
}"""


def grab(page: Any, element: str, width: int = 160, height: int = 90) -> Picture:
    """What a video or image on the page shows now, (height, width, 3)."""
    return read_picture(base64.b64decode(page.evaluate(_GRAB, [element, width, height])))


def read_picture(data: bytes) -> Picture:
    """A picture file as (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.uint8)


def palette(picture: Picture) -> NDArray[np.float64]:
    """Which colours a picture has, wherever they are: shares of 4 x 4 x 4 boxes of the colour cube, (64,)."""
    boxes = (picture // 64).reshape(-1, 3) @ np.array([16, 4, 1])
    return np.bincount(boxes, minlength=64) / len(boxes)


def far(first: Picture, second: Picture) -> float:
    """Mean absolute difference of two pictures, in levels."""
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


def palette_far(first: Picture, second: Picture) -> float:
    """How much two pictures differ in their colours: 0 the same, 1 none in common."""
    return float(np.abs(palette(first) - palette(second)).sum() / 2)


def go_live(page: Any, seconds: float = 30) -> None:
    """Press "Start camera" and wait for the painted picture."""
    page.get_by_role("button", name="Start camera").click()
    wait_live(page, seconds)


def wait_live(page: Any, seconds: float = 30) -> None:
    """Wait until painted frames come."""
    page.locator('#status[data-state="live"]').wait_for(timeout=1000 * seconds)
    wait_flowing(page, "after", seconds)


def wait_flowing(page: Any, video: str, seconds: float = 30) -> None:
    """Wait until a video has shown three new frames."""
    count = functools.partial(
        page.evaluate, "id => document.getElementById(id).getVideoPlaybackQuality().totalVideoFrames"
    )
    before = count(video)
    wait_for(lambda: count(video) >= before + 3, seconds, f"frames in #{video}")
