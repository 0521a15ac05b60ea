"""The tab Photo in a real browser: how pictures get in, what the controls do, how the painting gets out."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.browser import Picture, far, read_picture
from tests.demo_files import write_bomb, write_photo, write_text
from tests.demo_page import (
    button,
    download,
    pick,
    set_number,
    upload,
    wait_painted,
    wait_queued,
    wait_said,
    wait_trouble,
)
from tests.processes import Demo, wait_for


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("own"))
    yield running
    running.stop()


@pytest.fixture
def page(demo: Demo, visit: Any) -> Any:
    """The page, its sample painted."""
    opened, _ = visit(demo.url, permissions=["camera", "clipboard-read", "clipboard-write"])
    wait_painted(opened)
    return opened


def side(page: Any, name: str) -> Picture:
    """What one side of the slider shows: before or after."""
    source = page.locator(f'.stage img[src$="{name}.jpg"]').first.get_attribute("src")
    return read_picture(page.request.get(source).body())


def repaint(page: Any, change: Any) -> Picture:
    """What is painted after a change of the look."""
    last = side(page, "after")
    change()
    wait_for(lambda: far(last, side(page, "after")) > 3, 60, "another painting")
    return side(page, "after")


def chroma_far(first: Picture, second: Picture) -> float:
    """Mean absolute difference of the colours of two pictures, whatever their brightness, in levels."""
    one, two = (cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(int) for each in (first, second))
    return float(np.abs(one - two).mean())


def choose(page: Any, label: str, option: str) -> None:
    """Take an option of a drop-down list."""
    page.get_by_role("combobox", name=label).filter(visible=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_visitor_sees_a_painting_without_a_click_and_nothing_comes_from_elsewhere(demo: Demo, visit: Any) -> None:
    page, noted = visit(demo.url)
    wait_painted(page)
    assert far(side(page, "before"), side(page, "after")) > 10
    assert noted.hosts == {demo.url.split("/")[2]}
    assert not noted.errors


def test_twelve_megapixels_are_painted_in_full_and_named(page: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "holiday.jpg", 4000, 3000))
    page.locator(".status progress").filter(visible=True).first.wait_for(timeout=30_000)
    wait_painted(page, "4000 × 3000")
    painted = download(page, tmp_path)
    assert painted.name == "holiday.mosaic.jpg"
    with Image.open(painted) as image:
        assert image.size == (4000, 3000)


def test_a_painting_under_way_can_be_stopped(page: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "large.jpg", 4500, 3500))
    stop = button(page, "Stop")
    wait_for(stop.is_enabled, 30, "the Stop button")
    stop.click()
    wait_said(page, "Stopped.")
    assert button(page, "Download sample.mosaic.jpg").is_enabled()  # what is still shown can be had
    pick(page, "Poppy Field")  # and the page goes on
    page.locator(".status progress").filter(visible=True).first.wait_for(timeout=30_000)


def test_an_example_is_one_click(page: Any) -> None:
    page.locator("button.gallery-item").filter(visible=True).last.click()
    wait_painted(page, "384 × 288")


COPY = """async (url) => {
    const blob = await (await fetch(url)).blob();
    await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
}"""
DROP = """(element, url) => fetch(url).then((answer) => answer.blob()).then((blob) => {
    const held = new DataTransfer();
    held.items.add(new File([blob], "dropped.png", {type: "image/png"}));
    for (const name of ["dragenter", "dragover", "drop"])
        element.dispatchEvent(new DragEvent(name, {dataTransfer: held, bubbles: true, cancelable: true}));
})"""


def as_url(file: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()


def copy(page: Any, file: Path) -> None:
    page.evaluate(COPY, as_url(file))


def drop(page: Any, place: str, file: Path) -> None:
    page.locator(place).filter(visible=True).first.evaluate(DROP, as_url(file))


def test_a_picture_is_pasted(page: Any, tmp_path: Path) -> None:
    copy(page, write_photo(tmp_path / "a.png", 120, 90))
    page.get_by_label("Paste from clipboard").filter(visible=True).click()
    wait_painted(page, "120 × 90")
    copy(page, write_photo(tmp_path / "b.png", 112, 90))
    page.keyboard.press("Control+V")
    wait_painted(page, "112 × 90")


def test_a_picture_is_dropped(page: Any, tmp_path: Path) -> None:
    drop(page, ".well img", write_photo(tmp_path / "a.png", 100, 80))  # on the one that is there
    wait_painted(page, "100 × 80")
    button(page, "Remove Image").click()
    drop(page, ".well button[aria-dropeffect]", write_photo(tmp_path / "b.png", 104, 80))
    wait_painted(page, "104 × 80")
    drop(page, "h1", write_photo(tmp_path / "c.png", 108, 80))
    wait_painted(page, "108 × 80")
    assert button(page, "Download dropped.mosaic.png").is_enabled()


def test_a_picture_is_taken_with_the_camera(page: Any) -> None:
    button(page, "Remove Image").click()
    page.get_by_label("Capture from camera").filter(visible=True).click()
    page.get_by_text("Click to Access Webcam").filter(visible=True).click()
    button(page, "capture photo").click()
    wait_painted(page, "256 × 144")  # what the camera gives
    assert far(side(page, "before"), side(page, "after")) > 10


def test_every_control_of_the_look_is_heard(page: Any) -> None:
    before, mosaic = side(page, "before"), side(page, "after")
    kept = repaint(page, page.get_by_label("Keep my colours").filter(visible=True).check)
    assert chroma_far(before, kept) < 0.2 * chroma_far(before, mosaic)
    repaint(page, page.get_by_label("Keep my colours").filter(visible=True).uncheck)
    page.get_by_text("Blend in a second style").filter(visible=True).click()
    repaint(page, lambda: choose(page, "Second style", "The Great Wave off Kanagawa"))
    button(page, "Download sample.mosaic+great_wave.jpg").wait_for()
    repaint(page, lambda: set_number(page, "Share of the second, %", "100"))
    button(page, "Download sample.great_wave.jpg").wait_for()
    assert far(repaint(page, lambda: set_number(page, "Strength, %", "0")), before) < 3
    choose(page, "Output size", "360 p")
    wait_painted(page, "576 × 360")


def test_another_style_paints_anew(page: Any) -> None:
    repaint(page, lambda: pick(page, "The Great Wave"))
    assert page.get_by_text("Katsushika Hokusai").filter(visible=True).count() == 1


@pytest.mark.parametrize(
    ("write", "name", "said"),
    [(write_bomb, "bomb.png", "at most 50 million pixels"), (write_text, "text.jpg", "text.jpg is not a picture")],
)
def test_a_bomb_and_a_text_are_refused_with_a_message(
    page: Any, tmp_path: Path, write: Any, name: str, said: str
) -> None:
    upload(page, write(tmp_path / name))
    wait_trouble(page, said)
    page.locator("button.gallery-item").filter(visible=True).first.click()
    wait_painted(page, "960 × 600")


def test_whoever_waits_sees_the_place_in_the_queue(demo: Demo, page: Any, visit: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "first.jpg", 4500, 3500))
    stop = button(page, "Stop")
    wait_for(stop.is_enabled, 30, "the Stop button")
    second, _ = visit(demo.url)
    wait_queued(second)
    stop.click()
    wait_painted(second)


def test_nothing_goes_on_for_a_visitor_who_has_left(demo: Demo, visit: Any, tmp_path: Path) -> None:
    first, _ = visit(demo.url)
    wait_painted(first)
    upload(first, write_photo(tmp_path / "first.jpg", 6000, 5000))  # most of a minute
    wait_for(button(first, "Stop").is_enabled, 30, "the Stop button")
    first.context.close()
    second, _ = visit(demo.url)
    wait_painted(second)
