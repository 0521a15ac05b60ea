"""The demo in a real browser: webcam, clip and styles, and all of it on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from streamer.styles import SHIPPED, load_style
from tests.browser import far, read_picture
from tests.browser_fixtures import PHONE
from tests.demo_files import write_clip, write_text
from tests.demo_page import (
    button,
    download,
    open_tab,
    pick,
    shown,
    upload,
    wait_painted,
    wait_said,
    wait_trouble,
)
from tests.processes import Demo, wait_for

LONGEST = 4  # seconds of a clip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, camera: Path) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("own"), "--max-duration", str(LONGEST))
    yield running
    running.stop()


@pytest.fixture
def page(demo: Demo, visit: Any) -> Any:
    return visit(demo.url)[0]


SEE_UNDER_WAY = """() => {
    const look = () => { window.seenUnderWay ||= document.querySelector(".pair img") !== null }
    new MutationObserver(look).observe(document, {childList: true, subtree: true})
}"""


def test_the_webcam_is_painted_as_it_moves(page: Any) -> None:
    open_tab(page, "Webcam")
    page.get_by_text("Click to Access Webcam").click()
    page.get_by_role("button", name="capture photo").click()
    wait_said(page, "Painted at", 30_000)
    frames = []
    for _ in range(3):
        frames.append(painted_webcam(page))
        wait_for(lambda: far(frames[-1], painted_webcam(page)) > 0, 20, "another frame")
    pick(page, "The Scream")
    wait_for(lambda: far(frames[-1], painted_webcam(page)) > 15, 30, "another style")


def painted_webcam(page: Any) -> Any:
    picture = shown(page, ".stage")
    assert picture is not None
    return read_picture(picture)


def test_a_clip_is_trimmed_painted_played_in_step_and_fetched(page: Any, tmp_path: Path) -> None:
    open_tab(page, "Clip")
    wait_said(page, "640 × 360, 4.0 s.")
    page.get_by_label("Length, s").first.fill("1.5")
    page.evaluate(SEE_UNDER_WAY)  # before the click: a short clip may be whole before a locator looks
    button(page, "Paint the clip").click()
    page.wait_for_function("window.seenUnderWay", timeout=60_000)
    page.locator(".pair video").first.wait_for(timeout=60_000)
    page.locator(".pair video").last.evaluate("video => { video.muted = true; return video.play(); }")
    times = "[...document.querySelectorAll('.pair video')].map(video => video.currentTime)"
    wait_for(lambda: min(page.evaluate(times)) > 0.4, 20, "both clips to play")
    before, after = page.evaluate(times)
    assert abs(before - after) < 0.25
    painted = download(page, tmp_path)
    assert painted.name == "sample.mosaic.mp4"
    with av.open(str(painted)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 36


def test_a_clip_can_be_stopped(page: Any) -> None:
    open_tab(page, "Clip")
    wait_said(page, "640 × 360, 4.0 s.")
    button(page, "Paint the clip").click()
    stop = button(page, "Stop")
    wait_for(stop.is_enabled, 30, "the Stop button")
    stop.click()
    wait_said(page, "Stopped.", 30_000)


def test_a_clip_over_the_limit_and_a_text_are_refused_with_a_message(page: Any, tmp_path: Path) -> None:
    open_tab(page, "Clip")
    wait_said(page, "640 × 360, 4.0 s.")
    button(page, "Clear").click()
    upload(page, write_clip(tmp_path / "long.mp4", LONGEST + 2))
    page.get_by_text("At most 4 s are painted at a time").wait_for(timeout=30_000)
    button(page, "Paint the clip").click()
    wait_trouble(page, "A clip may be at most 4 s long, and this is 6.0 s")
    button(page, "Clear").click()
    upload(page, write_text(tmp_path / "text.mp4"))
    wait_trouble(page, "text.mp4")


def test_the_styles_page_shows_each_with_its_credit_scores_and_samples(page: Any) -> None:
    open_tab(page, "Styles")
    cards = page.locator(".cards article")
    wait_for(lambda: page.locator(".cards img").count() == 2 * cards.count() >= 24, 60, "the samples")
    card = cards.filter(has_text="The Great Wave").inner_text()
    wave = load_style(SHIPPED / "great_wave.safetensors")
    for said in (wave.artist, wave.licence, "Content lost", f"{wave.scores['content']:.2f}"):
        assert said in card
    assert "Distance from the paint" in card and f"{wave.scores['style']:.2f}" in card


def test_every_tab_is_in_sight_on_a_phone_and_nothing_is_wider(demo: Demo, visit: Any) -> None:
    page, _ = visit(demo.url, viewport=PHONE)
    wait_painted(page)
    for name in ("Photo", "Webcam", "Clip", "Paint slowly", "New style", "Styles"):
        place = page.get_by_role("tab", name=name, exact=True).bounding_box()
        assert place["x"] >= 0 and place["x"] + place["width"] <= PHONE["width"] and place["height"] >= 40
        open_tab(page, name)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not page.get_by_label("More tabs").filter(visible=True).count()
