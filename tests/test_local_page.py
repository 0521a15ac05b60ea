"""The page that paints by itself, on a plain static host, in a real Chromium with the shipped network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from streamer.engine import Engine
from streamer.styles import SHIPPED, StyleLibrary
from tests.browser import CAMERA, SAMPLE, far, grab, read_picture
from tests.browser_fixtures import DESKTOP, PHONE
from tests.local_pages import PARITY, apart, hosted, need_runtime, troubles, wait_painted, write_shipped_site
from tests.processes import wait_for

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_runtime()
    return write_shipped_site(tmp_path_factory.mktemp("site") / "page").folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with hosted(folder) as address:
        yield address


@pytest.fixture
def page(visit: Any, url: str) -> Any:
    opened, _ = visit(url)
    wait_painted(opened)
    return opened


def number(page: Any, name: str) -> float:
    text = page.locator(f"#{name}").inner_text()
    return float(text) if re.fullmatch(r"[\d.]+", text) else 0.0


def choose(page: Any, style: str) -> None:
    page.locator(f'#gallery .thumb[data-style="{style}"]').click()


def start_camera(page: Any) -> None:
    page.get_by_role("button", name="Start camera").click()
    page.locator('#status[data-state="live"]').wait_for(timeout=30_000)
    wait_for(lambda: number(page, "fps-out") > 0, 30, "frames a second")


def test_loads_cleanly_and_asks_nobody_else(visit: Any, url: str) -> None:
    page, noted = visit(url)
    wait_painted(page)
    start_camera(page)
    assert troubles(noted.errors) == []
    assert {host for host in noted.hosts if host} == {url.split("/")[2]}
    names = page.locator("#gallery .thumb").evaluate_all("all => all.map(one => one.dataset.style)")
    assert set(names) == set(StyleLibrary([SHIPPED]).names())
    pictured = "all => all.every(one => one.naturalWidth > 0 || one.loading === 'lazy')"
    assert page.locator("#gallery img").evaluate_all(pictured)
    assert not page.get_by_role("link", name="On the server").is_visible()  # there is none


def test_everything_that_can_be_pressed_has_a_name(page: Any) -> None:
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, select, input, [role=slider], a")]
        .filter(one => !one.hidden)
        .filter(one => !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length))
        .map(one => one.outerHTML)""")
    assert nameless == []


def test_the_camera_is_painted_and_says_how_fast_and_by_what(page: Any) -> None:
    start_camera(page)
    assert page.locator("#painter").inner_text() == "WASM, 1 thread"  # this host says nothing of isolation
    assert number(page, "fps-out") > 0.5 and number(page, "ms-style") > 0
    width, height = map(int, page.locator("#work").inner_text().split(" × "))
    assert width / height == pytest.approx(CAMERA[0] / CAMERA[1], abs=0.05) and width <= CAMERA[0]
    assert far(grab(page, "before"), grab(page, "after")) > 15
    before = grab(page, "after")
    choose(page, "great_wave")
    wait_for(lambda: far(grab(page, "after"), before) > 20, 20, "the other style")


def test_video_keeps_to_a_size_that_was_chosen(page: Any) -> None:
    page.locator("#file").set_input_files(SAMPLE)
    page.locator('#status[data-state="live"]').wait_for(timeout=30_000)
    page.locator("#side").select_option("256")
    wait_for(lambda: page.locator("#work").inner_text() == "256 × 144", 20, "that size")


def test_stop_brings_the_sample_back(page: Any) -> None:
    sample = grab(page, "before")
    start_camera(page)
    page.get_by_role("button", name="Stop").click()
    wait_for(lambda: far(grab(page, "before"), sample) < 1, 20, "the sample")
    assert page.locator("#status").get_attribute("data-state") == "idle"
    assert page.evaluate("document.activeElement.id") == "start-camera"


def write_picture(path: Path, width: int = 200, height: int = 151) -> np.ndarray:
    with Image.open(SHIPPED / "sample.jpg") as opened:
        picture = opened.convert("RGB").resize((width, height))
    picture.save(path)
    return np.asarray(picture, np.uint8)


def shown_size(page: Any) -> str:
    return str(page.locator("#work").inner_text())


def saved_photo(page: Any, path: Path) -> np.ndarray:
    with page.expect_download() as photo:
        page.get_by_role("button", name="Save a photo").click()
    photo.value.save_as(path)
    return read_picture(path.read_bytes())


def test_a_dropped_picture_is_painted_and_saved_as_the_server_would(page: Any, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "picture.png")
    choose(page, "starry_night")
    drop(page, (tmp_path / "picture.png").read_bytes(), "picture.png", "image/png")
    wait_for(lambda: shown_size(page) == "200 × 151", 30, "the picture")
    saved = saved_photo(page, tmp_path / "saved.png")
    with Engine(StyleLibrary([SHIPPED])) as engine:
        here = engine.stylize(picture, engine.library.resolve("starry_night"))
    assert apart(saved, here) <= PARITY


