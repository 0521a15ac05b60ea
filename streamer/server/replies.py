"""Answers that are errors: `{"error": "<one sentence>"}` and the status that says whose turn it is."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from streamer.errors import (
    BadMedia,
    BadOffer,
    BadOption,
    BadStyle,
    NameTaken,
    Overloaded,
    StaleEtag,
    StreamerError,
    UnknownStream,
    UnknownStyle,
    UnsupportedOffer,
)
from streamer.jobs import JobFailed

_log = logging.getLogger(__name__)
# The first that fits. A style or option is part of what was sent, not a place: 422, not 404.
_STATUSES: tuple[tuple[type[StreamerError], int], ...] = (
    (UnsupportedOffer, 422),
    (StaleEtag, 412),
    (UnsupportedOffer, 422),
    (StaleEtag, 412),
    (BadOffer, 400),
    (UnknownStream, 404),
    (NameTaken, 409),
    (Overloaded, 503),
    (UnknownStyle, 422),
    (BadStyle, 422),
    (BadOption, 422),
    (BadMedia, 422),
    (JobFailed, 422),
)
_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}


class JSON(Response):
    """JSON in plain ASCII: whatever text is quoted in it, it can be encoded."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode; NaN is no JSON."""
        return json.dumps(content, allow_nan=False).encode("ascii")


class Refusal(HTTPException):
    """A refusal that only HTTP knows of, such as a missing header."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(status, sentence, {name.replace("_", "-"): value for name, value in headers.items()})


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSON:
    """An error as an answer."""
    return JSON({"error": sentence}, status, headers)


def retry_header(seconds: float) -> dict[str, str]:
    """Whole seconds, at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def install(app: FastAPI) -> None:
    """Make the app answer every error so."""

    async def ours(_: Request, error: Exception) -> Response:
        status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 500)
        headers = retry_header(error.retry_after) if isinstance(error, Overloaded) else None
        if status == 500:
            _log.error("unexpected error: %s", error)
        return problem(status, str(error), headers)

    async def http(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        plain = error.detail if isinstance(error, Refusal) else _SENTENCES.get(error.status_code, error.detail)
        headers = dict(error.headers) if error.headers else None
        if error.status_code < 200 or error.status_code in (204, 304):
            return Response(status_code=error.status_code, headers=headers)
        return problem(error.status_code, plain if plain.endswith(".") else f"{plain}.", headers)

    async def invalid(_: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        first = error.errors()[0]
        if first["type"].startswith("json"):
            return problem(400, "The body is not JSON.")
        place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return problem(422, f"{place[:80]}: {first['msg']}.".replace("..", "."))

    async def unexpected(request: Request, error: Exception) -> Response:
        return problem(500, "Something unexpected went wrong; the server's log says what.")

    app.add_exception_handler(StreamerError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unexpected)
