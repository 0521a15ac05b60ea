"""The pages: live, viewer and documentation. All of them load what they need from here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import FastAPI
from fastapi import Path as InPath
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from streamer.server.looks import STREAM_PATTERN

OURS = Path(__file__).parent / "pages"
_FRESH = {"Cache-Control": "no-cache"}  # asked for again each time; answered with 304 while it is the same


class Files(StaticFiles):
    """Static files that browsers ask for again, so that a new version of the service is a new page."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """As StaticFiles, with that header."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        response.headers.update(_FRESH)
        return response


def mount_demo(app: FastAPI, demo: ASGIApp) -> None:
    """Put the Gradio page at /demo/; its addresses are relative, so the one without the slash leads there."""

    @app.get("/demo", include_in_schema=False)
    async def to_demo() -> Response:
        return RedirectResponse("/demo/", 307)

    app.mount("/demo", demo, name="demo")


def install(app: FastAPI, pages: Path | None) -> None:
    """Add the pages; pages: the folder of index.html, local.html and watch.html, if there is one."""

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return FileResponse(OURS / "docs.html", headers=_FRESH)

    app.mount("/docs", Files(directory=OURS), name="docs")
    if pages is None:

        @app.get("/", include_in_schema=False)
        async def instead() -> Response:
            return RedirectResponse("/docs", 307)

        return

    @app.get("/", include_in_schema=False)
    async def live() -> Response:
        return FileResponse(pages / "index.html", headers=_FRESH)

    @app.get("/local", include_in_schema=False)
    async def local() -> Response:
        return FileResponse(pages / "local.html", headers=_FRESH)

    @app.get("/watch/{name}", include_in_schema=False)
    async def watch(name: Annotated[str, InPath(pattern=STREAM_PATTERN)]) -> Response:
        return FileResponse(pages / "watch.html", headers=_FRESH)

    app.mount("/static", Files(directory=pages), name="static")