def drop(page: Any, data: bytes, name: str, kind: str) -> None:
    page.evaluate(
        """([bytes, name, type]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], name, {type}));
            for (const kind of ["dragover", "drop"])
                document.body.dispatchEvent(
                    new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true}));
        }""",
        [list(data), name, kind],
    )


def test_strength_and_blend_repaint_a_picture(page: Any) -> None:
    full, before = grab(page, "after"), grab(page, "before")
    page.locator("#strength").fill("0")
    wait_for(lambda: far(grab(page, "after"), before) < 1, 20, "the picture as it was")
    page.locator("#strength").fill("100")
    wait_for(lambda: far(grab(page, "after"), full) < 1, 20, "the painted picture")
    page.get_by_role("switch", name="Blend in a second style").click()
    page.locator("#blend").fill("80")
    wait_for(lambda: far(grab(page, "after"), full) > 8, 20, "the blend")


def test_a_large_picture_is_painted_smaller_and_that_is_said(page: Any, tmp_path: Path) -> None:
    write_picture(tmp_path / "large.jpg", 2000, 1400)
    page.locator("#file").set_input_files(tmp_path / "large.jpg")
    said = page.locator("#lowered")
    wait_for(lambda: "2000 × 1400" in said.inner_text(), 60, "the sentence")
    width, height = map(int, shown_size(page).split(" × "))
    assert 1_100_000 < width * height <= 1_260_000


@pytest.mark.parametrize(("name", "kind"), [("notes.txt", "text/plain"), ("broken.png", "image/png")])
def test_a_file_that_is_no_picture_is_refused_in_words(page: Any, name: str, kind: str) -> None:
    before = shown_size(page)
    drop(page, b"no picture at all", name, kind)
    page.get_by_text("This file is no picture or video that your browser knows").wait_for()
    page.get_by_role("button", name="Close").click()
    choose(page, "great_wave")  # all else goes on
    wait_for(lambda: page.locator("#notice").is_hidden() and shown_size(page) == before, 20, "the sample again")


def test_a_video_that_is_none_is_refused_in_words(page: Any) -> None:
    drop(page, b"no video at all", "broken.mp4", "video/mp4")
    page.get_by_text("This file cannot be played here").wait_for()


def test_without_the_runtime_it_says_so(visit: Any, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare" / "static" / "runtime")
    with hosted(tmp_path / "bare") as url:
        page, _ = visit(url)
        page.get_by_text("Nothing here can paint on your device").wait_for(timeout=30_000)
        assert page.locator("#gallery .thumb").count() == len(StyleLibrary([SHIPPED]).names())
        assert page.locator("#status").inner_text() == "Stopped"
        assert not page.get_by_role("button", name="Paint on the server").is_visible()
        assert page.locator("#photo").is_disabled()


def test_a_camera_that_is_refused_is_said(visit: Any, url: str) -> None:
    page, _ = visit(url, permitted=False)
    wait_painted(page)
    page.get_by_role("button", name="Start camera").click()
    page.get_by_text("The camera is not allowed here").wait_for()
    page.get_by_role("button", name="Use a video file").wait_for()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, PHONE | {"width": 320}], ids=["desktop", "phone", "small phone"])
def test_fits(visit: Any, url: str, viewport: dict[str, int]) -> None:
    page, _ = visit(url, viewport=viewport)
    wait_painted(page)
    page.locator("#blend-on").click()
    for step in ("picture", "camera"):
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], step
        small = page.evaluate("""() => [...document.querySelectorAll("button, select, [role=slider], .switch")]
            .map(one => [one.id || one.textContent, one.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.height < 40 || box.width < 40)).map(([name]) => name)""")
        assert small == [], step
        if step == "picture":
            start_camera(page)


_PACE = """async costs => {
    const {Pace} = await import(new URL("static/pace.js", location.href).href);
    const pace = new Pace("wasm"), sides = [];
    for (const cost of costs) {  // milliseconds for a thousand squared pixels of the long side
        for (let i = 0; i < 60; i++) pace.note(cost * (pace.side / 1000) ** 2);
        sides.push(pace.side);
    }
    return [sides, pace.size(3000, 1000), pace.size(90, 31), new Pace("wasm", 640).size(1280, 720)];
}"""


def test_the_size_follows_what_the_device_can_do(page: Any) -> None:
    sides, wide, small, fixed = page.evaluate(_PACE, [150, 40, 2000, 2000, 150, 150, 150])
    fast, faster, *slow, again, _, last = sides
    assert (fast, faster) == (400, 800)  # the largest that takes at most three quarters of a twenty-fourth of a second
    assert set(slow) == {128} and again <= last == 400  # a bad moment is forgotten
    assert (wide["width"], wide["height"]) == (400, 134)
    assert (small["width"], small["height"]) == (90, 31)  # never larger than it came
    assert (fixed["width"], fixed["height"]) == (640, 360)
