"""The outermost layer: every answer gets its security headers, every request its line in the log and its count."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamer.server.gate import DEMO

if TYPE_CHECKING:
    from streamer.server.measures import Measures

_log = logging.getLogger("streamer.server.requests")
_PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self' blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
# A worker obeys the policy that came with its script. These alone compile WebAssembly; the pages themselves may not.
_WORKERS = ("/static/device/worker.js", "/static/runtime/")
_WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"
# What a page and its workers must say for shared memory, without which WebAssembly has one thread.
_ISOLATED = {"Cross-Origin-Embedder-Policy": "require-corp"}
_ISOLATED_PAGES = ("/", "/local")
_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE = {
    "Content-Security-Policy": _PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), geolocation=()",
}
_FOLDERS = ("/static/", "/docs/", "/openapi.json", DEMO)
_QUIET = ("/healthz", "/readyz", "/metrics", "/static", DEMO)  # logged with -v only


class Wrapping:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and the answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope["path"], MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, send_wrapped)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """The route's pattern, not the path: a session's address is its key, and a query may hold anything."""
        route = _pattern(scope)
        self._measures.count_request(scope["method"], route, status)
        level = logging.DEBUG if route.startswith(_QUIET) and status < 400 else logging.INFO
        client = (scope.get("client") or ("local",))[0]
        line = "request method=%s route=%s status=%d ms=%.0f client=%s"
        _log.log(level, line, scope["method"], route, status, 1000 * seconds, client)


def _pattern(scope: Scope) -> str:
    """The pattern of the route that took a request, or "-": a stranger's paths do not fill the log and the metrics."""
    route = getattr(scope.get("route"), "path", None)
    if route is not None and not scope["path"].startswith(DEMO):  # a mounted page's own routes are its own affair
        return str(route)
    return next((folder for folder in _FOLDERS if scope["path"].startswith(folder)), "-")


def _add_headers(path: str, headers: MutableHeaders) -> None:
    is_page = headers.get("content-type", "").startswith("text/html")
    wanted = _ALL | (_PAGE if is_page else {"Content-Security-Policy": _DATA_POLICY})
    if path.startswith(_WORKERS):
        wanted |= {"Content-Security-Policy": _WORKER_POLICY}
    if path in _ISOLATED_PAGES or path.startswith("/static/"):
        wanted |= _ISOLATED
    for name, value in wanted.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
