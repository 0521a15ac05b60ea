"""The endpoints with names, for `gradio_client`, scripts and, with --mcp, language models: what the tabs do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import gradio as gr

from streamer.settings import Look
from web.demo import clips, photo
from web.demo.parts import ON_DEVICE, Parts
from web.demo.pictures import unopened
from web.demo.problems import told
from web.demo.task import Task

WHAT = "call"
SIZE_INFO = "360p, 1280x720 or 0.5x; empty: as it came"


def build(parts: Parts) -> None:
    """The endpoints, in the Blocks context that is open; nothing of them is shown."""
    with gr.Row(visible=False):
        _add_pictures(parts)
        _add_clips(parts)
        gr.Button().click(told(lister(parts)), None, gr.JSON(label="Styles"), api_name="list_styles", queue=False)


def _add_pictures(parts: Parts) -> None:
    picture = unopened(gr.Image(type="filepath", label="Picture"))
    size = gr.Textbox("", label="Size", info=SIZE_INFO)
    painted = gr.File(label="The painted picture")
    inputs = [picture, *_look(parts), size]
    gr.Button().click(told(picture_painter(parts)), inputs, painted, api_name="stylize_image", **ON_DEVICE)


def _add_clips(parts: Parts) -> None:
    clip = gr.File(label="Clip", type="filepath")
    start = gr.Number(0.0, label="Begin at, s", minimum=0)
    seconds = gr.Number(0.0, label="Length, s; 0: to the end", minimum=0)
    painted = gr.File(label="The painted clip, MP4")
    inputs = [clip, *_look(parts), start, seconds]
    gr.Button().click(told(clip_painter(parts)), inputs, painted, api_name="stylize_video", **ON_DEVICE)


def _look(parts: Parts) -> list[Any]:
    return [
        gr.Textbox(parts.default_style(), label="Style, or a blend such as mosaic:0.7,great_wave:0.3"),
        gr.Number(1.0, label="Strength", minimum=0, maximum=1),
        gr.Checkbox(False, label="Keep the colours"),
    ]


def picture_painter(parts: Parts) -> Any:
    """The handler behind `stylize_image`."""

    def stylize_image(
        request: gr.Request,
        picture: str,
        style: str,
        strength: float = 1.0,
        preserve_color: bool = False,
        size: str = "",
    ) -> str:
        """Repaint a picture in a style.

        Args:
            picture: The picture: JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF.
            style: A name of `list_styles`, or a blend such as mosaic:0.7,great_wave:0.3.
            strength: 0 is the picture, 1 is the style.
            preserve_color: Brushwork of the style, colours of the picture.
            size: Output size, such as 720p, 640x360 or 0.5x; empty for the picture's own.

        Returns:
            The painted picture in full resolution, in the format of the one that came.
        """
        look = Look(style=style, strength=strength, preserve_color=preserve_color)
        source = parts.uploaded(picture)
        return _done(parts, request, lambda stop: photo.run(parts, source, look, size, stop).output)

    return stylize_image


def clip_painter(parts: Parts) -> Any:
    """The handler behind `stylize_video`."""

    def stylize_video(
        request: gr.Request,
        clip: str,
        style: str,
        strength: float = 1.0,
        preserve_color: bool = False,
        start: float = 0.0,
        seconds: float = 0.0,
    ) -> str:
        """Repaint a video, or a part of it, in a style, steady from frame to frame; sound is kept.

        Args:
            clip: The video: mp4, mov, mkv, webm, avi or gif.
            style: A name of `list_styles`, or a blend such as mosaic:0.7,great_wave:0.3.
            strength: 0 is the clip, 1 is the style.
            preserve_color: Brushwork of the style, colours of the clip.
            start: Seconds of the clip at which to begin.
            seconds: Length of the part; 0 for all that follows.

        Returns:
            The painted clip, an MP4.
        """
        look = Look(style=style, strength=strength, preserve_color=preserve_color)
        source = parts.uploaded(clip, "clip")
        return _done(parts, request, lambda stop: str(clips.paint(parts, source, look, start, seconds or None, stop)))

    return stylize_video


def _done(parts: Parts, request: gr.Request, work: Callable[[threading.Event], str]) -> str:
    """What the work returns, which ends when whoever called leaves, or the page."""
    event = parts.stops.begin(request.session_hash, WHAT)
    try:
        with Task(work, event) as task:
            return task.result()
    finally:
        parts.stops.end(request.session_hash, WHAT, event)


def lister(parts: Parts) -> Any:
    """The handler behind `list_styles`."""

    def list_styles() -> list[dict[str, Any]]:
        """All styles that pictures and videos can be repainted in.

        Returns:
            For each its name, title, artist, licence and measured scores (less is better).
        """
        parts.library.refresh()
        shown = ("name", "title", "artist", "licence", "scores")
        return [{name: getattr(style, name) for name in shown} for style in parts.styles()]

    return list_styles
