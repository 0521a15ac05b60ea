"""What a request must pass before any of it is parsed: host, origin, rate, token, size."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Awaitable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamer.addresses import host_of, is_loopback
from streamer.server.limits import MAX_DEMO, MAX_FRAGMENT, MAX_JSON, MAX_SDP, Rates
from streamer.server.parts import Parts
from streamer.server.replies import Refusal, problem, retry_header

COSTS = {"GET": 0.2, "HEAD": 0.2, "OPTIONS": 0.2, "POST": 5.0}  # of a request, in cheap ones; others cost 1
# Nothing to keep, and browsers send no token for pages.
_OPEN = ("/", "/local", "/docs", "/openapi.json", "/healthz", "/readyz")
_OPEN_BELOW = ("/watch/", "/static/", "/docs/")
DEMO = "/demo/"  # the Gradio page
_DEMO_FRAMES, _DEMO_UPLOAD = f"{DEMO}gradio_api/stream/", f"{DEMO}gradio_api/upload"
_FRAME_COST = 0.4  # of a webcam's picture: they come ten times a second
_FREE = ("/healthz", "/readyz", "/metrics")  # asked by machines of one's own, on the minute
_UPLOADS = ("/api/images", "/api/jobs")
_SAFE = ("GET", "HEAD", "OPTIONS")
UPLOAD_TIME, SILENCE = 900.0, 30.0  # seconds for a whole upload, and between parts of it


def is_open(path: str) -> bool:
    """Whether a path is there for everybody."""
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def is_preflight(method: str, headers: Headers) -> bool:
    """Whether a browser asks if it may ask: it sends no token with that."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def is_demo(path: str) -> bool:
    """Whether a path is the Gradio page's."""
    return path == DEMO.rstrip("/") or path.startswith(DEMO)


def cost_of(method: str, path: str) -> float:
    """What a request costs, in cheap ones."""
    return _FRAME_COST if path.startswith(_DEMO_FRAMES) else COSTS.get(method, 1.0)


def password_of(credentials: bytes) -> bytes:
    """The password of HTTP's basic scheme (RFC 7617); empty where there is none."""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def body_limit(method: str, path: str, max_upload: int) -> int:
    """Bytes that a request may carry."""
    if method == "POST" and path in _UPLOADS:
        return max_upload
    if method == "POST" and path == "/api/sessions":
        return MAX_JSON
    if method == "POST" and path.startswith(("/whip/", "/whep/")):
        return MAX_SDP
    if method == "POST" and path.startswith(DEMO):
        return max_upload if path.startswith(_DEMO_UPLOAD) else MAX_DEMO
    return MAX_FRAGMENT


class Gate:
    """ASGI middleware. CORS preflights never come this far."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._parts = app, parts
        self._options = options = parts.options
        self._rates = Rates(options.rate, parts.clock)
        self._origins = frozenset(options.cors_origin)
        self._hosts = frozenset(urlsplit(origin).hostname for origin in options.cors_origin)
        self._token = f"Bearer {options.token}".encode() if options.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check(scope["method"], scope["path"], headers, _client(scope))
        except Refusal as refusal:
            answer = problem(refusal.status_code, refusal.detail, dict(refusal.headers or {}))
            await answer(scope, receive, send)
            return
        limit = body_limit(scope["method"], scope["path"], self._options.max_upload << 20)
        await self._app(scope, bounded(receive, limit, self._parts.body_time), send)

    def _check(self, method: str, path: str, headers: Headers, client: str) -> None:
        """Raises Refusal."""
        self._check_host(headers)
        if method not in _SAFE:
            self._check_origin(headers, path)
        if path not in _FREE:
            self._pay(client, cost_of(method, path))
        if not is_open(path) and not is_preflight(method, headers):
            self._check_token(headers, path, client)
        if self._parts.health.is_draining and method == "POST":
            raise Refusal(503, "The service is shutting down.", **retry_header(5))
        self._check_length(headers, body_limit(method, path, self._options.max_upload << 20))

    def _check_host(self, headers: Headers) -> None:
        """Another site's name that leads to loopback is how a web page would reach a service meant for one machine."""
        if self._token or not is_loopback(self._options.host):
            return
        host = host_of(headers.get("host", ""))
        if not is_loopback(host) and host not in self._hosts:
            raise Refusal(403, "This service answers only to the names of this machine, such as localhost.")

    def _check_origin(self, headers: Headers, path: str) -> None:
        """Where a token is needed, no other page has it; but browsers send a password by themselves."""
        origin = headers.get("origin")
        if (self._token and not is_demo(path)) or origin is None or origin in self._origins:
            return
        if origin.partition("://")[2].lower() != headers.get("host", "").lower():
            raise Refusal(403, "Pages of other origins may not use this service; --cors-origin allows one.")

    def _pay(self, client: str, cost: float) -> None:
        wait = self._rates.take(client, cost)
        if wait:
            raise Refusal(429, "Too many requests from this address.", **retry_header(wait))

    def _check_token(self, headers: Headers, path: str, client: str) -> None:
        if self._token is None:
            return
        scheme, _, rest = headers.get("authorization", "").encode("latin-1").partition(b" ")
        by_password = is_demo(path) and scheme.lower() == b"basic"
        given = password_of(rest) if by_password else rest.strip()
        if secrets.compare_digest(b"Bearer " + given, self._token) and (by_password or scheme.lower() == b"bearer"):
            return
        self._rates.take(client, COSTS["POST"])  # guessing is dear
        if is_demo(path):  # Gradio's page sends no headers of its own, browsers ask for a password
            raise Refusal(401, "A token is needed, as the password.", WWW_Authenticate='Basic realm="Streamer"')
        raise Refusal(401, "A token is needed: Authorization: Bearer TOKEN.", WWW_Authenticate="Bearer")

    def _check_length(self, headers: Headers, limit: int) -> None:
        length = headers.get("content-length")
        if length is not None and (not length.isdecimal() or int(length) > limit):
            raise too_large(limit)


def too_large(limit: int) -> Refusal:
    """The refusal of a body that is."""
    shown = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
    return Refusal(413, f"The body may have at most {shown}.")


def bounded(receive: Receive, limit: int, small_body_time: float) -> Receive:
    """Receive a body of at most `limit` bytes, in bounded time. Raises Refusal inside the application."""
    loop = asyncio.get_running_loop()
    small = limit <= MAX_JSON
    until = loop.time() + (small_body_time if small else UPLOAD_TIME)
    got, is_whole = 0, False

    async def receive_part() -> Message:
        nonlocal got, is_whole
        if is_whole:  # whoever still listens waits for the client to go away
            return await receive()
        left = until - loop.time()
        message = await _in_time(receive(), left if small else min(left, SILENCE))
        got += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if got > limit:
            raise too_large(limit)
        return message

    return receive_part


async def _in_time(part: Awaitable[Message], seconds: float) -> Message:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            return await part
    except TimeoutError:
        raise Refusal(408, "The body did not come in time.", Connection="close") from None


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "local"
