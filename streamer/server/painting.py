"""Small pictures of a style, painted here when somebody asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from starlette.responses import Response

from streamer.runtime import still
from streamer.server.service import Service
from streamer.styles import Style

Picture = NDArray[np.uint8]


async def answer(style: Style, request: Request, get: Callable[[Style], Awaitable[bytes]]) -> Response:
    """A JPEG of a style, or 304 to somebody who has that of this version."""
    headers = {"ETag": f'"{style.checksum[:16]}"', "Cache-Control": "no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(await get(style), 200, headers, "image/jpeg")


class Painter:
    """Paints one picture, once for each version of a style, one at a time: live frames go first."""

    def __init__(
        self, service: Service, read: Callable[[], Picture], encode: Callable[[Picture], bytes], most: int
    ) -> None:
        """read and encode are called on threads; `most` JPEGs are kept, the newest."""
        self._parts, self._read, self._encode, self._most = service.parts, read, encode, most
        self._picture: Picture | None = None
        self._painted: dict[str, bytes] = {}
        self._painting = asyncio.Lock()

    async def get(self, style: Style) -> bytes:
        """A JPEG. Raises what `read` raises."""
        async with self._painting:
            if style.checksum not in self._painted:
                painted = await self._paint(style)
                if len(self._painted) >= self._most:
                    self._painted.pop(next(iter(self._painted)))
                self._painted[style.checksum] = painted
            return self._painted[style.checksum]

    async def _paint(self, style: Style) -> bytes:
        if self._picture is None:
            self._picture = await asyncio.to_thread(self._read)
        batch = still(self._picture[None], style.modulation, self._parts.library.trunk.config.statistics_size)
        styled = await asyncio.wrap_future(self._parts.engine.submit(batch))
        return await asyncio.to_thread(self._encode, styled.frames[0])
