"""Headers and bodies of SDP over HTTP, as WHIP, WHEP and the browser's own sessions share them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from fastapi import Request
from starlette.responses import Response

from streamer.addresses import IceServer
from streamer.errors import BadOffer
from streamer.server.replies import Refusal

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
_ETAG = re.compile(r'"([!#-~]*)"')


def content_type(request: Request) -> str:
    """The media type of the body, lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def expects(kind: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses bodies of another media type."""

    async def check(request: Request) -> None:
        if content_type(request) != kind:
            raise Refusal(415, f"The body must be {kind}.", Accept_Post=kind)

    return check


async def text_of(request: Request) -> str:
    """The body as text. Raises BadOffer."""
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise BadOffer("The body is not UTF-8.") from error
    if not text.strip() or "\0" in text:
        raise BadOffer("The body is empty or binary.")
    return text


def if_match(request: Request) -> str | None:
    """The If-Match header as it is."""
    return request.headers.get("if-match")


def check_etag(given: str | None, current: str) -> None:
    """RFC 9725, section 4.3.1: a change must name the ICE session that it means. Raises Refusal."""
    if given is None:
        raise Refusal(428, "If-Match with the session's entity tag is needed.")
    if given.strip() == "*":
        raise Refusal(422, "ICE restarts are not supported; begin a new session.")
    if current not in _ETAG.findall(given) or given.lstrip().startswith("W/"):
        raise Refusal(412, "The entity tag is not that of the session.", ETag=quoted(current))


def quoted(etag: str) -> str:
    """An entity tag as a header has it."""
    return f'"{etag}"'


def add_links(response: Response, servers: Sequence[IceServer]) -> Response:
    """Tell of the ICE servers, one Link header each."""
    for server in servers:
        response.headers.append("Link", server.link)
    return response
