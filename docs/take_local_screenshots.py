"""Takes the pictures of the page that paints on the visitor's device: `python -m docs.take_local_screenshots`.

Needs Chromium, `make web`, and a machine that has nothing else to do: the figures on the pictures are real.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser import browser, write_camera
from tests.browser_fixtures import DESKTOP, PHONE
from tests.local_pages import wait_painted
from tests.processes import Service

HERE = Path(__file__).parent / "screenshots"
SHOTS = {  # name: viewport, scheme, style, whether the camera runs
    "local-desktop-light": (DESKTOP, "light", "starry_night", False),
    "local-desktop-dark-live": (DESKTOP, "dark", "great_wave", True),
    "local-phone-light-live": (PHONE, "light", "great_wave", True),
    "local-phone-dark": (PHONE, "dark", "mosaic", False),
}
SETTLED = 6000  # milliseconds
# Chromium calls a camera that is a file by the file's path.
NAME_CAMERA = """navigator.mediaDevices.enumerateDevices =
    async () => [{kind: "videoinput", deviceId: "one", label: "Studio camera"}]"""


def shoot(program: Any, url: str, name: str) -> None:
    """Open the page as SHOTS says, and keep what it looks like."""
    viewport, scheme, style, is_live = SHOTS[name]
    context = program.new_context(viewport=viewport, color_scheme=scheme, permissions=["camera"])
    context.add_init_script(NAME_CAMERA)
    page = context.new_page()
    page.goto(f"{url}local")
    wait_painted(page)
    page.locator(f'#gallery .thumb[data-style="{style}"]').click()
    if is_live:
        page.locator("#side").select_option("480")
        page.get_by_role("button", name="Start camera").click()
        page.locator('#status[data-state="live"]').wait_for()
        page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(SETTLED)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(HERE / f"{name}.jpg", quality=82, optimize=True, progressive=True)
    context.close()


def main() -> None:
    """Take all of them."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        service = Service(Path(folder), "--max-sessions", "1")
        try:
            camera = write_camera(Path(folder) / "clip.y4m", (640, 360, 24))
            with browser(driver, camera=camera) as program:
                for name in SHOTS:
                    shoot(program, service.url, name)
        finally:
            service.stop()


if __name__ == "__main__":
    main()
