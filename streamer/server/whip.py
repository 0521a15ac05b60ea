"""WHIP (RFC 9725) and WHEP: a stream's publisher, and those who watch it. The HTTP of it; peers are elsewhere."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from streamer.server.looks import STREAM_PATTERN, LookIn, checked, default_look, query_look
from streamer.server.parts import Peer
from streamer.server.replies import JSON, Refusal
from streamer.server.service import Service
from streamer.server.wire import FRAGMENT, SDP, add_links, check_etag, content_type, expects, if_match, quoted, text_of

Name = Annotated[str, Path(pattern=STREAM_PATTERN, description="The stream's name: letters, digits, - and _.")]
_SDP_BODY = {"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}}
_FRAGMENT_BODY = {"requestBody": {"required": True, "content": {FRAGMENT: {"schema": {"type": "string"}}}}}


def router(service: Service) -> APIRouter:
    """The routes below /whip and /whep, and the list of streams."""
    routes = APIRouter(default_response_class=JSON)
    _add_creation(routes, service)
    for kind in ("whip", "whep"):
        _add_session(routes, service, kind)

    @routes.get("/api/streams", tags=["streams"], summary="Streams that are published now")
    async def streams() -> Any:
        return JSON(service.known_peers.streams())

    return routes


def _add_creation(routes: APIRouter, service: Service) -> None:
    library = service.parts.library
    shared: Any = {"status_code": 201, "dependencies": [Depends(expects(SDP))], "openapi_extra": _SDP_BODY}

    @routes.post("/whip/{name}", tags=["WHIP"], summary="Publish", **shared)
    async def publish(name: Name, request: Request, said: Annotated[LookIn, Depends(query_look)]) -> Response:
        offer = await text_of(request)
        look = checked(said.over(default_look(library)), library)
        return _created(service, "whip", name, await service.peers.publish(name, offer, look))

    @routes.post("/whep/{name}", tags=["WHEP"], summary="Watch", **shared)
    async def watch(name: Name, request: Request) -> Response:
        offer = await text_of(request)
        return _created(service, "whep", name, await service.peers.watch(name, offer))


def _created(service: Service, kind: str, name: str, peer: Peer) -> Response:
    headers = {"Location": f"/{kind}/{name}/{peer.id}", "ETag": quoted(peer.etag), "Accept-Patch": FRAGMENT}
    response = Response(peer.answer_sdp, 201, headers, SDP)
    return add_links(response, service.parts.options.ice_servers)


def _add_session(routes: APIRouter, service: Service, kind: str) -> None:
    """What can be done with the address that a 201 gave, and asked of the one that it was posted to."""
    tags: list[str | Enum] = [kind.upper()]
    ice = service.parts.options.ice_servers

    @routes.options(f"/{kind}/{{name}}", tags=tags, summary="Learn what is taken, and of ICE servers")
    async def options(name: Name) -> Response:
        headers = {"Allow": "OPTIONS, POST", "Accept-Post": SDP}
        return add_links(Response(status_code=204, headers=headers), ice)

    @routes.options(f"/{kind}/{{name}}/{{id}}", tags=tags, summary="Learn what is taken")
    async def session_options(name: Name, id: str) -> Response:
        return Response(status_code=204, headers={"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": FRAGMENT})

    @routes.patch(
        f"/{kind}/{{name}}/{{id}}", status_code=204, tags=tags, summary="Add candidates", openapi_extra=_FRAGMENT_BODY
    )
    async def trickle(
        name: Name, id: str, request: Request, etag: Annotated[str | None, Depends(if_match)]
    ) -> Response:
        peer = service.peer(kind, name, id)
        if content_type(request) != FRAGMENT:
            raise Refusal(415, f"The body must be {FRAGMENT}.", Accept_Patch=FRAGMENT)
        check_etag(etag, peer.etag)
        fragment = await text_of(request)
        await peer.trickle(fragment, peer.etag)
        return Response(status_code=204)

    @routes.delete(f"/{kind}/{{name}}/{{id}}", tags=tags, summary="End")
    async def end(name: Name, id: str) -> Response:
        await service.peer(kind, name, id).close()
        return Response(status_code=200)
