"""Malformed bodies and requests: none is answered with a 5xx that is ours, none leaves a peer, a job or a file behind.

FUZZ_CASES=2000 runs as many of them as a release is given; `make test` takes fewer, from the same fixed seed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from streamer.settings import ServeOptions
from streamer.styles import StyleLibrary
from tests.serving import Running, offer, serving, wait_for

SEED = 20251122
COUNT = int(os.environ.get("FUZZ_CASES", "300"))
SDP, FRAGMENT, JSON = "application/sdp", "application/trickle-ice-sdpfrag", "application/json"


@pytest.fixture(scope="module")
def server(tiny_library: StyleLibrary) -> Iterator[Running]:
    options = ServeOptions(port=0, rate=1e6, max_upload=1)
    # Handshakes may take for ever: what is left behind stays to be seen.
    with serving(tiny_library, options, body_time=1.0, handshake_within=1e6) as running:
        running.until_ready()
        yield running


@pytest.fixture(scope="module")
def offers() -> list[str]:
    return [offer("sendonly", audio="sendonly"), offer("recvonly"), offer("sendrecv", channel=True)]


def spoiled(text: str, dice: random.Random) -> bytes:
    """A text with something wrong in it."""
    lines = text.splitlines()
    data = text.encode()
    ways: list[Callable[[], bytes]] = [
        lambda: data[: dice.randrange(len(data))],
        lambda: "\r\n".join(line for line in lines if dice.random() < 0.9).encode(),
        lambda: "\r\n".join(dice.sample(lines, len(lines))).encode(),
        lambda: "\r\n".join(line * dice.choice((1, 1, 1, 2)) for line in lines).encode(),
        lambda: bytes(byte if dice.random() < 0.98 else dice.randrange(256) for byte in data),
        lambda: text.replace(dice.choice("0123456789"), dice.choice(("-1", "99999999999999999999", "", "x"))).encode(),
        lambda: text.replace(":", dice.choice((": ", "::", "", "\0"))).encode(),
        lambda: (text + text).encode(),
        lambda: dice.randbytes(dice.randrange(2000)),
        lambda: text.encode("utf-16"),
        lambda: text.replace("a=", dice.choice(("b=", "a= ", "=", "\u2028a="))).encode(),
    ]
    return dice.choice(ways)()


def bad_json(sdp: str, dice: random.Random) -> bytes:
    """JSON that is no session's, or no JSON."""
    odd: tuple[object, ...] = (
        None,
        [],
        {},
        "x" * dice.randrange(700),
        1e308,
        -1,
        True,
        "\ud800",
        "../../etc/passwd",
        float("nan"),
    )
    look = {dice.choice(("style", "strength", "preserve_color", "x")): dice.choice(odd)}
    bodies = ({"sdp": dice.choice(odd)}, {"sdp": sdp, "look": look}, {"sdp": sdp, "look": dice.choice(odd)}, odd[0])
    text = json.dumps(dice.choice(bodies))
    return spoiled(text, dice) if dice.random() < 0.5 else text.encode()


@pytest.fixture
def living(server: Running, offers: list[str]) -> Iterator[dict[str, str]]:
    """Addresses of a publisher and of a browser's session, and their entity tags."""
    whip = server.client.post("/whip/living?style=alpha", content=offers[0], headers={"Content-Type": SDP})
    loop = server.client.post("/api/sessions", json={"sdp": offers[2], "look": {"style": "alpha"}})
    assert (whip.status_code, loop.status_code) == (201, 201)
    yield {answer.headers["location"]: answer.headers["etag"] for answer in (whip, loop)}
    for answer in (whip, loop):
        server.client.delete(answer.headers["location"])
    wait_for(lambda: len(server.peers) == 0)


