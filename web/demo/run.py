"""One process that serves the page until it is asked to stop, with a public address if one is wanted and to be had."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

_TICK = 0.1  # seconds between looks at the stop event
_LAST_REQUESTS = 2  # seconds for requests under way; the connections that pages hold open are never done
_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the command line's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing to capture."""
        yield


def run(app: ASGIApp, listener: socket.socket, stop: threading.Event, announce: Callable[[], None]) -> None:
    """Serve until `stop` is set; `announce` is called once requests are answered."""
    asyncio.run(_serve(app, listener, stop, announce))


async def _serve(app: ASGIApp, listener: socket.socket, stop: threading.Event, announce: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        loop="none",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LAST_REQUESTS,
    )
    server = _Server(config)

    async def until_stopped() -> None:
        while not server.started and not server.should_exit:
            await asyncio.sleep(_TICK / 10)
        announce()
        while not stop.is_set():
            await asyncio.sleep(_TICK)
        server.should_exit = True

    guard = asyncio.create_task(until_stopped(), name="stop")
    try:
        await server.serve(sockets=[listener])
    finally:
        guard.cancel()
        await asyncio.gather(guard, return_exceptions=True)


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
