"""What the pages need to paint on the visitor's own device: the graph, and the styles as numbers."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from streamer.on_device import FOLDER, GRAPH, STYLES, described
from streamer.runtimes import graph_of
from streamer.server.replies import JSON
from streamer.server.service import Service


def router(service: Service) -> APIRouter:
    """The routes below /local."""
    routes = APIRouter(prefix=f"/{FOLDER}", tags=["on the visitor's device"], default_response_class=JSON)
    library = service.parts.library

    @routes.get(f"/{STYLES}", summary="All styles with their modulations, and how the network is fed")
    async def styles() -> Any:
        return JSON(described(library, lambda name: f"api/styles/{name}/thumbnail.jpg") | {"server": True})

    @routes.get(f"/{GRAPH}", summary="The network, for frames of any size", response_class=Response)
    async def graph() -> Response:
        path = await asyncio.to_thread(graph_of, library)
        return FileResponse(path, media_type="application/octet-stream", headers={"Cache-Control": "no-cache"})

    return routes
