"""The live page's own picture in each style: what a visitor sees before anything is started."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from starlette.responses import Response

from streamer.runtime import still
from streamer.server.replies import Refusal
from streamer.server.service import Service
from streamer.styles import Style

PICTURE = "sample.jpg"  # in the folder of the pages
_MOST = 64  # painted pictures that are kept, of some 150 kB each
_QUALITY = 85


def router(service: Service) -> APIRouter:
    """The route below /api/styles."""
    routes = APIRouter(prefix="/api/styles", tags=["styles"])
    library = service.parts.library
    samples = Samples(service)

    @routes.get("/{name}/sample.jpg", summary="What the style makes of the page's picture", response_class=Response)
    async def sample(name: str, request: Request) -> Response:
        style = library.get(name)
        headers = {"ETag": f'"{style.checksum[:16]}"', "Cache-Control": "no-cache"}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(await samples.get(style), 200, headers, "image/jpeg")

    return routes


class Samples:
    """Paints the page's picture, once for each version of a style, one at a time: live frames go first."""

    def __init__(self, service: Service) -> None:
        self._parts = service.parts
        self._picture: NDArray[np.uint8] | None = None
        self._painted: dict[str, bytes] = {}
        self._painting = asyncio.Lock()

    async def get(self, style: Style) -> bytes:
        """A JPEG. Raises Refusal where there are no pages."""
        async with self._painting:
            if style.checksum not in self._painted:
                painted = await self._paint(style)
                if len(self._painted) >= _MOST:
                    self._painted.pop(next(iter(self._painted)))
                self._painted[style.checksum] = painted
            return self._painted[style.checksum]

    async def _paint(self, style: Style) -> bytes:
        if self._picture is None:
            self._picture = await asyncio.to_thread(_read, self._parts.pages)
        batch = still(self._picture[None], style.modulation, self._parts.library.trunk.config.statistics_size)
        styled = await asyncio.wrap_future(self._parts.engine.on_device(lambda runtime: runtime.run(batch)))
        return await asyncio.to_thread(_encoded, styled.frames[0])


def _read(pages: Path | None) -> NDArray[np.uint8]:
    picture: Any = cv2.imread(str(pages / PICTURE)) if pages is not None else None
    if picture is None:
        raise Refusal(404, "There is no page here, and no picture for it.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _encoded(picture: NDArray[np.uint8]) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
