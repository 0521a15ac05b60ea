"""One process that serves until it is asked to stop: listens, says so, drains, leaves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Generator

import uvicorn

from streamer import listening
from streamer.errors import BadOption
from streamer.server.app import create_app
from streamer.server.parts import Parts
from streamer.server.service import Service
from streamer.settings import ServeOptions

_TICK = 0.1  # seconds between looks at the stop event
_CONNECTIONS = 1024  # at once; further ones are answered with 503
_KEEP_ALIVE = 15  # seconds
_LAST_REQUESTS = 3  # seconds for requests under way, after sessions and jobs have ended
_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the command line's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing to capture."""
        yield


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
