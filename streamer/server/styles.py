"""The styles that there are, and a picture of each."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from streamer import thumbnails
from streamer.server.painting import Painter, answer
from streamer.server.replies import JSON
from streamer.server.service import Service
from streamer.styles import Style

_MOST = 256  # painted thumbnails that are kept


def router(service: Service) -> APIRouter:
    """The routes below /api/styles."""
    routes = APIRouter(prefix="/api/styles", tags=["styles"], default_response_class=JSON)
    library = service.parts.library
    missing = Painter(service, thumbnails.sample, thumbnails.encoded, _MOST)

    @routes.get("", summary="All styles")
    async def styles() -> Any:
        return JSON([_facts(library.get(name)) for name in library.names()])

    @routes.get("/{name}/thumbnail.jpg", summary="What the style makes of a sample picture", response_class=Response)
    async def thumbnail(name: str, request: Request) -> Response:
        async def get(style: Style) -> bytes:
            kept = await asyncio.to_thread(library.thumbnail, style.name)
            return kept if kept is not None else await missing.get(style)

        return await answer(library.get(name), request, get)

    return routes


def _facts(style: Style) -> dict[str, Any]:
    shown = {name: getattr(style, name) for name in ("name", "title", "artist", "licence", "scores")}
    return shown | {"thumbnail": f"/api/styles/{style.name}/thumbnail.jpg"}
