"""What browser tests share: a camera clip, a browser, a running service, pages that note what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser import browser, chromium, write_camera
from tests.processes import Service

DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


@dataclass
class Noted:
    """What a page did that it should not have."""

    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chromium()
    return write_camera(tmp_path_factory.mktemp("camera") / "clip.y4m")


@pytest.fixture(scope="module")
def driver(camera: Path) -> Iterator[Any]:
    """Playwright: there can be one of it at a time, and while there is, its event loop keeps others from running."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def program(driver: Any, camera: Path) -> Iterator[Any]:
    """A browser whose camera shows the sample clip."""
    with browser(driver, camera=camera) as running:
        yield running


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's own styles: none."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def service(library: Path, camera: Path) -> Iterator[Service]:
    """A running service, which takes a few visitors however slow the machine is."""
    running = Service(library, "--max-sessions", "8")
    yield running
    running.stop()


@pytest.fixture
def visit(program: Any) -> Iterator[Any]:
    """Opens pages: `visit(url, permitted=True, **context options)` gives a page and what it did wrong."""
    contexts = []

    def opened(url: str, *, permitted: bool = True, **options: Any) -> tuple[Any, Noted]:
        options = {"viewport": DESKTOP, "permissions": ["camera"] if permitted else []} | options
        context = program.new_context(**options)
        contexts.append(context)
        page, noted = context.new_page(), Noted()
        page.on("pageerror", lambda error: noted.errors.append(str(error)))
        page.on("console", lambda said: noted.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda request: noted.hosts.add(urlsplit(request.url).netloc))
        page.goto(url)
        return page, noted

    yield opened
    for context in contexts:
        context.close()
