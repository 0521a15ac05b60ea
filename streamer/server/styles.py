"""The styles that there are, and a picture of each."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from streamer.server.replies import JSON
from streamer.server.service import Service
from streamer.styles import Style


def router(service: Service) -> APIRouter:
    """The routes below /api/styles."""
    routes = APIRouter(prefix="/api/styles", tags=["styles"], default_response_class=JSON)
    library = service.parts.library
    thumbnails = Thumbnails(service)

    @routes.get("", summary="All styles")
    async def styles() -> Any:
        return JSON([_facts(library.get(name)) for name in library.names()])

    @routes.get("/{name}/thumbnail.jpg", summary="What the style makes of a sample picture", response_class=Response)
    async def thumbnail(name: str, request: Request) -> Response:
        style = library.get(name)
        headers = {"ETag": f'"{style.checksum[:16]}"', "Cache-Control": "no-cache"}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(await thumbnails.get(style), 200, headers, "image/jpeg")

    return routes


def _facts(style: Style) -> dict[str, Any]:
    shown = {name: getattr(style, name) for name in ("name", "title", "artist", "licence", "scores")}
    return shown | {"thumbnail": f"/api/styles/{style.name}/thumbnail.jpg"}


class Thumbnails:
    """Thumbnails from the library; one that is not there is painted, once for each version of its style."""

    _MOST = 256

    def __init__(self, service: Service) -> None:
        self._library, self._engine = service.parts.library, service.parts.engine
        self._painted: dict[str, bytes] = {}
        self._painting = asyncio.Lock()

    async def get(self, style: Style) -> bytes:
        """A JPEG. Raises UnknownStyle or BadStyle."""
        kept = await asyncio.to_thread(self._library.thumbnail, style.name)
        if kept is not None:
            return kept
        async with self._painting:  # one at a time: live frames go first
            if style.checksum not in self._painted:
                if len(self._painted) >= self._MOST:
                    self._painted.clear()
                self._painted[style.checksum] = await self._paint(style)
        return self._painted[style.checksum]

    async def _paint(self, style: Style) -> bytes:
        from streamer.runtime import still
        from streamer.thumbnails import encoded, sample

        picture = await asyncio.to_thread(sample)
        batch = still(picture[None], style.modulation, self._library.trunk.config.statistics_size)
        styled = await asyncio.wrap_future(self._engine.on_device(lambda runtime: runtime.run(batch)))
        return await asyncio.to_thread(partial(encoded, styled.frames[0]))
