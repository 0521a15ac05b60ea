"""What the page says and does when something is wrong: plain words, the next step, and by itself what it can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browser, go_live, wait_flowing, wait_live
from tests.processes import Service, wait_for

TOKEN = "a-token-for-tests-only"


def notice(page: Any, code: str, seconds: float = 20) -> str:
    """Wait for the card that tells of a problem, and return what it says."""
    card = page.locator(f'#notice[data-code="{code}"]:not([hidden])')
    card.wait_for(timeout=1000 * seconds)
    assert card.get_attribute("role") == "alert"
    return str(card.inner_text())


@contextmanager
def serving(library: Path, *options: str, port: int = 0) -> Iterator[Service]:
    running = Service(library, *options, port=port)
    try:
        yield running
    finally:
        running.stop()


def test_camera_refused(visit: Any, service: Service):
    page, _ = visit(service.url, permitted=False)
    page.get_by_role("button", name="Start camera").click()
    said = notice(page, "camera-refused")
    assert "not allowed" in said and "Allow" in said
    assert page.get_by_role("button", name="Use a video file").is_visible()
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Try again").click()
    wait_live(page)
    assert not page.locator("#notice").is_visible()


def test_no_camera(driver: Any, service: Service):
    with browser(driver) as without:
        page = without.new_context(permissions=["camera"]).new_page()
        page.goto(service.url)
        page.get_by_role("button", name="Start camera").click()
        assert "Plug one in" in notice(page, "camera-missing")
        assert page.get_by_role("button", name="Share the screen").is_visible()


def test_insecure_origin(driver: Any, library: Path, camera: Path):
    with (
        serving(library, "--cors-origin", "http://studio.example") as far_away,
        browser(driver, "--host-resolver-rules=MAP studio.example 127.0.0.1", camera=camera) as program,
    ):
        page = program.new_page()
        page.goto(f"http://studio.example:{far_away.port}/")
        page.get_by_role("button", name="Start camera").click()
        said = notice(page, "insecure")
        assert "https" in said and "localhost" in said
        page.get_by_role("button", name="Open on localhost").click()
        page.wait_for_url(far_away.url)


def test_token_is_asked_for_and_kept(visit: Any, library: Path):
    with serving(library, "--token", TOKEN) as guarded:
        page, _ = visit(guarded.url)
        assert "token" in notice(page, "token")
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.locator("#gallery .thumb").first.wait_for()
        wait_for(
            lambda: page.locator("#gallery img").evaluate_all("all => all.every(one => one.naturalWidth > 0)"),
            20,
            "thumbnails",
        )
        go_live(page)
        page.reload()
        page.locator("#gallery .thumb").first.wait_for()
        page.goto("about:blank")
        other, _ = visit(f"{guarded.url}#token={TOKEN}")
        other.locator("#gallery .thumb").first.wait_for()
        assert TOKEN not in other.url


def test_network_lost_and_back(visit: Any, service: Service):
    page, _ = visit(service.url)
    page.locator("#gallery .thumb").first.wait_for()
    page.context.set_offline(True)
    page.get_by_role("button", name="Start camera").click()
    assert "by itself" in notice(page, "network-lost")
    page.context.set_offline(False)
    wait_live(page)


@pytest.mark.timeout(300)
def test_reconnects_after_a_restart(visit: Any, library: Path, camera: Path):
    first = Service(library)
    try:
        page, _ = visit(first.url)
        go_live(page)
        page.locator('#gallery .thumb[data-style="great_wave"]').click()
    finally:
        first.stop()
    assert "keeps trying" in notice(page, "server-gone", 30)
    assert page.locator("#status").inner_text().startswith("Reconnecting")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or "") if request.method == "POST" else None)
    with serving(library, port=first.port):
        wait_live(page, 60)
        assert not page.locator("#notice").is_visible()
        assert any('"style":"great_wave"' in body for body in asked)  # where it was
        wait_flowing(page, "after")


def test_a_full_server_lets_people_wait(visit: Any, library: Path):
    with serving(library, "--max-sessions", "1") as small:
        first, _ = visit(small.url)
        go_live(first)
        second, _ = visit(small.url)
        second.get_by_role("button", name="Start camera").click()
        assert "in line" in notice(second, "server-full")
        first.get_by_role("button", name="Stop").click()
        wait_live(second, 40)
