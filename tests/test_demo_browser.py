"""The demo in a real browser: each tab does its job with a real picture, clip and camera."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from tests.browser import far, read_picture, wait_for
from tests.browser_fixtures import PHONE
from tests.demo_process import Demo, write_bomb, write_clip, write_photo, write_text

LONGEST = 4  # seconds of a clip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, camera: Path) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("own"), "--max-duration", str(LONGEST))
    yield running
    running.stop()


@pytest.fixture
def page(demo: Demo, visit: Any) -> Any:
    """The page, its sample painted."""
    opened, _ = visit(demo.url)
    wait_painted(opened)
    return opened


def wait_painted(page: Any, said: str = "pixels, painted in") -> None:
    page.get_by_text(said).filter(visible=True).first.wait_for(timeout=60_000)


def tab(page: Any, name: str) -> None:
    """Choose a tab; on a phone the last ones are in a menu."""
    direct = page.get_by_role("tab", name=name, exact=True)
    if not direct.count():
        page.get_by_label("More tabs").click()
        direct = page.locator(".overflow-dropdown button").filter(has_text=name)
    direct.click()


def pick(page: Any, title: str) -> None:
    page.locator(".styles button").filter(has_text=title, visible=True).click()


def download(page: Any, folder: Path) -> Path:
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download").filter(visible=True).click()
    target = folder / coming.value.suggested_filename
    coming.value.save_as(target)
    return target


def upload(page: Any, file: Path) -> None:
    page.locator(".well").filter(visible=True).locator("input[type=file]").set_input_files(file)


def shown(page: Any, side: str) -> Any:
    """What one side of the slider shows: before or after."""
    source = page.locator(f'.stage img[src$="{side}.jpg"]').first.get_attribute("src")
    return read_picture(page.request.get(source).body())


def test_a_visitor_sees_a_painting_without_a_click_and_nothing_comes_from_elsewhere(demo: Demo, visit: Any) -> None:
    page, noted = visit(demo.url)
    wait_painted(page)
    assert far(shown(page, "before"), shown(page, "after")) > 10
    assert noted.hosts == {demo.url.split("/")[2]}
    assert not noted.errors


def test_another_style_paints_anew(page: Any) -> None:
    before = shown(page, "after")
    pick(page, "The Great Wave")
    wait_for(lambda: far(before, shown(page, "after")) > 5, 30, "another painting")
    assert page.get_by_text("Katsushika Hokusai").filter(visible=True).count() == 1


def test_twelve_megapixels_are_painted_in_full_and_named(page: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "holiday.jpg", 4000, 3000))
    page.locator(".status progress").filter(visible=True).first.wait_for(timeout=30_000)
    wait_painted(page, "4000 × 3000 pixels, painted in")
    painted = download(page, tmp_path)
    assert painted.name == "holiday.mosaic.jpg"
    with Image.open(painted) as image:
        assert image.size == (4000, 3000)


def test_a_painting_under_way_can_be_stopped(page: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "large.jpg", 4500, 3500))
    stop = page.get_by_role("button", name="Stop").filter(visible=True)
    wait_for(stop.is_enabled, 30, "the Stop button")
    stop.click()
    wait_painted(page, "Stopped.")
    pick(page, "Poppy Field")  # and the page goes on
    page.locator(".status progress").filter(visible=True).first.wait_for(timeout=30_000)


def test_an_example_is_one_click(page: Any, tmp_path: Path) -> None:
    page.locator("button.gallery-item").filter(visible=True).last.click()
    wait_painted(page, "384 × 288 pixels, painted in")


@pytest.mark.parametrize(
    ("write", "name", "said"),
    [(write_bomb, "bomb.png", "at most 50 million pixels"), (write_text, "text.jpg", "text.jpg is not a picture")],
)
def test_a_bomb_and_a_text_are_refused_with_a_message(
    page: Any, tmp_path: Path, write: Any, name: str, said: str
) -> None:
    upload(page, write(tmp_path / name))
    page.locator(".trouble").filter(has_text=said).wait_for(timeout=30_000)
    upload_again = page.locator("button.gallery-item").filter(visible=True).first
    upload_again.click()
    wait_painted(page, "960 × 600 pixels, painted in")


def test_the_webcam_is_painted_as_it_moves(page: Any) -> None:
    tab(page, "Webcam")
    page.get_by_text("Click to Access Webcam").click()
    page.get_by_role("button", name="capture photo").click()
    page.get_by_text("Painted at").filter(visible=True).wait_for(timeout=30_000)
    frames = []
    for _ in range(3):
        frames.append(_webcam(page))
        wait_for(lambda: far(frames[-1], _webcam(page)) > 0, 20, "another frame")
    pick(page, "The Scream")
    wait_for(lambda: far(frames[-1], _webcam(page)) > 15, 30, "another style")


def _webcam(page: Any) -> Any:
    source = page.locator(".stage img").filter(visible=True).get_attribute("src")
    assert source.startswith("data:image/jpeg;base64,")
    return read_picture(base64.b64decode(source.partition(",")[2]))


def test_a_clip_is_trimmed_painted_played_in_step_and_fetched(page: Any, tmp_path: Path) -> None:
    tab(page, "Clip")
    page.get_by_text("640 × 360, 4.0 s.").wait_for()
    page.get_by_label("Length, s").first.fill("1.5")
    page.get_by_role("button", name="Paint the clip").click()
    page.locator(".pair img").first.wait_for(timeout=60_000)  # a frame of what is under way
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
    tab(page, "Clip")
    page.get_by_text("640 × 360, 4.0 s.").wait_for()
    page.get_by_role("button", name="Paint the clip").click()
    stop = page.get_by_role("button", name="Stop").filter(visible=True)
    wait_for(stop.is_enabled, 30, "the Stop button")
    stop.click()
    page.get_by_text("Stopped.").filter(visible=True).wait_for(timeout=30_000)


def test_a_clip_over_the_limit_and_a_text_are_refused_with_a_message(page: Any, tmp_path: Path) -> None:
    tab(page, "Clip")
    page.get_by_text("640 × 360, 4.0 s.").wait_for()
    page.get_by_role("button", name="Clear").filter(visible=True).click()
    upload(page, write_clip(tmp_path / "long.mp4", LONGEST + 2))
    page.get_by_text("At most 4 s are painted at a time").wait_for(timeout=30_000)
    page.get_by_role("button", name="Paint the clip").click()
    page.locator(".trouble").filter(has_text="A clip may be at most 4 s long, and this is 6.0 s").wait_for(
        timeout=30_000
    )
    page.get_by_role("button", name="Clear").filter(visible=True).click()
    upload(page, write_text(tmp_path / "text.mp4"))
    page.locator(".trouble").filter(has_text="text.mp4").wait_for(timeout=30_000)


def test_the_styles_page_shows_each_with_its_credit_scores_and_samples(page: Any) -> None:
    tab(page, "Styles")
    cards = page.locator(".cards article")
    wait_for(lambda: page.locator(".cards img").count() == 2 * cards.count() >= 24, 60, "the samples")
    wave = cards.filter(has_text="The Great Wave")
    for said in ("Katsushika Hokusai", "Public domain", "Content lost", "0.80", "Distance from the paint", "0.67"):
        assert said in wave.inner_text()


def test_whoever_waits_sees_the_place_in_the_queue(demo: Demo, page: Any, visit: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "first.jpg", 4500, 3500))
    stop = page.get_by_role("button", name="Stop").filter(visible=True)
    wait_for(stop.is_enabled, 30, "the Stop button")
    second, _ = visit(demo.url)
    second.get_by_text(re.compile(r"queue: \d+/\d+")).filter(visible=True).first.wait_for(timeout=30_000)
    stop.click()
    wait_painted(second)


def test_nothing_goes_on_for_a_visitor_who_has_left(demo: Demo, visit: Any, tmp_path: Path) -> None:
    first, _ = visit(demo.url)
    wait_painted(first)
    upload(first, write_photo(tmp_path / "first.jpg", 6000, 5000))  # most of a minute
    wait_for(first.get_by_role("button", name="Stop").filter(visible=True).is_enabled, 30, "the Stop button")
    first.context.close()
    second, _ = visit(demo.url)
    wait_painted(second)


@pytest.mark.parametrize("name", ["Photo", "Webcam", "Clip", "Paint slowly", "New style", "Styles"])
def test_nothing_is_wider_than_a_phone(demo: Demo, visit: Any, name: str) -> None:
    page, _ = visit(demo.url, viewport=PHONE)
    wait_painted(page)
    tab(page, name)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
