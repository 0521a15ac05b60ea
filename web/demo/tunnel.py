"""A public address for the page, if one is wanted and to be had: Gradio's tunnel to a server of its makers."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


def share(listener: socket.socket, certificate: Path, tell: Callable[[str], None]) -> threading.Thread:
    """Ask for a public address on a thread of its own, and tell of it, or why there is none; the page goes on so or so.

    certificate: where Gradio may keep that of its server, which would else be in the folder that we were started in.
    """
    host, port = listener.getsockname()[:2]

    def work() -> None:
        from gradio import networking

        networking.CERTIFICATE_PATH = str(certificate)  # type: ignore[attr-defined]  # there is no other way to say it
        try:
            url = networking.setup_tunnel(
                local_host=host,
                local_port=port,
                share_token=secrets.token_urlsafe(32),
                share_server_address=None,  # that of Gradio's makers, or of GRADIO_SHARE_SERVER_ADDRESS
                share_server_tls_certificate=None,
            )
        except Exception as error:  # noqa: BLE001  whatever it is, the page is served here all the same
            _log.debug("no tunnel", exc_info=error)
            tell(f"No public address could be had ({_reason(error)}); the page is served on this machine alone.")
        else:
            tell(f"For everybody, for a week at most: {public(url, networking.GRADIO_SHARE_SERVER_ADDRESS)}")

    thread = threading.Thread(target=work, name="share", daemon=True)
    thread.start()
    return thread


def public(url: str, own_server: str | None) -> str:
    """What to tell people of the address that a tunnel gives.

    The tunnel says http, and Gradio's server speaks https as well, without which browsers give no page a camera. A
    server of somebody's own (its address, if it is one) does what it says.
    """
    return url if own_server else url.replace("http://", "https://", 1)


def unshare() -> None:
    """End the tunnel, if there is one. Gradio would, when the process ends, and talk of it among our results."""
    from gradio.tunneling import CURRENT_TUNNELS

    for tunnel in CURRENT_TUNNELS:
        process: Any = tunnel.proc
        tunnel.proc = None
        if process is not None:
            process.terminate()
            process.wait()


def _reason(error: Exception) -> str:
    """The first line of an error, without its full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
