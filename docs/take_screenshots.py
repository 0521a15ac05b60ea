"""Takes the pictures of the live page in docs/screenshots from a running service: `python -m docs.take_screenshots`.

Needs Chromium and a machine that has nothing else to do: the figures on the pictures are real.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser import browser, go_live, write_camera
from tests.processes import Service

HERE = Path(__file__).parent / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SHOTS = {  # name: viewport, scheme, style, whether the camera runs
    "page-desktop-light": (DESKTOP, "light", "mosaic", False),
    "page-desktop-dark-live": (DESKTOP, "dark", "great_wave", True),
    "page-phone-light-live": (PHONE, "light", "great_wave", True),
    "page-phone-dark": (PHONE, "dark", "mosaic", False),
}
# Chromium calls a camera that is a file by the file's path.
NAME_CAMERA = """navigator.mediaDevices.enumerateDevices =
    async () => [{kind: "videoinput", deviceId: "one", label: "Studio camera"}]"""


def shoot(program: Any, url: str, name: str) -> None:
    """Open the page as SHOTS says, and keep what it looks like."""
    viewport, scheme, style, is_live = SHOTS[name]
    context = program.new_context(viewport=viewport, color_scheme=scheme, permissions=["camera"])
    context.add_init_script(NAME_CAMERA)
    page = context.new_page()
    page.goto(url)
    page.locator(f'#gallery .thumb[data-style="{style}"]').click()
    page.locator(f'#idle-after[data-style="{style}"]').wait_for()
    if is_live:
        go_live(page)
        page.wait_for_timeout(8000)  # until the figures have settled
    page.wait_for_timeout(1000)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(HERE / f"{name}.jpg", quality=82, optimize=True, progressive=True)
    context.close()


def main() -> None:
    """Take all of them."""
    from playwright.sync_api import sync_playwright

    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        service = Service(Path(folder), "--max-sessions", "4")
        try:
            camera = write_camera(Path(folder) / "clip.y4m", (640, 360, 24))
            with browser(driver, camera=camera) as program:
                for name in SHOTS:
                    shoot(program, service.url, name)
        finally:
            service.stop()


if __name__ == "__main__":
    main()