def request(dice: random.Random, offers: list[str], living: dict[str, str]) -> httpx.Request:
    """A request that hardly anybody should send."""
    sdp = dice.choice(offers)
    (whip, whip_tag), (loop, loop_tag) = living.items()
    fragment = spoiled("a=mid:0\r\na=candidate:1 1 udp 1 1.1.1.1 9 typ host\r\na=end-of-candidates\r\n", dice)
    method, path, body, kind, tag = dice.choice(
        [
            ("POST", "/whip/fuzz", spoiled(sdp, dice), SDP, ""),
            ("POST", "/whep/living", spoiled(sdp, dice), SDP, ""),
            ("PATCH", whip, fragment, FRAGMENT, whip_tag),
            ("PATCH", loop, fragment, FRAGMENT, loop_tag),
            ("PATCH", loop, bad_json(sdp, dice), JSON, loop_tag),
            ("POST", "/api/sessions", bad_json(spoiled(sdp, dice).decode("latin-1"), dice), JSON, ""),
            ("POST", dice.choice(("/api/images", "/api/jobs")), b"", "multipart/form-data; boundary=b", ""),
            (dice.choice(("PUT", "TRACE", "FOO", "DELETE")), "/whip/" + "x" * dice.randrange(200), b"x", "", "*"),
            ("GET", "/" + "%2e%2e/" * dice.randrange(5) + "etc/passwd", b"", "", ""),
        ]
    )
    if dice.random() < 0.1:
        kind = dice.choice((SDP, JSON, FRAGMENT, "text/plain", "", "a/b;;;", "x" * 300))
    if dice.random() < 0.2:
        tag = dice.choice(('"x"', "*", "", "W/", "x" * 300))
    odd_style = dice.choice(("", "alpha:0", "nope", "a" * 600, "%00", "alpha:nan", "..", "alpha,," * 9))
    style = odd_style if dice.random() < 0.2 else "alpha"
    headers = {"Content-Type": kind, "If-Match": tag}
    return httpx.Request(method, f"http://localhost{path}", params={"style": style}, content=body, headers=headers)


def test_malformed_bodies(server: Running, offers: list[str], living: dict[str, str]) -> None:
    dice = random.Random(SEED)
    statuses: dict[int, int] = {}
    for number in range(COUNT):
        one = request(dice, offers, living)
        answer = server.client.request(one.method, one.url.raw_path.decode(), content=one.content, headers=one.headers)
        assert answer.status_code < 500, (number, one.method, one.url, one.content[:2000], answer.text)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        if answer.status_code == 201:  # spoiled only where it does not matter
            server.client.delete(answer.headers["location"])
    assert min(statuses.get(400, 0), statuses.get(422, 0)) > 0.1 * COUNT, statuses
    wait_for(lambda: len(server.peers) == len(living))
    assert server.parts.live.sessions == len(living)
    assert sum(server.jobs.counts().values()) == 0
    assert server.client.get("/healthz").status_code == 200


def raw(dice: random.Random) -> bytes:
    """Bytes that are hardly HTTP."""
    head = b"POST /whip/raw HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
    return dice.choice(
        [
            dice.randbytes(200),
            b"GET / HTTP/9.9\r\n\r\n",
            b"\r\n" * 50,
            head + b"Content-Length: -1\r\n\r\n",
            head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            head + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            head + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx",
            head + b"X: " + b"y" * 70000 + b"\r\n\r\n",
            head + b"Content-Length: 99999999999999999999\r\n\r\n",
            head.replace(b"Host: localhost\r\n", b"") + b"\r\n",
            head.replace(b"/whip/raw", b"/whip/\xff\xfe") + b"\r\n",
            head + b"Content-Length: 5\r\n\r\nv=",
        ]
    )


def test_malformed_http(server: Running) -> None:
    dice = random.Random(SEED)
    port = int(server.url.rpartition(":")[2])
    for _ in range(max(24, COUNT // 10)):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(raw(dice))
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(TimeoutError, ConnectionError):  # hung up without a word: as it should be
                answer = connection.recv(200)
        assert not answer.startswith(b"HTTP/1.1 5"), answer
    wait_for(lambda: len(server.peers) == 0)
    assert server.client.get("/healthz").status_code == 200
