"""The page: its head, its tabs, and what becomes of a visitor who leaves. `build` makes it, `serve_at` mounts it."""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr

from web.demo import api, clip, gallery, new_style, photo, slow, theme, webcam
from web.demo.parts import AT_ONCE, Parts

TITLE = "Streamer · demo"
HEAD = """<header class="masthead"><div class="mark"><img src="{icon}" alt="">Streamer</div>
<h1>Any picture, as a painting.</h1>
<p>Bring a photo, a clip or your webcam. It is painted on this machine, and deleted soon after.</p></header>"""


def build(parts: Parts) -> gr.Blocks:
    """The page of these parts; opens no engine."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        parts.page = page
        gr.HTML(HEAD.format(icon=theme.icon()), padding=False)
        with gr.Tabs(overflow_behavior="wrap"):  # on a phone all of them are there, in two rows
            for name, build_tab in tabs(parts):
                with gr.Tab(name, id=name) as parts.tab:
                    build_tab(parts)
        api.build(parts)
        for shelf in parts.shelves:
            page.load(shelf.fresh, outputs=shelf.shown_in, **AT_ONCE)
        for each in parts.when_built:
            each(functools.partial(refresh_styles, parts))
        page.unload(_leaver(parts))
    page.queue(max_size=parts.limits.waiting, default_concurrency_limit=4)
    return page


def tabs(parts: Parts) -> list[tuple[str, Any]]:
    """Name and builder of each tab that this page has."""
    return [
        ("Photo", photo.build),
        ("Webcam", webcam.build),
        ("Clip", clip.build),
        ("Paint slowly", slow.build),
        ("New style", new_style.build),
        ("Styles", gallery.build),
    ]


def refresh_styles(parts: Parts, trigger: Any) -> None:
    """After `trigger` (such as `event.then`) every list of styles on the page is filled anew."""
    for shelf in parts.shelves:
        trigger(shelf.fresh, outputs=shelf.shown_in, **AT_ONCE)


def _leaver(parts: Parts) -> Any:
    def leave(request: gr.Request) -> None:
        """Nothing goes on for a visitor who has left."""
        parts.stops.stop(request.session_hash)
        for each in parts.on_leave:
            each(request.session_hash)

    return leave
