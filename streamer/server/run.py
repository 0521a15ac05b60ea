"""The service as a process: its socket, its certificate, and the order in which it leaves."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

from streamer import listening, serving
from streamer.errors import BadOption
from streamer.server.app import create_app
from streamer.server.parts import Parts
from streamer.server.service import Service
from streamer.settings import ServeOptions


def listen(options: ServeOptions) -> socket.socket:
    """A listening socket. Raises BadOption, saying why, where there can be none."""
    return listening.listen(options.host, options.port)


def url_of(options: ServeOptions, listener: socket.socket) -> str:
    """What to open in a browser."""
    return listening.url_of(options.host, listener, "https" if options.ssl_certfile else "http")


def check_certificate(options: ServeOptions) -> None:
    """Raise BadOption when certificate and key cannot be used."""
    if options.ssl_certfile is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(options.ssl_certfile, options.ssl_keyfile)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error.__class__.__name__
        raise BadOption(f"--ssl-certfile and --ssl-keyfile cannot be used: {reason}.") from error


def run(parts: Parts, listener: socket.socket, stop: threading.Event, announce: Callable[[], None]) -> None:
    """Serve until `stop` is set and all is closed; `announce` is called once requests are answered.

    On `stop` sessions and jobs end first, while /readyz says no, and then the server.
    """
    app, options = create_app(parts), parts.options
    service: Service = app.state.service
    certificate = (options.ssl_certfile, options.ssl_keyfile) if options.ssl_certfile else None
    serving.run(app, listener, stop, announce, certificate=certificate, before_exit=service.close)
