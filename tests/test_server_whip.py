"""WHIP (RFC 9725) and WHEP: what is sent, and what must come back. The numbers are sections of the RFC."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from streamer.settings import ServeOptions
from streamer.styles import StyleLibrary
from tests.serving import PATIENCE, Running, offer, serving, wait_for

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
CANDIDATE = "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n"
TOKEN = "correct-horse-battery"
ORIGIN = "https://pages.example"
TURN = "turn:user:pass@turn.example:3478?transport=udp"
OPTIONS = ServeOptions(
    port=0, token=TOKEN, cors_origin=(ORIGIN,), ice_server=("stun:stun.example:3478", TURN), rate=1e6
)
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def server(tiny_library: StyleLibrary) -> Iterator[Running]:
    """One that asks for a token and names ICE servers, so that every rule shows."""
    with serving(tiny_library, OPTIONS) as running:
        running.client.headers["Authorization"] = f"Bearer {TOKEN}"
        running.until_ready()
        yield running


@pytest.fixture(scope="module")
def sending() -> str:
    return offer("sendonly", audio="sendonly")


@pytest.fixture(scope="module")
def watching() -> str:
    return offer("recvonly")


names = (f"stream{number}" for number in itertools.count())


@dataclass
class Session:
    """A published stream, and a viewer of it."""

    name: str
    whip: httpx.Response
    whep: httpx.Response


@pytest.fixture
def session(server: Running, sending: str, watching: str) -> Iterator[Session]:
    name = next(names)
    whip = server.client.post(f"/whip/{name}?style=alpha", content=sending, headers={"Content-Type": SDP})
    whep = server.client.post(f"/whep/{name}", content=watching, headers={"Content-Type": SDP})
    assert (whip.status_code, whep.status_code) == (201, 201)
    yield Session(name, whip, whep)
    for answer in (whep, whip):
        server.client.delete(answer.headers["location"])
    wait_for(lambda: len(server.peers) == 0)


# 4.2: POST of an offer


@pytest.mark.parametrize("kind", ["whip", "whep"])
def test_an_offer_is_created_and_answered(session: Session, kind: str) -> None:
    answer: httpx.Response = getattr(session, kind)
    assert answer.headers["content-type"] == SDP
    assert answer.text.startswith("v=0\r\n")
    assert re.fullmatch(rf"/{kind}/{session.name}/[A-Za-z0-9_-]{{22,}}", answer.headers["location"])
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"])
    assert answer.headers["accept-patch"] == FRAGMENT


def test_a_publisher_is_listened_to_and_a_viewer_sent_to(session: Session) -> None:
    assert "a=recvonly" in session.whip.text and "a=sendonly" not in session.whip.text
    assert "a=sendonly" in session.whep.text and "a=recvonly" not in session.whep.text


def test_addresses_cannot_be_guessed(session: Session) -> None:
    keys = {answer.headers["location"].rpartition("/")[2] for answer in (session.whip, session.whep)}
    assert len(keys) == 2 and min(map(len, keys)) >= 22  # characters of 6 bits: 128 bits and more


def test_a_published_stream_is_listed(server: Running, session: Session) -> None:
    assert session.name in [stream["name"] for stream in server.client.get("/api/streams").json()]


# 4.6: STUN and TURN servers


@pytest.mark.parametrize("kind", ["whip", "whep"])
def test_every_ice_server_has_its_link(session: Session, kind: str) -> None:
    links = getattr(session, kind).headers.get_list("link")
    assert links == [
        '<stun:stun.example:3478>; rel="ice-server"',
        '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="user"; credential="pass"; '
        'credential-type="password"',
    ]


def test_a_browser_learns_of_them_before_it_connects(server: Running) -> None:
    assert len(server.client.options("/api/sessions").headers.get_list("link")) == 2


# The table: what is refused, and how


@dataclass(frozen=True)
class Case:
    """A request and the answer to it. In `path`, {whip} and {whep} are the addresses of living sessions."""

    name: str
    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    answer: dict[str, str] = field(default_factory=dict)  # headers, as patterns


SDP_TYPE, FRAGMENT_TYPE = {"Content-Type": SDP}, {"Content-Type": FRAGMENT}
CASES = [
    # 4.2
    Case("another type", "POST", "/whip/new", 415, {"Content-Type": "text/plain"}, "v=0", {"accept-post": SDP}),
    Case("no type", "POST", "/whip/new", 415, {}, "v=0"),
    Case("type with a parameter", "POST", "/whip/new", 422, {"Content-Type": f"{SDP}; charset=utf-8"}, "v=0\r\n"),
    Case("nothing", "POST", "/whip/new", 400, SDP_TYPE),
    Case("no SDP", "POST", "/whip/new", 400, SDP_TYPE, "m=video hello"),
    Case("two videos", "POST", "/whip/new", 422, SDP_TYPE, "{two_videos}"),
    Case("more than three media lines", "POST", "/whip/new", 422, SDP_TYPE, "{four_media}"),
    Case("a viewer's offer", "POST", "/whip/new", 422, SDP_TYPE, "{watching}"),
    Case("too many candidates", "POST", "/whip/new", 400, SDP_TYPE, "{candidates}"),
    Case("more than 128 KiB", "POST", "/whip/new", 413, SDP_TYPE, "v=0\r\n" + "a" * (128 << 10)),
    Case("unknown style", "POST", "/whip/new?style=nope", 422, SDP_TYPE, "{sending}"),
    Case("strength out of bounds", "POST", "/whip/new?strength=2", 422, SDP_TYPE, "{sending}"),
    Case("a bad name", "POST", "/whip/a%20b", 422, SDP_TYPE, "{sending}"),
    Case("a name in use", "POST", "{name}", 409, SDP_TYPE, "{sending}"),
    Case("nobody publishes that", "POST", "/whep/nobody", 404, SDP_TYPE, "{watching}"),
    Case("a publisher's offer to watch", "POST", "{watch_name}", 422, SDP_TYPE, "{sending}"),
    # 4.1, 4.2: methods that are not for this
    *(Case(f"{method} of an endpoint", method, "/whip/new", 405) for method in ("GET", "HEAD", "PUT", "DELETE")),
    *(Case(f"{method} of a session", method, "{whip}", 405) for method in ("GET", "HEAD", "PUT", "POST")),
    # 4.3: trickle ICE
    Case("a candidate", "PATCH", "{whip}", 204, FRAGMENT_TYPE | {"If-Match": "{etag}"}, CANDIDATE),
    Case("a viewer's candidate", "PATCH", "{whep}", 204, FRAGMENT_TYPE | {"If-Match": "{watch_etag}"}, CANDIDATE),
    Case("one of several tags", "PATCH", "{whip}", 204, FRAGMENT_TYPE | {"If-Match": '"no", {etag}'}, CANDIDATE),
    Case("the end of them", "PATCH", "{whip}", 204, FRAGMENT_TYPE | {"If-Match": "{etag}"}, "a=end-of-candidates\r\n"),
    Case("no If-Match", "PATCH", "{whip}", 428, FRAGMENT_TYPE, CANDIDATE),
    Case("a stale tag", "PATCH", "{whip}", 412, FRAGMENT_TYPE | {"If-Match": '"old"'}, CANDIDATE, {"etag": '".+"'}),
    Case("a weak tag", "PATCH", "{whip}", 412, FRAGMENT_TYPE | {"If-Match": "W/{etag}"}, CANDIDATE),
    Case("a restart", "PATCH", "{whip}", 422, FRAGMENT_TYPE | {"If-Match": "*"}, "a=ice-ufrag:new\r\n"),
    Case("a restart by tag", "PATCH", "{whip}", 422, FRAGMENT_TYPE | {"If-Match": "{etag}"}, "a=ice-ufrag:new\r\n"),
    Case("another type", "PATCH", "{whip}", 415, {"If-Match": "{etag}"}, CANDIDATE, {"accept-patch": FRAGMENT}),
    Case("no fragment", "PATCH", "{whip}", 400, FRAGMENT_TYPE | {"If-Match": "{etag}"}, "hello"),
    Case("more than 16 KiB", "PATCH", "{whip}", 413, FRAGMENT_TYPE | {"If-Match": "{etag}"}, "a" * (17 << 10)),
    Case("no such session", "PATCH", "/whip/new/none", 404, FRAGMENT_TYPE | {"If-Match": '"x"'}, CANDIDATE),
    Case("a viewer's session by a publisher's path", "PATCH", "{mixed}", 404, FRAGMENT_TYPE, CANDIDATE),
    # 4.4: the end
    Case("no such session", "DELETE", "/whip/new/none", 404),
    Case("a session of another stream", "DELETE", "{other}", 404),
    # OPTIONS and CORS
    Case("what is taken", "OPTIONS", "/whip/new", 204, {}, "", {"accept-post": SDP, "link": "<stun:.*"}),
    Case("what is taken to watch", "OPTIONS", "/whep/new", 204, {}, "", {"accept-post": SDP, "link": "<stun:.*"}),
    Case("what a session takes", "OPTIONS", "{whip}", 204, {}, "", {"accept-patch": FRAGMENT, "allow": ".*DELETE.*"}),
]


@pytest.fixture(scope="module")
def bodies(sending: str, watching: str) -> dict[str, str]:
    video = sending[sending.index("m=video") :]
    many = "".join(f"a=candidate:{n} 1 udp 2130706431 127.0.0.1 {50000 + n} typ host\r\n" for n in range(33))
    return {
        "sending": sending,
        "watching": watching,
        "two_videos": offer("sendonly", "sendonly"),
        "four_media": sending + 3 * video,
        "candidates": sending + many,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method} {case.name}")
def test_the_table(server: Running, session: Session, bodies: dict[str, str], case: Case) -> None:
    whip, whep = session.whip.headers, session.whep.headers
    fill: dict[str, Any] = bodies | {
        "whip": whip["location"],
        "whep": whep["location"],
        "etag": whip["etag"],
        "watch_etag": whep["etag"],
        "name": f"/whip/{session.name}",
        "watch_name": f"/whep/{session.name}",
        "mixed": whep["location"].replace("/whep/", "/whip/"),
        "other": whip["location"].replace(session.name, "another"),
    }
    body = case.body.format(**fill) if case.body.startswith("{") else case.body
    headers = {name: value.format(**fill) for name, value in case.headers.items()}
    before = len(server.peers)
    answer = server.client.request(case.method, case.path.format(**fill), content=body, headers=headers)
    assert answer.status_code == case.status, answer.text
    for name, pattern in case.answer.items():
        assert re.fullmatch(pattern, answer.headers[name])
    if case.status >= 400 and case.method != "HEAD":
        assert answer.json()["error"].endswith(".")
    wait_for(lambda: len(server.peers) == before)


def test_the_end_of_a_publisher_is_the_end_of_its_viewers(server: Running, session: Session) -> None:
    assert server.client.delete(session.whip.headers["location"]).status_code == 200
    assert session.name not in [stream["name"] for stream in server.client.get("/api/streams").json()]
    wait_for(lambda: len(server.peers) == 0)
    answer = server.client.post(f"/whep/{session.name}", content=offer("recvonly"), headers=SDP_TYPE)
    assert answer.status_code == 404


# 4.5: authentication; 4.7: redirections


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic abc", TOKEN, "Bearer"])
def test_nothing_goes_without_the_token(server: Running, session: Session, method: str, given: str | None) -> None:
    path = "/whip/new" if method == "POST" else session.whip.headers["location"]
    headers = {"Authorization": given} if given else {}
    answer = httpx.request(method, server.url + path, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "link" not in answer.headers


@pytest.mark.parametrize("path", ["/whip/new", "/whep/new", "/whip/new/session", "/api/sessions"])
def test_a_preflight_needs_no_token(server: Running, path: str) -> None:
    headers = PREFLIGHT | {"Access-Control-Request-Headers": "authorization, content-type, if-match"}
    answer = httpx.options(server.url + path, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert {"PATCH", "DELETE", "POST"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert "link" not in answer.headers


def test_other_origins_are_told_nothing(server: Running) -> None:
    answer = httpx.options(server.url + "/whip/new", headers=PREFLIGHT | {"Origin": "https://evil.example"})
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("authorised", [True, False])
def test_a_page_elsewhere_may_read_what_it_needs(server: Running, authorised: bool) -> None:
    headers = {"Origin": ORIGIN} | ({"Authorization": f"Bearer {TOKEN}"} if authorised else {})
    answer = httpx.options(server.url + "/whip/new", headers=headers, timeout=PATIENCE)
    assert answer.status_code == (204 if authorised else 401)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert {"Location", "Link", "ETag"} <= set(answer.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize("path", ["/whip/new/", "/whip//new", "/whip", "/whep/", "/"])
def test_no_redirection_loses_the_body(server: Running, path: str) -> None:
    answer = server.client.post(path, content="v=0", headers=SDP_TYPE)
    assert answer.status_code in (307, 308, 404, 405)
