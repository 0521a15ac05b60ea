"""The application: all routes behind one gate. It builds no engine and no peer; it is given them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

import streamer
from streamer.server import local, ops, pages, replies, samples, sessions, styles, whip, work
from streamer.server.gate import Gate
from streamer.server.parts import Parts
from streamer.server.service import Service
from streamer.server.wrapping import Wrapping

_SUMMARY = "Repaint live video, pictures and films in the style of a painting."
_METHODS = ["GET", "POST", "PATCH", "DELETE", "OPTIONS"]
_ASKED = ["Authorization", "Content-Type", "If-Match"]
_TOLD = ["Location", "Link", "ETag", "Retry-After", "Accept-Post", "Accept-Patch"]
_PREFLIGHT_KEPT = 600  # seconds


def create_app(parts: Parts) -> FastAPI:
    """The application of one service. `app.state.service` is what runs behind it."""
    service = Service(parts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="Streamer",
        version=streamer.__version__,
        summary=_SUMMARY,
        docs_url=None,  # FastAPI's own load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.service = service
    replies.install(app)
    for room in (sessions, whip, styles, samples, local, work, ops):
        app.include_router(room.router(service))
    pages.install(app, parts.pages)
    if parts.demo is not None:
        pages.mount_demo(app, parts.demo)
    _add_middleware(app, service)
    return app


def _add_middleware(app: FastAPI, service: Service) -> None:
    """From the inside out: the gate; CORS around it, so that refusals can be read by allowed pages; headers and log."""
    options = service.parts.options
    app.add_middleware(Gate, parts=service.parts)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=options.cors_origin,
        allow_methods=_METHODS,
        allow_headers=_ASKED,
        expose_headers=_TOLD,
        max_age=_PREFLIGHT_KEPT,
    )
    app.add_middleware(Wrapping, measures=service.measures)
