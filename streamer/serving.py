"""One process that serves an application until it is asked to stop: says when it answers, ends what is open, leaves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import TypeAlias

import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Certificate: TypeAlias = tuple[str, str | None]  # the files of a certificate and of its key

_TICK = 0.1  # seconds between looks at the stop event
_CONNECTIONS = 1024  # at once; further ones are answered with 503
_KEEP_ALIVE = 15  # seconds
_LAST_REQUESTS = 3  # seconds for requests under way, after all that ends only when it is told to
_log = logging.getLogger(__name__)


class EventStreams:
    """ASGI middleware that can end the event streams below it: by themselves they end with their reader alone.

    Without it a page that is open in some browser keeps the server for as long as it gives to last requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._over = asyncio.Event()

    def end(self) -> None:
        """Tell all of them, and those to come, that their reader has gone; to the reader they end in good order."""
        self._over.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_stream = asyncio.Event()  # while one is being sent

        async def goodbye() -> Message:
            await is_stream.wait()
            await self._over.wait()
            return {"type": "http.disconnect"}

        async def receive_or_end() -> Message:
            awaited = [asyncio.ensure_future(each) for each in (receive(), goodbye())]
            try:
                done, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                return done.pop().result()
            finally:
                for each in awaited:
                    each.cancel()

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_event_stream(message):
                is_stream.set()
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                is_stream.clear()
            await send(message)

        await self._app(scope, receive_or_end, send_noted)
        if is_stream.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_event_stream(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/event-stream")


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the command line's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing to capture."""
        yield


def run(
    app: ASGIApp,
    listener: socket.socket,
    stop: threading.Event,
    announce: Callable[[], None],
    *,
    certificate: Certificate | None = None,
    before_exit: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until `stop` is set, then close the listener. Call it where no event loop runs.

    `announce` is called once requests are answered; `before_exit` is awaited after the stop while they still are.
    """
    asyncio.run(_serve(app, listener, stop, announce, certificate or (None, None), before_exit))


async def _serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: threading.Event,
    announce: Callable[[], None],
    certificate: tuple[str | None, str | None],
    before_exit: Callable[[], Awaitable[None]] | None,
) -> None:
    streams = EventStreams(app)
    server = _Server(_config(streams, *certificate))

    async def until_stopped() -> None:
        while not server.started and not server.should_exit:
            await asyncio.sleep(_TICK / 10)
        announce()
        while not stop.is_set():
            await asyncio.sleep(_TICK)
        _log.info("shutdown begins")
        try:
            if before_exit is not None:
                await before_exit()
        finally:
            streams.end()
            server.should_exit = True

    guard = asyncio.create_task(until_stopped(), name="stop")
    try:
        await server.serve(sockets=[listener])
    finally:
        guard.cancel()
        await asyncio.gather(guard, return_exceptions=True)


def _config(app: ASGIApp, certificate: str | None, key: str | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_certfile=certificate,
        ssl_keyfile=key,
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
