"""What strangers cannot do: other hosts' names, other origins, too many requests, bodies too large or too slow."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from streamer.errors import BadOption
from streamer.server import gate
from streamer.server.limits import MAX_FRAGMENT, MAX_JSON, MAX_SDP, Rates
from streamer.settings import ServeOptions
from streamer.styles import StyleLibrary
from tests.serving import Running, serving

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def server(tiny_library: StyleLibrary) -> Iterator[Running]:
    with serving(tiny_library, ServeOptions(port=0, rate=1e6, max_upload=1)) as running:
        yield running


# Hosts and origins


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{port}", 200),
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_a_service_of_one_machine_answers_to_its_names_alone(server: Running, host: str, status: int) -> None:
    port = server.url.rpartition(":")[2]
    assert server.client.get("/healthz", headers={"Host": host.format(port=port)}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"), [("{url}", 404), (None, 404), ("https://evil.example", 403), ("null", 403), ("http://[", 403)]
)
def test_pages_of_other_origins_cannot_change_anything(server: Running, origin: str | None, status: int) -> None:
    headers = {"Origin": origin.format(url=server.url)} if origin else {}
    assert server.client.delete("/api/jobs/none", headers=headers).status_code == status


def test_an_allowed_origin_and_its_host_are_let_in(tiny_library: StyleLibrary) -> None:
    options = ServeOptions(port=0, cors_origin=("https://studio.example",))
    with serving(tiny_library, options) as running:
        headers = {"Origin": "https://studio.example", "Host": "studio.example"}
        assert running.client.delete("/api/jobs/none", headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/docs", "/openapi.json", "/watch/x", "/static/x.js"])
def test_pages_and_probes_are_open(path: str) -> None:
    assert gate.is_open(path)


@pytest.mark.parametrize("path", ["/metrics", "/api/styles", "/api/streams", "/whip/x", "/whep/x", "/docsx", "//"])
def test_all_else_is_not(path: str) -> None:
    assert not gate.is_open(path)


def test_a_token_opens_what_is_closed(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library, ServeOptions(port=0, token=TOKEN)) as running:
        for path in ("/metrics", "/api/styles", "/api/streams", "/nope"):
            assert running.client.get(path).status_code == 401
        for scheme in ("Bearer", "bearer"):
            answer = running.client.get("/api/styles", headers={"Authorization": f"{scheme} {TOKEN}"})
            assert answer.status_code == 200
        odd = running.client.get("/api/styles", headers={"Authorization": b"Bearer \xff\xfe"})
        assert odd.status_code == 401
        elsewhere = {"Authorization": f"Bearer {TOKEN}", "Host": "anything.example", "Origin": "null"}
        assert running.client.delete("/api/jobs/none", headers=elsewhere).status_code == 404


# Sizes and times


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/api/images", 1 << 20),
        ("POST", "/api/jobs", 1 << 20),
        ("POST", "/api/sessions", MAX_JSON),
        ("POST", "/whip/x", MAX_SDP),
        ("PATCH", "/api/sessions/x", MAX_FRAGMENT),
        ("DELETE", "/api/jobs/x", MAX_FRAGMENT),
    ],
)
def test_a_body_is_refused_by_its_length_alone(server: Running, method: str, path: str, limit: int) -> None:
    assert gate.body_limit(method, path, 1 << 20) == limit
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {limit + 1}\r\n\r\n"
    assert exchange(server, head.encode()).startswith(b"HTTP/1.1 413 ")  # nothing of it had to be sent


@pytest.mark.parametrize("path", ["/api/images", "/whip/x", "/api/sessions"])
def test_a_body_of_unknown_length_is_counted(server: Running, path: str) -> None:
    kinds = {"/api/images": "image/png", "/whip/x": "application/sdp", "/api/sessions": "application/json"}
    parts = (b"x" * 65536 for _ in range(20))
    answer = server.client.post(path, content=parts, headers={"Content-Type": kinds[path]})
    assert answer.status_code == 413
    assert server.jobs.counts() == dict.fromkeys(server.jobs.counts(), 0)


def test_a_body_that_does_not_come_is_given_up(tiny_library: StyleLibrary) -> None:
    head = (
        b"POST /whip/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 100\r\n\r\nv=0"
    )
    with serving(tiny_library, body_time=0.3) as running:
        assert exchange(running, head).startswith(b"HTTP/1.1 408 ")


def exchange(server: Running, request: bytes) -> bytes:
    """Send bytes as they are, and read until the other side closes or says no more for a while."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536)


