"""For tests of painting in the browser: the page as a static site with the shipped network, and frames in and out."""

from __future__ import annotations

import base64
import functools
import http.server
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.styles import SHIPPED, StyleLibrary
from tests.browser import REQUIRED
from web.local import Site, has_runtime, write_site

Frame = NDArray[np.uint8]
NOT_FETCHED = "NOT RUN: what paints in browsers is not here; `make web` fetches it"
PARITY = 3  # levels of 255 that a browser's frame may be off the server's, anywhere
# LiteRT.js looks for a graphics processor when it starts, and says so where there is none.
HARMLESS = ("Failed to create default WebGPU device", "No available adapters")


def need_runtime() -> None:
    """Skip the test where `make web` could not fetch; fail it where all must run."""
    if has_runtime():
        return
    if REQUIRED:
        pytest.fail("STREAMER_REQUIRE_BROWSER is set, and what paints in browsers was not fetched (`make web`).")
    pytest.skip(NOT_FETCHED)


def write_shipped_site(folder: Path) -> Site:
    """The page with the shipped styles, as `streamer local` writes it."""

    def nothing_to_paint() -> Any:
        raise AssertionError("every shipped style has its thumbnail")

    return write_site(folder, StyleLibrary([SHIPPED]), nothing_to_paint, overwrite=False)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """The plainest of static hosts: no header of ours, no compression."""

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its address."""
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="static host")
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


_PAINT = """async ({frames, width, height, look, times, device}) => {
    const {askFacts, Painter} = await import(new URL("/static/painter.js", location.href).href);
    const painter = window.kept ??= await Painter.open(await askFacts(), {device});
    await painter.begin();
    const painted = [];
    for (const [i, frame] of frames.entries()) {
        const rgba = Uint8ClampedArray.from(atob(frame), letter => letter.charCodeAt(0));
        const bitmap = await createImageBitmap(new ImageData(rgba, width, height));
        const {after} = await painter.paint(bitmap, look, times[i]);
        let text = "";
        for (const byte of after) text += String.fromCharCode(byte);
        painted.push(btoa(text));
    }
    return painted;
}"""


def painted_there(
    page: Any,
    frames: Sequence[Frame],
    style: str,
    times: Sequence[float | None],
    device: str = "wasm",
    **look: Any,
) -> list[Frame]:
    """What the page's own painter makes of frames (H, W, 3): of a stream at those times, or each alone where None."""
    height, width = frames[0].shape[:2]
    opaque = [np.dstack([frame, np.full((height, width), 255, np.uint8)]) for frame in frames]
    sent = {
        "frames": [base64.b64encode(frame.tobytes()).decode() for frame in opaque],
        "width": width,
        "height": height,
        "look": {"spec": style, "strength": 1, "preserveColour": False} | look,
        "times": list(times),
        "device": device,
    }
    answers = [np.frombuffer(base64.b64decode(text), np.uint8) for text in page.evaluate(_PAINT, sent)]
    pictures = [answer.reshape(height, width, 4) for answer in answers]
    assert all((picture[..., 3] == 255).all() for picture in pictures)
    return [picture[..., :3] for picture in pictures]


def apart(first: Frame, second: Frame) -> int:
    """The largest difference of two pictures, in levels."""
    assert first.shape == second.shape
    return int(np.abs(first.astype(int) - second).max())


def wait_painted(page: Any, seconds: float = 60) -> None:
    """Wait until the page shows something that it has painted."""
    page.locator("#frame.painted").wait_for(timeout=1000 * seconds)
    page.locator('#status[data-state="idle"], #status[data-state="live"]').wait_for(timeout=1000 * seconds)


def troubles(errors: Sequence[str]) -> list[str]:
    """What a page complained of, less what is harmless."""
    return [error for error in errors if not error.startswith(HARMLESS)]
