"""One process that serves until it is asked to stop: listens, says so, drains, leaves."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Generator

import uvicorn

from streamer.errors import BadOption
from streamer.server.app import create_app
from streamer.server.parts import Parts
from streamer.server.service import Service
from streamer.settings import ServeOptions

_TICK = 0.1  # seconds between looks at the stop event
_BACKLOG = 256  # connections that may wait to be accepted
_CONNECTIONS = 1024  # at once; further ones are answered with 503
_KEEP_ALIVE = 15  # seconds
_LAST_REQUESTS = 3  # seconds for requests under way, after sessions and jobs have ended
_log = logging.getLogger(__name__)
_REASONS = {
    errno.EADDRINUSE: "something else listens there already",
    errno.EACCES: "permission is denied",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the command line's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing to capture."""
        yield


def listen(options: ServeOptions) -> socket.socket:
    """A listening socket. Raises BadOption, saying why, where there can be none."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    host = options.host.strip("[]")
    try:
        return socket.create_server((host, options.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise BadOption(f"Cannot listen on {options.host} port {options.port}: {reason}.") from error


def url_of(options: ServeOptions, listener: socket.socket) -> str:
    """What to open in a browser."""
    scheme = "https" if options.ssl_certfile else "http"
    host = "localhost" if options.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else options.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"


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
    """Serve until `stop` is set and all is closed; `announce` is called once requests are answered."""
    asyncio.run(serve(parts, listener, stop, announce))


async def serve(parts: Parts, listener: socket.socket, stop: threading.Event, announce: Callable[[], None]) -> None:
    """As `run`, inside an event loop."""
    app = create_app(parts)
    options = parts.options
    config = uvicorn.Config(
        app,
        ssl_certfile=options.ssl_certfile,
        ssl_keyfile=options.ssl_keyfile,
        loop="none",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody may say whose request it is
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_LAST_REQUESTS,
    )
    server = _Server(config)
    service: Service = app.state.service
    guard = asyncio.create_task(_until_stopped(server, service, stop, announce), name="stop")
    try:
        await server.serve(sockets=[listener])
    finally:
        guard.cancel()
        await asyncio.gather(guard, return_exceptions=True)


async def _until_stopped(
    server: uvicorn.Server, service: Service, stop: threading.Event, announce: Callable[[], None]
) -> None:
    """Announce the start; on `stop` first end sessions and jobs, while /readyz says no, and then the server."""
    while not server.started and not server.should_exit:
        await asyncio.sleep(_TICK / 10)
    announce()
    while not stop.is_set():
        await asyncio.sleep(_TICK)
    _log.info("shutdown begins")
    try:
        await service.close()
    finally:
        server.should_exit = True
