"""The service over HTTP: pages, styles, the browser's sessions, health. A real server and a real client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from streamer.server.pages import OURS
from streamer.styles import StyleLibrary
from tests.serving import Running, offer, serving, wait_for

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "web" / "live"


@pytest.fixture(scope="module")
def server(tiny_library: StyleLibrary) -> Iterator[Running]:
    with serving(tiny_library, pages=PAGES) as running:
        running.until_ready()
        yield running


@pytest.fixture
def client(server: Running) -> httpx.Client:
    return server.client


class Links(HTMLParser):
    """Everything that a page loads or leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action")]


# Pages


@pytest.mark.parametrize("path", ["/", "/watch/studio", "/docs"])
def test_a_page_loads_nothing_from_other_hosts_and_all_that_it_loads_is_there(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy
    links = Links()
    links.feed(page.text)
    assert links.found
    for link in links.found:
        if not link.startswith(("#", "data:")):
            target = page.url.join(link)
            assert target.host == page.url.host
            assert client.get(target).status_code == 200, link


def test_the_page_of_the_documentation_names_no_other_host() -> None:
    for path in OURS.iterdir():
        assert not re.search(r"(https?:)?//[a-z0-9-]+\.", path.read_text()), path.name


def test_the_documentation_is_of_every_route(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in (
        "/api/sessions",
        "/api/sessions/{id}",
        "/whip/{name}",
        "/whep/{name}/{id}",
        "/api/images",
        "/api/jobs",
    ):
        assert path in paths
    assert set(paths["/whip/{name}/{id}"]) == {"patch", "delete", "options"}
    assert "application/sdp" in paths["/whip/{name}"]["post"]["requestBody"]["content"]


def test_static_files_are_asked_for_again_and_found_unchanged(client: httpx.Client) -> None:
    first = client.get("/static/theme.css")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/static/theme.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/static/../pyproject.toml", "/static/%2e%2e/__init__.py", "/docs/..%2fapp.py"])
def test_nothing_outside_the_pages_is_served(server: Running, path: str) -> None:
    assert server.client.get(server.url + path).status_code == 404


def test_without_pages_the_documentation_is_the_page(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library) as running:
        answer = running.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


# Styles


def test_styles_are_listed_with_their_thumbnails(client: httpx.Client) -> None:
    listed = client.get("/api/styles").json()
    assert [style["name"] for style in listed] == ["alpha", "beta", "gamma"]
    assert set(listed[0]) == {"name", "title", "artist", "licence", "scores", "thumbnail"}
    picture = client.get(listed[0]["thumbnail"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")
    kept = client.get(listed[0]["thumbnail"], headers={"If-None-Match": picture.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    assert client.get(listed[1]["thumbnail"]).content != picture.content


def test_an_unknown_style_has_no_thumbnail(client: httpx.Client) -> None:
    answer = client.get("/api/styles/alpah/thumbnail.jpg")
    assert answer.status_code == 422
    assert "Did you mean alpha?" in answer.json()["error"]


# The browser's sessions


def begin(client: httpx.Client, **look: object) -> httpx.Response:
    return client.post("/api/sessions", json={"sdp": offer("sendrecv", channel=True), "look": look})


def test_a_session_begins_changes_and_ends(client: httpx.Client, server: Running) -> None:
    answer = begin(client, style="alpha:0.5,beta:0.5", strength=0.5)
    assert answer.status_code == 201
    told = answer.json()
    assert told["sdp"].startswith("v=0")
    assert told["url"] == answer.headers["location"]
    assert len(told["url"].rpartition("/")[2]) >= 22  # 128 bits
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"])
    assert told["look"] == {"style": "alpha:0.5,beta:0.5", "strength": 0.5, "preserve_color": False}

    changed = client.patch(told["url"], json={"style": "gamma", "preserve_color": True})
    assert changed.json() == {"style": "gamma", "strength": 0.5, "preserve_color": True}
    assert client.get(told["url"]).json()["style"] == "gamma"

    assert client.delete(told["url"]).status_code == 200
    assert client.get(told["url"]).status_code == 404
    assert client.delete(told["url"]).status_code == 404
    assert len(server.peers) == 0


def test_who_asks_for_no_look_gets_a_style_that_is_there(client: httpx.Client) -> None:
    told = client.post("/api/sessions", json={"sdp": offer("sendrecv")}).json()
    assert told["look"]["style"] == "alpha"
    client.delete(told["url"])


def test_candidates_can_follow(client: httpx.Client) -> None:
    answer = begin(client, style="alpha")
    fragment = "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n"
    headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": answer.headers["etag"]}
    url = answer.json()["url"]
    assert client.patch(url, content=fragment, headers=headers).status_code == 204
    client.delete(url)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"style": "nope"}, 422, "Known styles: alpha, beta, gamma"),
        ({"style": "../alpha"}, 422, "no style '../alpha'"),
        ({"style": "alpha:nan"}, 422, "weight"),
        ({"style": ",".join(["alpha"] * 17)}, 422, "at most 16"),
        ({"style": "a" * 513}, 422, "style"),
        ({"strength": 1.5}, 422, "strength"),
        ({"strength": "much"}, 422, "strength"),
        ({"colour": True}, 422, "colour"),
        ([], 422, "look"),
        ("{", 400, "not JSON"),
        ("[" * 15000, 400, "not JSON"),
        ("\ud800", 400, "not JSON"),
    ],
)
def test_a_bad_look_is_refused_and_the_old_one_stays(
    client: httpx.Client, body: object, status: int, says: str
) -> None:
    url = begin(client, style="beta").json()["url"]
    text = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()
    answer = client.patch(url, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert client.get(url).json()["style"] == "beta"
    client.delete(url)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"sdp": "v=0"}', "text/plain", 415),
        (b"{", "application/json", 400),
        (b'{"look": {}}', "application/json", 422),
        (b'{"sdp": 5}', "application/json", 422),
        (b'{"sdp": "\\ud800"}', "application/json", 422),
        (b'{"sdp": "hello"}', "application/json", 422),
        (b'{"sdp": "m=video x"}', "application/json", 400),
        (b'{"sdp": "v=0", "look": {"style": "nope"}}', "application/json", 422),
    ],
)
def test_a_bad_offer_is_refused(client: httpx.Client, server: Running, body: bytes, kind: str, status: int) -> None:
    answer = client.post("/api/sessions", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")
    assert len(server.peers) == 0


def test_beyond_its_capacity_it_says_when_to_come_back(tiny_library: StyleLibrary) -> None:
    from streamer.settings import LiveOptions

    with serving(tiny_library, live_options=LiveOptions(max_sessions=1)) as running:
        running.until_ready()
        first = begin(running.client, style="alpha")
        second = begin(running.client, style="alpha")
        assert (first.status_code, second.status_code) == (201, 503)
        assert int(second.headers["retry-after"]) >= 1
        running.client.delete(first.json()["url"])
        wait_for(lambda: begin(running.client, style="alpha").status_code == 201)


# Operation


def test_metrics_are_prometheus(client: httpx.Client) -> None:
    client.get("/nothing/here")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    for name in ("streamer_sessions", "streamer_batch_size_bucket", "streamer_device_seconds_total", "streamer_jobs"):
        assert f"\n{name}" in text, name
    assert 'streamer_http_requests_total{method="GET",route="-",status="404"}' in text
    assert "nothing/here" not in text


def test_what_is_not_there_says_so_in_json(client: httpx.Client) -> None:
    for path, status in (
        ("/nope", 404),
        ("/api/sessions/none", 404),
        ("/api/jobs/none", 404),
        ("/static/none.js", 404),
    ):
        answer = client.get(path)
        assert answer.status_code == status, path
        assert answer.json()["error"].endswith(".")
    assert client.put("/api/sessions/none").status_code == 405
