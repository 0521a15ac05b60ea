"""The browser's own loop: one bidirectional session, whose look can be changed while it runs."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from streamer.errors import BadOffer
from streamer.server.limits import MAX_SDP
from streamer.server.looks import LookIn, checked, default_look, look_facts
from streamer.server.replies import JSON, Refusal
from streamer.server.service import Service
from streamer.server.wire import FRAGMENT, add_links, check_etag, content_type, expects, if_match, quoted, text_of

_ACCEPTS = {"Allow": "OPTIONS, POST", "Accept-Post": "application/json"}


class OfferIn(BaseModel):
    """An offer, and what the frames are to look like."""

    sdp: str = Field(max_length=MAX_SDP, description="An SDP offer with one video track that sends and receives.")
    look: LookIn = LookIn()


def router(service: Service) -> APIRouter:
    """The routes below /api/sessions."""
    routes = APIRouter(prefix="/api/sessions", tags=["sessions"], default_response_class=JSON)
    library, ice = service.parts.library, service.parts.options.ice_servers

    @routes.options("", summary="Learn of ICE servers")
    async def options() -> Response:
        return add_links(Response(status_code=204, headers=_ACCEPTS), ice)

    @routes.post("", status_code=201, summary="Begin", dependencies=[Depends(expects("application/json"))])
    async def create(offer: OfferIn) -> Response:
        look = checked(offer.look.over(default_look(library)), library)
        peer = await service.peers.loop(offer.sdp, look)
        url = f"/api/sessions/{peer.id}"
        headers = {"Location": url, "ETag": quoted(peer.etag)}
        return add_links(JSON({"sdp": peer.answer_sdp, "url": url, "look": look_facts(look)}, 201, headers), ice)

    @routes.get("/{id}", summary="Figures")
    async def show(id: str) -> Any:
        return JSON(dict(service.peer("loop", None, id).figures()))

    @routes.patch("/{id}", summary="Change the look, or add candidates", openapi_extra=_PATCH_BODY)
    async def change(id: str, request: Request, etag: Annotated[str | None, Depends(if_match)]) -> Response:
        peer = service.peer("loop", None, id)
        kind = content_type(request)
        if kind == FRAGMENT:
            if etag is not None:
                check_etag(etag, peer.etag)
            await peer.trickle(await text_of(request), peer.etag)
            return Response(status_code=204)
        if kind != "application/json":
            raise Refusal(415, f"The body must be application/json or {FRAGMENT}.")
        look = checked(_look_of(await request.body()).over(peer.look), library)
        peer.change(look)
        return JSON(look_facts(look))

    @routes.delete("/{id}", summary="End")
    async def end(id: str) -> Response:
        await service.peer("loop", None, id).close()
        return Response(status_code=200)

    return routes


_PATCH_BODY = {
    "requestBody": {
        "content": {
            "application/json": {"schema": LookIn.model_json_schema()},
            FRAGMENT: {"schema": {"type": "string"}},
        }
    }
}


def _look_of(body: bytes) -> LookIn:
    try:
        return LookIn.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "look"
        raise Refusal(422, f"{place[:80]}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise BadOffer("The body is not JSON.") from error
