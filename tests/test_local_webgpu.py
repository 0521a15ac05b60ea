"""The network by WebGPU: on Chromium's imitation of a graphics processor, which is slow but computes the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.engine import Engine
from streamer.settings import Look
from streamer.styles import SHIPPED, StyleLibrary
from tests.browser import browser
from tests.local_pages import PARITY, apart, hosted, need_runtime, painted_there, write_shipped_site

IMITATED = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--use-vulkan=swiftshader",
    "--disable-vulkan-surface",
)
_HAS_ADAPTER = "async () => Boolean(await navigator.gpu?.requestAdapter())"


@pytest.fixture(scope="module")
def page(driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    need_runtime()
    folder = write_shipped_site(tmp_path_factory.mktemp("site") / "page").folder
    with hosted(folder) as url, browser(driver, *IMITATED) as program:
        opened = program.new_page()
        opened.goto(
            f"{url}local/styles.json"
        )  # a place without the page, which would paint its sample at the same time
        if not opened.evaluate(_HAS_ADAPTER):
            pytest.skip("NOT RUN: this Chromium has no WebGPU, not even an imitation")
        yield opened


def test_a_stream_by_webgpu_is_the_servers(page: Any) -> None:
    picture = cv2.cvtColor(cv2.imread(str(SHIPPED / "sample.jpg")), cv2.COLOR_BGR2RGB)
    frame = np.asarray(cv2.resize(picture, (48, 40)), np.uint8)
    frames = [frame, np.clip(frame.astype(int) + 8, 0, 255).astype(np.uint8)]
    there = painted_there(page, frames, "mosaic", [0.0, 0.04], device="webgpu")
    assert page.evaluate("window.kept.device") == "WebGPU"  # all of it: nothing fell back to WebAssembly
    with Engine(StyleLibrary([SHIPPED])) as engine:
        here = engine.stream(Look("mosaic"), denoise=False)(frames, [0.0, 0.04])
    assert max(apart(a, b) for a, b in zip(there, here, strict=True)) <= PARITY


_AT_ONCE = """async sizes => {
    const answered = [];
    await Promise.all(sizes.map(async ([width, height, strength]) => {
        const frame = new ImageData(new Uint8ClampedArray(4 * width * height).fill(255), width, height);
        const look = {spec: "mosaic", strength, preserveColour: false};
        const {after} = await window.kept.paint(await createImageBitmap(frame), look, null);
        answered.push(after.length);
    }));
    return answered;
}"""


def test_questions_that_come_at_once_are_answered_one_after_the_other(page: Any) -> None:
    """A picture that is dropped while a camera's frame is painted has another size, and so another graph."""
    painted_there(page, [np.zeros((40, 48, 3), np.uint8)], "mosaic", [None], device="webgpu")
    questions = [(48, 40, 1), (40, 80, 0), (32, 32, 1), (8, 8, 0)]  # strength 0 takes no time at all
    assert page.evaluate(_AT_ONCE, questions) == [4 * width * height for width, height, _ in questions]


def test_an_imitation_is_not_chosen(page: Any) -> None:
    chosen = page.evaluate("""async () => {
        const {askFacts, Painter} = await import(new URL("/static/painter.js", location.href).href);
        const painter = await Painter.open(await askFacts());
        painter.close();
        return painter.accelerator;
    }""")
    assert chosen == "wasm"
