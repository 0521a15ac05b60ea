"""The page as an ASGI application: Gradio's behind our guard, with one folder for all that visitors bring."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

if TYPE_CHECKING:
    from web.demo.parts import Parts
    from web.demo.scratch import Scratch

# Read by Gradio and its libraries when they are imported: nobody is told of what is done here.
_QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_SSR_MODE": "False"}


def prepare(scratch: Scratch) -> None:
    """Settle what Gradio reads from the environment; has to come before its first import."""
    os.environ.update(_QUIET | {"GRADIO_TEMP_DIR": str(scratch.folder)})


def application(parts: Parts, *, local_only: bool, mcp: bool = False, mounted_at: str | None = None) -> ASGIApp:
    """The page of these parts, whose lifespan has to run; mounted_at: where in another application, if it is."""
    import gradio as gr
    from fastapi import FastAPI

    from web.demo import theme
    from web.demo.app import build
    from web.demo.guard import Guard

    shell = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page = build(parts)
    gr.mount_gradio_app(
        shell,
        page,
        path="/",
        root_path=mounted_at,
        footer_links=["api"],
        run_history=False,
        show_error=False,  # ours are shown all the same; a surprise of Gradio's own is not
        max_file_size=parts.limits.upload,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=mcp,
        theme=theme.theme(),
        head=theme.head(),
    )
    # A mounted page counts as not launched to Gradio, which then checks no paths of what it copies.
    page.has_launched = True
    return Guard(shell, upload=parts.limits.upload, local_only=local_only, tools=mcp)
