"""Sockets that listen, and what to open in a browser."""

from __future__ import annotations

import errno
import socket

from streamer.errors import BadOption

BACKLOG = 256  # connections that may wait to be accepted
_REASONS = {
    errno.EADDRINUSE: "something else listens there already",
    errno.EACCES: "permission is denied",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises BadOption, saying why, where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise BadOption(f"Cannot listen on {host} port {port}: {reason}.") from error


def url_of(host: str, listener: socket.socket, scheme: str = "http") -> str:
    """What to open in a browser on this machine."""
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}/"
