"""Where UDP to the service is blocked: the TURN server of compose.yaml, and a browser that may use nothing but it."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import REQUIRED, far, go_live, grab
from tests.processes import Service, wait_for

COMPOSE = (Path(__file__).parents[1] / "compose.yaml").read_text()
TURNSERVER = shutil.which("turnserver")
NOT_RUN = "NOT RUN: there is no TURN server here; `apt-get install coturn`"
PASSWORD = secrets.token_hex(8)
# A page whose peers may use relayed candidates alone, as behind a firewall that blocks UDP to the service.
RELAY_ONLY = """
    const configure = RTCPeerConnection.prototype.setConfiguration;
    RTCPeerConnection.prototype.setConfiguration = function (given) {
        (window.peers ??= []).push(this);
        configure.call(this, { ...given, iceTransportPolicy: "relay" });
    };
"""
CHOSEN = """async () => {
    const all = new Map((await peers.at(-1).getStats()).entries());
    const transport = [...all.values()].find(one => one.type === "transport");
    const pair = all.get(transport.selectedCandidatePairId);
    return all.get(pair.localCandidateId).candidateType;
}"""


def turn_command() -> list[str]:
    """What compose.yaml starts coturn with."""
    service = re.search(r"^  turn:\n(.*?)^\S", COMPOSE, re.MULTILINE | re.DOTALL)
    assert service is not None
    words = re.findall(r"^      - (--\S+)$", service[1], re.MULTILINE)
    filled = [
        word.replace("${TURN_PASSWORD:-}", PASSWORD).replace("${HOST_NAME:-localhost}", "localhost") for word in words
    ]
    assert not any("$" in word for word in filled)
    return filled


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running TURN server's address, as --ice-server takes it."""
    if TURNSERVER is None and REQUIRED:
        pytest.fail("STREAMER_REQUIRE_BROWSER is set, and there is no TURN server.")
    if TURNSERVER is None:
        pytest.skip(NOT_RUN)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("turn")
    words = [word for word in turn_command() if "listening-port" not in word]
    # What differs from compose.yaml: a free port, files of its own, and both ends on this machine's loopback.
    words += [f"--listening-port={port}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"]
    words += [f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([TURNSERVER, *words], stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: listens(port), 20, "the TURN server", lambda: (folder / "log").read_text()[-2000:])
            yield f"turn:streamer:{PASSWORD}@127.0.0.1:{port}?transport=udp"
        finally:
            process.terminate()
            process.wait(20)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_browser_behind_a_firewall_is_painted_through_the_relay(turn: str, library: Path, program: Any) -> None:
    service = Service(library, "--max-sessions", "8", "--ice-server", turn)
    context = program.new_context(permissions=["camera"])
    try:
        page = context.new_page()
        page.add_init_script(RELAY_ONLY)
        page.goto(service.url)
        go_live(page)
        assert far(grab(page, "before"), grab(page, "after")) > 15
        assert page.evaluate(CHOSEN) == "relay"
    finally:
        context.close()
        service.stop()
