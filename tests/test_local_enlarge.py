"""What was painted small and is shown large: the browser's shader against the server's `restore`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer import postprocess
from tests import tiny
from tests.browser import browser
from tests.local_pages import PARITY, apart, hosted

LIVE = Path(__file__).parents[1] / "web" / "live"
IMITATED = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a GPU
_ENLARGE = """async ({original, small, styled, width, height, w, h, keep}) => {
    const {Enlarger} = await import("./enlarge.js");
    const bytes = text => Uint8ClampedArray.from(atob(text), letter => letter.charCodeAt(0));
    const enlarger = Enlarger.make({imitated: true});
    if (!enlarger) return null;
    const whole = await createImageBitmap(new ImageData(bytes(original), width, height));
    enlarger.draw(whole, {width: w, height: h, before: bytes(small), after: bytes(styled)}, keep);
    const canvas = Object.assign(document.createElement("canvas"), {width, height});
    canvas.getContext("2d").drawImage(enlarger.canvas, 0, 0);
    return [...canvas.getContext("2d").getImageData(0, 0, width, height).data];
}"""


@pytest.fixture(scope="module")
def page(driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("<!doctype html><title>Enlarging</title>")
    (folder / "enlarge.js").write_bytes((LIVE / "enlarge.js").read_bytes())
    with hosted(folder) as url, browser(driver, *IMITATED) as program:
        opened = program.new_page()
        opened.goto(url)
        yield opened


def packed(picture: np.ndarray) -> str:
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    return base64.b64encode(opaque.tobytes()).decode()


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An original with fine detail, its small form, and something painted of that."""
    original = tiny.picture(90, 160) // 2 + 64
    original[::3] -= 12
    small = postprocess.shrink(original, (64, 36))
    return original, small, cv2.cvtColor(255 - small, cv2.COLOR_RGB2BGR)


@pytest.mark.parametrize("keep", [False, True], ids=["painted", "colours kept"])
def test_as_the_server_does_it(page: Any, keep: bool) -> None:
    original, small, painted = pictures()
    styled = postprocess.preserve_color(painted, small) if keep else painted  # as the worker gives it
    sent = {"original": packed(original), "small": packed(small), "styled": packed(styled)}
    data = page.evaluate(_ENLARGE, sent | {"width": 160, "height": 90, "w": 64, "h": 36, "keep": keep})
    assert data is not None, "no WebGL"
    there = np.array(data, np.uint8).reshape(90, 160, 4)[..., :3]
    here = postprocess.finish(painted, small, original, preserve=keep)
    assert apart(there, here) <= PARITY
    assert apart(there, cv2.resize(styled, (160, 90), interpolation=cv2.INTER_CUBIC)) > 2 * PARITY  # detail is back
