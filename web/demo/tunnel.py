"""A public address for the page, if one is wanted and to be had."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def share(listener: socket.socket, tell: Callable[[str], None]) -> threading.Thread:
    """Ask for a public address on a thread of its own, and tell of it, or why there is none; the page goes on so or so.

    The tunnel ends with the process.
    """
    host, port = listener.getsockname()[:2]

    def work() -> None:
        from gradio import networking

        try:
            url = networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
        except Exception as error:  # noqa: BLE001  whatever it is, the page is served here all the same
            _log.debug("no tunnel", exc_info=error)
            tell(f"No public address could be had ({_reason(error)}); the page is served on this machine alone.")
        else:
            tell(f"For everybody, for a week at most: {url}")

    thread = threading.Thread(target=work, name="share", daemon=True)
    thread.start()
    return thread


def _reason(error: Exception) -> str:
    """The first line of an error, without its full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