# Rates


def test_a_client_that_asks_too_often_is_told_when_to_come_back(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library, ServeOptions(port=0, rate=1.0)) as running:
        statuses = [running.client.post("/whip/x") for _ in range(4)]
        assert statuses[0].status_code == 415
        assert statuses[-1].status_code == 429
        assert int(statuses[-1].headers["retry-after"]) >= 1
        assert running.client.get("/healthz").status_code == 200


def test_rates_by_the_clock() -> None:
    now = [0.0]
    rates = Rates(10.0, lambda: now[0])
    assert [rates.take("a", 5) for _ in range(8)] == [0.0] * 8  # four seconds' worth
    assert rates.take("a", 5) == pytest.approx(0.5)
    assert rates.take("b", 5) == 0.0
    now[0] = 0.5
    assert rates.take("a", 5) == 0.0
    now[0] = 1e6
    assert [rates.take("a", 40), rates.take("a", 1) > 0] == [0.0, True]  # no more is saved up than that


def test_a_network_of_ipv6_is_one_client_and_the_table_has_an_end() -> None:
    rates = Rates(1.0, lambda: 0.0)
    assert rates.take("2001:db8::1", 8) == 0.0
    assert rates.take("2001:db8::2", 8) > 0
    for number in range(5000):
        rates.take(f"10.0.{number // 256}.{number % 256}", 8)
    assert rates.take("2001:db8::1", 8) == 0.0  # forgotten


# Options


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"host": "0.0.0.0"}, "--token, or say --insecure"),
        ({"host": "192.168.1.5"}, "--token, or say --insecure"),
        ({"host": "example.org"}, "--token, or say --insecure"),
        ({"token": "short"}, "12 to 512"),
        ({"token": "with a space in it"}, "no space"),
        ({"ssl_certfile": "a.pem"}, "need each other"),
        ({"ssl_keyfile": "a.pem"}, "need each other"),
        ({"ice_server": ("http://x",)}, "--ice-server must be"),
        ({"ice_server": ("stun:x:99999",)}, "--ice-server must be"),
        ({"ice_server": ("turn:turn.example",)}, "needs USER:PASSWORD@"),
        ({"ice_server": ("stun:user:secret@host",)}, "takes none"),
        ({"cors_origin": ("*",)}, "--cors-origin must be"),
        ({"cors_origin": ("https://a.example/path",)}, "--cors-origin must be"),
        ({"port": 70000}, "from 0 to 65535"),
    ],
)
def test_options_that_would_leave_the_door_open_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(BadOption) as caught:
        ServeOptions(**options)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.8.8.8"])
def test_loopback_needs_no_token(host: str) -> None:
    assert ServeOptions(host=host).token is None


def test_a_token_or_a_word_opens_the_service() -> None:
    assert ServeOptions(host="0.0.0.0", token=TOKEN).host == "0.0.0.0"
    assert ServeOptions(host="0.0.0.0", insecure=True).token is None


def test_an_ice_server_as_browsers_take_it() -> None:
    stun, turn = ServeOptions(ice_server=("stun:[::1]:3478", "turns:me:s3cret@t.example?transport=tcp")).ice_servers
    assert stun.for_browsers() == {"urls": "stun:[::1]:3478"}
    assert turn.for_browsers() == {"urls": "turns:t.example?transport=tcp", "username": "me", "credential": "s3cret"}


def test_a_request_has_its_headers_whatever_the_answer(server: Running) -> None:
    for answer in (server.client.get("/healthz"), server.client.get("/nope"), server.client.post("/api/images")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_a_service_that_is_on_its_way_down_takes_nothing_new(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library) as running:
        running.parts.health.is_draining = True
        answer = running.client.post("/api/images", content=b"x", headers={"Content-Type": "image/png"})
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
        assert running.client.get("/readyz").status_code == 503
        assert running.client.get("/healthz").status_code == 200
