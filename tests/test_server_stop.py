"""`streamer serve` as a process: what it says, how it starts, and how it leaves."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from streamer.cli.main import run
from streamer.styles import StyleLibrary
from tests.serving import offer, wait_for

TOKEN = "correct-horse-battery"
SECRET = "turn-password"
STREAMER = [sys.executable, "-m", "streamer", "serve"]
EXIT_WITHIN = 30.0  # seconds
START_WITHIN = 90.0  # seconds, on a machine that is busy with other things


@dataclass
class Process:
    """A service that has said where it is."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    temporary: Path

    def leave(self, *signals: signal.Signals) -> int:
        """Send signals and wait; returns the exit code."""
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(EXIT_WITHIN)


@contextlib.contextmanager
def started(library: StyleLibrary, folder: Path, *arguments: str, **environment: str) -> Iterator[Process]:
    """Run the command on a free port. The tiny library takes the place of a user's own, with its trunk selected."""
    temporary, log = folder / "tmp", folder / "log"
    temporary.mkdir()
    names = {"STREAMER_LIBRARY": str(library.folders[0]), "TMPDIR": str(temporary)}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*STREAMER, "--port", "0", *arguments],
            env=os.environ | names | environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(r"Streamer is at (https?://localhost:\d+/) \(Ctrl-C stops it\)\.\n", line)
        assert match, line + log.read_text()
        yield Process(process, match[1], log, temporary)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.mark.timeout(240)
def test_it_says_where_it_is_serves_and_leaves_when_asked(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    arguments = ("--token", TOKEN, "--ice-server", f"turn:me:{SECRET}@127.0.0.1:9", "--max-sessions", "2")
    with started(tiny_library, tmp_path, *arguments) as service:
        client = httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        wait_for(lambda: client.get("/readyz").status_code == 200, START_WITHIN)
        style = client.get("/api/styles").json()[0]["name"]
        begun = client.post("/api/sessions", json={"sdp": offer("sendrecv"), "look": {"style": style}})
        assert begun.status_code == 201
        video = client.post("/api/jobs", content=b"x" * 100_000, headers={"Content-Type": "video/mp4"})
        assert video.status_code == 202

        at = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_ready(client), 5)
        assert service.process.wait(EXIT_WITHIN) == 0
        assert time.monotonic() - at < EXIT_WITHIN
        assert not list(service.temporary.glob("streamer-jobs-*"))
        log = service.log.read_text()
        for secret in (TOKEN, SECRET, begun.json()["url"].rpartition("/")[2]):
            assert secret not in log
        assert "shutdown begins" in log and "closed" in log
        assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in log.splitlines()), log
        client.close()


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.timeout(240)
def test_a_second_signal_leaves_now(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    with started(tiny_library, tmp_path) as service:
        assert service.leave(signal.SIGTERM, signal.SIGINT) in (128 + signal.SIGINT, 128 + signal.SIGTERM)


@pytest.mark.timeout(240)
def test_it_speaks_https(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    arguments = ("--ssl-certfile", str(certificate), "--ssl-keyfile", str(key))
    with started(tiny_library, tmp_path, *arguments) as service:
        assert service.url.startswith("https://")
        import ssl

        context = ssl.create_default_context(cafile=str(certificate))
        assert httpx.get(f"{service.url}healthz", verify=context, timeout=30).json() == {"status": "ok"}
        assert service.leave(signal.SIGINT) == 0


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(key, hashes.SHA256())
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paths


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "--token, or say --insecure"),
        (["--token", "short"], "12 to 512"),
        (["--ice-server", "http://x"], "--ice-server must be"),
        (["--cors-origin", "*"], "--cors-origin must be"),
        (["--ssl-certfile", "missing.pem"], "need each other"),
    ],
)
def test_options_are_checked_first(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_a_port_that_is_taken_and_a_certificate_that_is_none_are_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*STREAMER, "--port", port], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "something else listens there already" in ended.stderr
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    arguments = ["--ssl-certfile", str(bad), "--ssl-keyfile", str(bad)]
    ended = subprocess.run([*STREAMER, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "cannot be used" in ended.stderr
