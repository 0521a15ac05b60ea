"""What a request must pass before Gradio sees it: only what our page uses is there, and nothing comes from elsewhere.

Gradio brings routes that we do not need: a proxy, a recorder that runs programs, an editor, monitoring. They are not
reachable, whatever they may do in its next version.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamer.addresses import host_of, is_loopback

_GRADIO = "/gradio_api/"
_PAGES = ("/", "/config", "/theme.css", "/robots.txt", "/favicon.ico", "/manifest.json")
_FOLDERS = ("/assets/", "/static/", "/svelte/")
_CALLS = (
    "info",
    "openapi.json",
    "app_id",
    "startup-events",
    "queue/join",
    "queue/data",
    "run/predict",
    "cancel",
    "reset",
)
_CALL_FOLDERS = ("call/", "file=", "heartbeat/", "stream/")
_UPLOADS = ("upload", "upload_progress")
_TOOLS = "mcp"
_FORM = 64 << 10  # bytes around an uploaded file
SMALL = 4 << 20  # bytes of any other body: a webcam's picture is part of one
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'",  # Gradio's own page is made of inline scripts
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware around Gradio's application."""

    def __init__(self, app: ASGIApp, *, upload: int, local_only: bool, tools: bool = False) -> None:
        """upload: bytes; local_only: answer to this machine's names alone; tools: whether MCP is offered."""
        self._app, self._upload, self._local_only, self._tools = app, upload, local_only, tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        refusal = self._refusal(path, Headers(scope=scope))
        if refusal is not None:
            status, sentence = refusal
            await JSONResponse({"error": sentence}, status)(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (_HEADERS | {"Content-Security-Policy": _POLICY}).items():
                    headers[name] = value
            await send(message)

        await self._app(scope, bounded(receive, self._limit(path)), send_guarded)

    def _refusal(self, path: str, headers: Headers) -> tuple[int, str] | None:
        """Status and sentence, or None for a request that may pass."""
        if self._local_only and not is_loopback(host_of(headers.get("host", ""))):
            return 403, "This page answers only to the names of this machine, such as localhost."
        if not self._is_there(path):
            return 404, "There is nothing at this address."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limit(path):
            return 413, f"A file may have at most {self._upload >> 20} MiB."
        return None

    def _is_there(self, path: str) -> bool:
        if not path.startswith(_GRADIO):
            return path in _PAGES or path.startswith(_FOLDERS)
        call = path.removeprefix(_GRADIO).rstrip("/")
        if call.startswith(("file=http:", "file=https:")):
            return False
        if self._tools and (call == _TOOLS or call.startswith(f"{_TOOLS}/")):
            return True
        return call in (*_CALLS, *_UPLOADS) or call.startswith(_CALL_FOLDERS)

    def _limit(self, path: str) -> int:
        return self._upload + _FORM if path.rstrip("/") == f"{_GRADIO}upload" else SMALL


def bounded(receive: Receive, limit: int) -> Receive:
    """Receive at most so many bytes; whoever sends more, whatever was announced, is as good as gone."""
    got = 0

    async def receive_part() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        return message if got <= limit else {"type": "http.disconnect"}

    return receive_part
