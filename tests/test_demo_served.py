"""The demo as a guest of `streamer serve`: made at the first visit, on its engine, behind its gate."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from PIL import Image
from starlette.responses import PlainTextResponse

from streamer.settings import ServeOptions
from streamer.styles import StyleLibrary
from tests.demo_files import write_photo
from tests.processes import Service
from tests.serving import Running, serving
from web.demo.lazy import FAILED, LazyPage

TOKEN = "a-token-of-16-ch"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("own"), "--max-sessions", "2")
    yield running
    running.stop()


def test_the_page_is_made_at_the_first_visit_and_painted_on_the_services_engine(
    service: Service, tmp_path: Path
) -> None:
    assert "the demo is there" not in service.log
    away = httpx.get(f"{service.url}demo", follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (307, "/demo/")
    page = httpx.get(f"{service.url}demo/", timeout=90)
    assert page.status_code == 200 and "script-src 'self'" in page.headers["content-security-policy"]
    assert "the demo is there" in service.log
    client = Client(f"{service.url}demo/", verbose=False, download_files=str(tmp_path / "fetched"))
    photo = write_photo(tmp_path / "photo.jpg", 96, 64)
    painted = client.predict(handle_file(photo), "great_wave", api_name="/stylize_image")
    client.close()
    with Image.open(painted) as image:
        assert image.size == (96, 64) and Path(painted).name == "photo.great_wave.jpg"


def test_in_the_browser_it_works_below_its_path_and_shows_the_way_to_the_live_page(
    service: Service, visit: Any
) -> None:
    page, noted = visit(f"{service.url}demo/")
    page.get_by_text("960 × 600 pixels, painted in").wait_for(timeout=90_000)
    page.get_by_role("tab", name="Webcam").click()
    assert page.locator("a.live-link").get_attribute("href") == "/"
    assert noted.hosts == {service.url.split("/")[2]}


def test_an_open_page_does_not_keep_the_service(service: Service, visit: Any) -> None:
    """The last test that needs the service: it ends here."""
    page, _ = visit(f"{service.url}demo/")
    page.get_by_text("pixels, painted in").first.wait_for(timeout=90_000)
    service.stop()
    log = service.log.partition("shutdown begins")[2]
    assert "closed" in log and "Cancel" not in log and "Traceback" not in log


async def guest(scope: Any, receive: Any, send: Any) -> None:
    """A page that says where it is."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    await PlainTextResponse(f"{scope['root_path']} {scope['path']}")(scope, receive, send)


@pytest.fixture
def closed(tiny_library: StyleLibrary) -> Iterator[Running]:
    """A service that needs a token, with a guest."""
    with serving(tiny_library, ServeOptions(port=0, token=TOKEN, rate=1e6), demo=LazyPage(lambda: guest)) as running:
        yield running


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"me:{password}".encode()).decode()}


def test_behind_a_token_browsers_ask_for_it_as_a_password(closed: Running) -> None:
    refused = closed.client.get("/demo/")
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == 'Basic realm="Streamer"'
    assert closed.client.get("/demo/x", headers=basic(TOKEN)).text == "/demo /demo/x"
    assert closed.client.get("/demo/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in (basic("another-token-16"), basic(""), {"Authorization": "Basic !!"}, {"Authorization": "Basic"}):
        assert closed.client.get("/demo/", headers=wrong).status_code == 401


def test_the_password_opens_nothing_else(closed: Running) -> None:
    refused = closed.client.get("/api/styles", headers=basic(TOKEN))
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"


def test_a_password_that_browsers_send_by_themselves_is_no_use_to_other_pages(closed: Running) -> None:
    elsewhere = basic(TOKEN) | {"Origin": "https://attacker.example"}
    assert closed.client.post("/demo/gradio_api/queue/join", headers=elsewhere, json={}).status_code == 403
    here = basic(TOKEN) | {"Origin": closed.url}
    assert closed.client.post("/demo/gradio_api/queue/join", headers=here, json={}).status_code == 200


def test_a_page_that_cannot_be_made_takes_nothing_with_it(tiny_library: StyleLibrary) -> None:
    def fail() -> Any:
        raise RuntimeError("no page today")

    with serving(tiny_library, demo=LazyPage(fail)) as running:
        answer = running.client.get("/demo/")
        assert answer.status_code == 503 and answer.json() == {"error": FAILED}
        assert running.client.get("/healthz").status_code == 200
