"""The live page painting on the visitor's device, beside the service in a real Chromium; and its way back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser import far, go_live, grab, wait_flowing, wait_live
from tests.local_pages import need_runtime, troubles, wait_painted
from tests.processes import Service, wait_for


@pytest.fixture(autouse=True)
def runtime() -> None:
    need_runtime()


def place(page: Any, where: str) -> None:
    page.locator("#place").select_option(where)


def painter(page: Any) -> str:
    return str(page.locator("#painter").inner_text())


def sessions(page: Any) -> list[str]:
    """Fills with the requests that make, change or end sessions on the server."""
    made: list[str] = []
    page.on("request", lambda request: made.append(request.method) if "/api/sessions" in request.url else None)
    return made


def test_the_live_page_paints_on_this_device_without_a_session(visit: Any, service: Service) -> None:
    page, noted = visit(service.url)
    made = sessions(page)
    place(page, "device")
    go_live(page)
    wait_for(lambda: painter(page).startswith("WASM"), 20, "the device's name")
    wait_for(lambda: page.locator("#fps-out").inner_text() not in ("–", "0"), 20, "frames a second")
    assert far(grab(page, "before"), grab(page, "after")) > 15
    before = grab(page, "after")
    page.locator('#gallery .thumb[data-style="starry_night"]').click()
    wait_for(lambda: far(grab(page, "after"), before) > 20, 20, "the other style")
    assert made == [] and troubles(noted.errors) == []


def test_one_changes_over_while_it_runs_and_back(visit: Any, service: Service) -> None:
    page, _ = visit(service.url)
    place(page, "server")
    go_live(page)
    wait_for(lambda: painter(page) == "the server", 20, "the server's figures")
    made = sessions(page)
    place(page, "device")
    wait_for(lambda: painter(page).startswith("WASM"), 30, "the device's figures")
    wait_flowing(page, "after")
    assert "DELETE" in made  # the place on the server is free
    place(page, "server")
    wait_for(lambda: painter(page) == "the server", 30, "the server's figures")


def test_what_cannot_be_had_on_the_device_is_painted_by_the_server(visit: Any, service: Service) -> None:
    page, _ = visit(service.url)
    page.route("**/static/runtime/**", lambda route: route.abort())
    place(page, "device")
    page.get_by_role("button", name="Start camera").click()
    page.get_by_text("The server paints instead.").wait_for(timeout=30_000)
    wait_live(page)
    wait_for(lambda: painter(page) == "the server", 20, "the server's figures")
    assert page.locator("#place").input_value() == "server"


def test_a_full_server_offers_the_device(visit: Any, service: Service) -> None:
    page, _ = visit(service.url)
    full = '{"error": "All places are taken."}'
    page.route(
        "**/api/sessions", lambda route: route.fulfill(status=503, body=full) if is_offer(route) else route.continue_()
    )
    place(page, "server")
    page.get_by_role("button", name="Start camera").click()
    page.get_by_role("button", name="Paint on this device").click(timeout=20_000)
    wait_live(page)
    wait_for(lambda: painter(page).startswith("WASM"), 20, "the device's name")


def is_offer(route: Any) -> bool:
    return bool(route.request.method == "POST")


def test_the_services_own_page_is_isolated_and_has_threads(visit: Any, service: Service) -> None:
    page, noted = visit(f"{service.url}local")
    wait_painted(page)
    assert page.evaluate("crossOriginIsolated")
    if (os.cpu_count() or 1) > 1:
        assert "threads" in painter(page)
    page.get_by_role("link", name="On the server").click()
    page.get_by_role("button", name="Start camera").wait_for()
    assert page.locator("#place").is_visible() and troubles(noted.errors) == []


def test_a_page_itself_may_not_compile(visit: Any, service: Service) -> None:
    page, _ = visit(f"{service.url}local")
    smallest = "new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))"
    said = page.evaluate(f"(() => {{ try {{ {smallest}; return ''; }} catch (error) {{ return error.name; }} }})()")
    assert said == "CompileError"


def test_a_token_is_asked_for_and_kept(visit: Any, library: Path) -> None:
    token = "correct-horse-battery"
    guarded = Service(library, "--max-sessions", "1", "--token", token)
    try:
        page, _ = visit(f"{guarded.url}local")
        page.get_by_text("This server asks for its token").wait_for(timeout=20_000)
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Continue").click()
        wait_painted(page)
        loaded = "all => all.length > 0 && all.some(one => one.naturalWidth > 0)"
        wait_for(lambda: page.locator("#gallery img").evaluate_all(loaded), 20, "thumbnails")
    finally:
        guarded.stop()
