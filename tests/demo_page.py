"""What tests do on the demo's page, and what they see there. Locators are of what is visible: each tab has its own."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

LONG = 240_000  # ms: TensorFlow may be imported meanwhile


def open_tab(page: Any, name: str, button: str | None = None) -> None:
    """Choose a tab, and wait for one of its buttons."""
    page.get_by_role("tab", name=name, exact=True).click(timeout=LONG)
    if button is not None:
        page.get_by_role("button", name=button, exact=True).filter(visible=True).wait_for(timeout=LONG)


def wait_said(page: Any, said: Any, milliseconds: float = 60_000) -> None:
    """Wait until the page says so, somewhere; said: a text or pattern."""
    page.get_by_text(said).filter(visible=True).first.wait_for(timeout=milliseconds)


def wait_painted(page: Any, size: str = "") -> None:
    """Wait until a picture has been painted, or one of that size."""
    wait_said(page, f"{size} pixels, painted in".lstrip())


def wait_trouble(page: Any, said: str, milliseconds: float = 30_000) -> None:
    """Wait until the page says what went wrong."""
    page.locator(".trouble").filter(has_text=said).filter(visible=True).wait_for(timeout=milliseconds)


def wait_queued(page: Any) -> None:
    """Wait until the page shows a place in the queue."""
    wait_said(page, re.compile(r"queue: \d+/\d+"), 30_000)


def pick(page: Any, title: str) -> None:
    """Choose a style."""
    page.locator(".styles button").filter(has_text=title, visible=True).click()


def upload(page: Any, file: Path, well: int = 0) -> None:
    """Put a file into one of the tab's wells."""
    page.locator(".well").filter(visible=True).nth(well).locator("input[type=file]").set_input_files(file)


def set_number(page: Any, label: str, value: str) -> None:
    """Type into the field of a slider."""
    field = page.get_by_label(f"number input for {label}").filter(visible=True)
    field.fill(value)
    field.press("Tab")


def button(page: Any, name: str) -> Any:
    """The tab's button of that name."""
    return page.get_by_role("button", name=name).filter(visible=True)


def download(page: Any, folder: Path) -> Path:
    """Press the tab's Download, and keep the file under the name that it is given."""
    with page.expect_download() as coming:
        button(page, "Download").click()
    target = folder / coming.value.suggested_filename
    coming.value.save_as(target)
    return target


def shown(page: Any, place: str) -> bytes | None:
    """The picture that is shown inside the page at a place such as ".easel", as a file; None while there is none."""
    picture = page.locator(f"{place} img").filter(visible=True)
    source = picture.first.get_attribute("src") if picture.count() else None
    if source is None or not source.startswith("data:image/jpeg;base64,"):
        return None
    return base64.b64decode(source.partition(",")[2])
