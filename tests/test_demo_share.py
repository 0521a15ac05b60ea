"""The demo with --share, opened through the public address: a tunnel is there, and so are the limits for strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]
from PIL import Image

from tests import tunnel
from tests.demo_files import write_bomb, write_clip, write_photo
from tests.demo_page import button, upload, wait_painted, wait_queued
from tests.processes import Demo, wait_for
from web.demo.tunnel import public


@dataclass
class Shared:
    """A page that is shared, and where strangers find it."""

    demo: Demo
    url: str
    folder: Path  # of the tunnel


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("tunnel")
    demo = Demo(tmp_path_factory.mktemp("own"), "--share", environment=tunnel.install(folder))
    try:
        told = wait_for(lambda: re.search(r"for a week at most: (\S+)", demo.log), 60, "an address", lambda: demo.log)
        yield Shared(demo, told[1] + "/", folder)
    finally:
        demo.stop()


@pytest.fixture(scope="module")
def stranger(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    connected = Client(shared.url, verbose=False, download_files=str(tmp_path_factory.mktemp("fetched")))
    yield connected
    connected.close()


def test_the_tunnel_is_asked_for_as_gradio_asks(shared: Shared) -> None:
    called = tunnel.arguments(shared.folder)
    port = shared.demo.url.rstrip("/").rpartition(":")[2]
    assert called[0] == "http" and called[called.index("-l") + 1] == port
    assert called[called.index("-i") + 1] == "127.0.0.1"
    assert len(called[called.index("-n") + 1]) >= 32  # the secret that makes the address ours
    assert called[called.index("--server_addr") + 1] == "127.0.0.1:7000"
    assert not Path(".gradio").exists()


def test_browsers_are_sent_where_they_give_a_camera() -> None:
    assert public("http://a1b2.gradio.live", None) == "https://a1b2.gradio.live"
    assert public("http://127.0.0.1:5000", "127.0.0.1:7000") == "http://127.0.0.1:5000"


def test_a_stranger_sees_a_painting_and_their_place_in_the_queue(shared: Shared, visit: Any, tmp_path: Path) -> None:
    first, noted = visit(shared.url)
    wait_painted(first)
    assert noted.hosts == {shared.url.split("/")[2]}
    upload(first, write_photo(tmp_path / "large.jpg", 4500, 3500))
    wait_for(button(first, "Stop").is_enabled, 30, "the Stop button")
    second, _ = visit(shared.url)
    wait_queued(second)
    button(first, "Stop").click()
    wait_painted(second)


def test_a_stranger_gets_a_picture_and_less_than_at_home(stranger: Client, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.jpg", 200, 120)
    painted = Path(stranger.predict(handle_file(photo), "great_wave", api_name="/stylize_image"))
    with Image.open(painted) as image:
        assert image.size == (200, 120) and painted.name == "photo.great_wave.jpg"
    with pytest.raises(AppError, match="at most 25 million pixels"):
        stranger.predict(handle_file(write_bomb(tmp_path / "b.png", 6000)), "mosaic", api_name="/stylize_image")
    clip = write_clip(tmp_path / "long.mp4", 62, rate=2)
    with pytest.raises(AppError, match="at most 60 s long, and this is 62.0 s"):
        stranger.predict(handle_file(clip), "mosaic", api_name="/stylize_video")


def test_a_file_beyond_the_limit_is_refused(shared: Shared) -> None:
    answer = httpx.post(
        f"{shared.url}gradio_api/upload", files={"files": ("big.png", bytes((64 << 20) + (128 << 10)))}, timeout=60
    )
    assert answer.status_code == 413 and "at most 64 MiB" in answer.text


def test_a_stranger_trains_nothing_and_finds_no_live_page(shared: Shared) -> None:
    config = httpx.get(f"{shared.url}config", timeout=30).json()
    said = str([each["props"].get("value") for each in config["components"]])
    assert "New styles cannot be learnt on this page" in said and "Learn this style" not in said


@pytest.mark.parametrize(
    "path", ["file=/etc/passwd", "file=pyproject.toml", "file=/proc/self/environ", "proxy=http://x/"]
)
def test_a_stranger_reads_no_file_of_the_machine(shared: Shared, path: str) -> None:
    assert httpx.get(f"{shared.url}gradio_api/{path}", timeout=30).status_code in (403, 404)


def test_another_visitors_result_cannot_be_guessed(shared: Shared, stranger: Client, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "mine.jpg", 64, 48)
    places: list[str] = []
    with httpx.Client(base_url=shared.url, timeout=60) as client:
        with photo.open("rb") as file:
            (sent,) = client.post("gradio_api/upload", files={"files": file}).json()
        data = [{"path": sent, "meta": {"_type": "gradio.FileData"}}, "mosaic", 1, False, ""]
        event = client.post("gradio_api/call/stylize_image", json={"data": data}).json()["event_id"]
        places += re.findall(r'"path": "([^"]+)"', client.get(f"gradio_api/call/stylize_image/{event}").text)
        assert client.get(f"gradio_api/file={places[0]}").status_code == 200
        folder = places[0].rpartition("/")[0]
        assert len(folder.rpartition("/")[2]) >= 22  # 128 bits and more
        assert client.get(f"gradio_api/file={folder}").status_code in (403, 404)
        assert client.get(f"gradio_api/file={folder.rpartition('/')[0]}/x/mine.mosaic.jpg").status_code in (403, 404)


def test_what_may_wait_is_bounded(shared: Shared, tmp_path: Path) -> None:
    """The queue holds 24; whoever comes beyond that is told so."""
    photo = write_photo(tmp_path / "large.jpg", 4000, 3000)
    with httpx.Client(base_url=shared.url, timeout=60) as client:
        with photo.open("rb") as file:
            (sent,) = client.post("gradio_api/upload", files={"files": file}).json()
        data = [{"path": sent, "meta": {"_type": "gradio.FileData"}}, "mosaic", 1, False, ""]
        answers = [client.post("gradio_api/call/stylize_image", json={"data": data}) for _ in range(28)]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert 2 <= len(refused) <= 4 and "full" in refused[0].text


def test_the_tunnel_ends_with_the_page_and_nothing_is_said_of_it(shared: Shared) -> None:
    """The last test that needs the page: it ends here, while somebody's picture is being painted."""
    assert httpx.get(shared.url, timeout=30).status_code == 200
    assert shared.demo.stop() == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(shared.url, timeout=5)
    assert "Killing" not in shared.demo.log, shared.demo.log
    assert "Traceback" not in shared.demo.log, shared.demo.log
