"""Takes the pictures of the demo in docs/screenshots from a running page: `python -m docs.take_demo_screenshots`.

Needs Chromium, VGG-19's weights (STREAMER_TEST_VGG names a file of them) and a machine that has nothing else to do.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser import browser, write_camera
from tests.demo_page import open_tab as choose
from tests.processes import Demo

HERE = Path(__file__).parent / "screenshots"
VIEWS = {"desktop": ({"width": 1280, "height": 860}, "light"), "phone": ({"width": 390, "height": 844}, "dark")}
TALLEST = {"desktop": 1400, "phone": 2200}  # pixels of a page that is kept
PATIENCE = 120_000  # milliseconds
SLOWLY = 900_000  # milliseconds for what is painted slowly
FAR_ENOUGH = re.compile(r"384 × 240, step [1-9]\d of")


def one_scene(folder: Path) -> Path:
    """A camera that stays where it is, so that both halves of a picture show the same whenever it is taken."""
    width, height, frames = 640, 360, 36
    camera = write_camera(folder / "clip.y4m", (width, height, 24))
    data = camera.read_bytes()
    header = data.index(b"FRAME")
    camera.write_bytes(data[: header + frames * (len(b"FRAME\n") + width * height * 3 // 2)])
    return camera


def photo(page: Any) -> None:
    """The sample as the Great Wave."""
    page.locator(".styles button").filter(has_text="The Great Wave", visible=True).click()
    page.wait_for_timeout(2500)
    page.get_by_text("pixels, painted in").filter(visible=True).first.wait_for(timeout=PATIENCE)


def webcam(page: Any) -> None:
    """A camera that runs."""
    page.get_by_text("Click to Access Webcam").click()
    page.get_by_role("button", name="capture photo").click()
    page.get_by_text("Painted at").filter(visible=True).wait_for(timeout=PATIENCE)
    page.wait_for_timeout(3000)


def clip(page: Any) -> None:
    """A clip that has been painted, one second into it."""
    page.locator(".styles button").filter(has_text="The Starry Night", visible=True).click()
    page.get_by_text("640 × 360, 4.0 s.").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Paint the clip").click()
    page.locator(".pair video").first.wait_for(timeout=PATIENCE)
    page.locator(".pair video").last.evaluate("video => { video.currentTime = 1; }")
    page.wait_for_timeout(1500)


def slowly(page: Any) -> None:
    """Our pair, stopped after a while with what there is then."""
    page.get_by_role("button", name="Paint", exact=True).filter(visible=True).click()
    page.get_by_text(FAR_ENOUGH).wait_for(timeout=SLOWLY)
    page.get_by_role("button", name="Stop").filter(visible=True).click()
    page.get_by_role("button", name="Download").filter(visible=True).and_(page.locator(":enabled")).wait_for(
        timeout=PATIENCE
    )


def new_style(page: Any) -> None:
    """A picture that has been chosen."""
    page.locator("button.gallery-item").filter(visible=True).first.click()
    page.wait_for_timeout(2000)


def styles(page: Any) -> None:
    """All cards with both samples."""
    page.wait_for_function("document.querySelectorAll('.cards img').length >= 24", timeout=PATIENCE)


TABS: dict[str, Callable[[Any], None]] = {
    "Photo": photo,
    "Webcam": webcam,
    "Clip": clip,
    "Paint slowly": slowly,
    "New style": new_style,
    "Styles": styles,
}


def shoot(program: Any, url: str, tab: str, view: str) -> None:
    """Open a tab in a view, have it do its job, and keep what it looks like."""
    viewport, scheme = VIEWS[view]
    context = program.new_context(viewport=viewport, color_scheme=scheme, permissions=["camera"])
    page = context.new_page()
    page.goto(url)
    page.get_by_text("pixels, painted in").filter(visible=True).first.wait_for(timeout=PATIENCE)
    choose(page, tab)
    TABS[tab](page)
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as picture:
        kept = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST[view])))
    kept.save(HERE / f"demo-{tab.lower().replace(' ', '-')}-{view}.jpg", quality=80, optimize=True, progressive=True)
    context.close()


def main() -> None:
    """Take those of the tabs that are named, or all."""
    from playwright.sync_api import sync_playwright

    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        weights = os.environ.get("STREAMER_TEST_VGG")
        demo = Demo(Path(folder), *(["--vgg-weights", weights] if weights else []))
        try:
            with browser(driver, camera=one_scene(Path(folder))) as program:
                for tab in sys.argv[1:] or TABS:
                    for view in VIEWS:
                        shoot(program, demo.url, tab, view)
        finally:
            demo.stop()


if __name__ == "__main__":
    main()
