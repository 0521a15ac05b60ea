"""The page as a guest of `streamer serve`: nothing of it is imported or built before somebody asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)
MISSING = "The demo needs Gradio, which is not installed here: pip install 'streamer[demo]'."
FAILED = "The demo could not be started; the server's log says why."


class LazyPage:
    """An ASGI application that is made when the first request comes. Its lifespan runs until the event loop ends."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        """make: imports and builds the page, on a thread; takes seconds."""
        self._make = make
        self._making: asyncio.Task[ASGIApp] | None = None
        self._living: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, once the page is there."""
        if importlib.util.find_spec("gradio") is None:
            await JSONResponse({"error": MISSING}, 503)(scope, receive, send)
            return
        if self._making is None:
            self._making = asyncio.create_task(self._made(), name="demo")
        try:
            page = await asyncio.shield(self._making)
        except Exception:  # noqa: BLE001  it has been logged, and the service goes on without
            await JSONResponse({"error": FAILED}, 503)(scope, receive, send)
            return
        await page(scope, receive, send)

    async def _made(self) -> ASGIApp:
        try:
            page = await asyncio.to_thread(self._make)
        except Exception:
            _log.exception("the demo could not be started")
            raise
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._living = asyncio.create_task(_live(page, started), name="demo-lifespan")
        await started
        _log.info("the demo is there")
        return page


async def _live(page: ASGIApp, started: asyncio.Future[None]) -> None:
    """Run a page's lifespan as a server would, until cancelled."""
    told = iter(("lifespan.startup",))

    async def receive() -> Message:
        if kind := next(told, None):
            return {"type": kind}
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            started.set_result(None)
        elif message["type"] == "lifespan.startup.failed":
            started.set_exception(RuntimeError(message.get("message", "the page did not start")))

    await page({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
