"""Hosts, origins and ICE servers: what an address may look like, decided before anything listens or connects."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from streamer.errors import BadOption

_HOST = r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})"
_ICE = re.compile(
    rf"(?P<scheme>stuns?|turns?):(?:(?P<user>[^:@\s\"]+):(?P<secret>[^@\s\"]+)@)?(?P<host>{_HOST})"
    r"(?::(?P<port>\d{1,5}))?(?P<query>\?transport=(?:udp|tcp))?"
)
_ORIGIN = re.compile(rf"https?://{_HOST}(?::\d{{1,5}})?")
ICE_FORM = "stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT?transport=udp"


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server; only TURN has credentials."""

    url: str  # without credentials
    username: str | None = None
    credential: str | None = None

    @classmethod
    def parse(cls, text: str) -> IceServer:
        """From `turn:USER:PASSWORD@HOST:PORT?transport=udp`. Raises BadOption, which never shows the password."""
        match = _ICE.fullmatch(text)
        if match is None or int(match["port"] or 0) > 65535:
            raise BadOption(f"--ice-server must be {ICE_FORM}; received {_without_secret(text)!r}.")
        relays = match["scheme"].startswith("turn")
        if relays != bool(match["user"]):
            raise BadOption(
                f"--ice-server {_without_secret(text)!r}: a TURN server needs USER:PASSWORD@, a STUN server takes none."
            )
        port = f":{match['port']}" if match["port"] else ""
        url = f"{match['scheme']}:{match['host']}{port}{match['query'] or ''}"
        return cls(url, match["user"], match["secret"])

    @property
    def link(self) -> str:
        """The value of a `Link` header that tells a client of it (RFC 9725, section 4.6)."""
        told = f'<{self.url}>; rel="ice-server"'
        if self.username is None:
            return told
        return f'{told}; username="{self.username}"; credential="{self.credential}"; credential-type="password"'

    def for_browsers(self) -> dict[str, str]:
        """As an entry of `iceServers` of an RTCPeerConnection."""
        if self.username is None:
            return {"urls": self.url}
        return {"urls": self.url, "username": self.username, "credential": self.credential or ""}


def _without_secret(text: str) -> str:
    return re.sub(r":[^:@]*@", ":***@", text)


def is_loopback(host: str) -> bool:
    """Whether a bind address can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_origin(text: str) -> None:
    """Raise BadOption unless `text` is an origin as browsers send it: scheme, host and port, and no path."""
    if not _ORIGIN.fullmatch(text):
        raise BadOption(f"--cors-origin must be an origin such as https://example.org:8443; received {text!r}.")


def host_of(netloc: str) -> str:
    """`localhost:8000` -> `localhost`, `[::1]:8000` -> `::1`; lower case."""
    bracketed = re.fullmatch(r"\[(.*)\](?::\d*)?", netloc)
    return (bracketed[1] if bracketed else netloc.rpartition(":")[0] or netloc).lower()
