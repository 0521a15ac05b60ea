"""The live page's own picture in each style: what a visitor sees before anything is started."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from streamer.server.painting import Painter, Picture, answer
from streamer.server.replies import Refusal
from streamer.server.service import Service

PICTURE = "sample.jpg"  # in the folder of the pages
_MOST = 64  # painted pictures that are kept, of some 150 kB each
_QUALITY = 85


def router(service: Service) -> APIRouter:
    """The route below /api/styles."""
    routes = APIRouter(prefix="/api/styles", tags=["styles"])
    library = service.parts.library
    samples = Painter(service, partial(_read, service.parts.pages), _encoded, _MOST)

    @routes.get("/{name}/sample.jpg", summary="What the style makes of the page's picture", response_class=Response)
    async def sample(name: str, request: Request) -> Response:
        return await answer(library.get(name), request, samples.get)

    return routes


def _read(pages: Path | None) -> Picture:
    picture: Any = cv2.imread(str(pages / PICTURE)) if pages is not None else None
    if picture is None:
        raise Refusal(404, "There is no page here, and no picture for it.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _encoded(picture: Picture) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
