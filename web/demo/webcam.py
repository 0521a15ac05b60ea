"""The Webcam tab: Gradio's own streaming, which needs nothing but HTTP, and the way to the live page."""

from __future__ import annotations

import http.client
import urllib.request
from html import escape
from typing import Any
from urllib.parse import urljoin

import gradio as gr

from streamer.live import StyledFrame
from web.demo import look as looks
from web.demo.look import look_of
from web.demo.parts import AT_ONCE, OF_PAGE, Parts
from web.demo.pictures import encoded
from web.demo.problems import told
from web.demo.status import line
from web.demo.webcams import Webcams, decoded

EVERY = 0.1  # seconds between pictures
ASKED = {"video": {"width": {"ideal": 640}, "height": {"ideal": 360}, "frameRate": {"ideal": 24}}}
HINT = "Allow the camera below, then press Record. What comes faster than it is painted is left out: the newest wins."
LIVE = (
    '<a class="live-link" href="{url}" target="_blank" rel="noopener"><b>Smoother, without delay: the live page</b>'
    "<span>Over WebRTC, as fast as your camera</span></a>"
)
LOOK_WITHIN = 1.0  # seconds for a live page to answer


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=3, min_width=340):
            painted = _as_data(
                gr.Image(
                    label="Painted",
                    streaming=True,
                    sources=["webcam"],
                    interactive=False,
                    height=400,
                    elem_classes="stage",
                    buttons=["fullscreen"],
                )
            )
            status = gr.HTML(line(HINT), elem_classes="status")
            camera = _as_data(
                gr.Image(
                    label="You",
                    sources=["webcam"],
                    streaming=True,
                    height=260,
                    elem_classes="well",
                    webcam_options=gr.WebcamOptions(mirror=True, constraints=ASKED),
                    buttons=[],
                )
            )
        with gr.Column(scale=2, min_width=320):
            live = gr.HTML(elem_classes="way")
            controls = looks.build(parts)
    parts.page.load(lambda: live_link(parts.live_url), outputs=live, **AT_ONCE)
    webcams = Webcams(lambda: parts.live, parts.limits.webcams)
    parts.on_leave.append(webcams.forget)

    def paint(
        picture: str | None,
        style: str,
        strength: float,
        preserve_color: bool,
        second: str,
        share: float,
        request: gr.Request,
    ) -> tuple[Any, Any]:
        if picture is None:
            return gr.skip(), gr.skip()
        look = look_of(style, strength, preserve_color, second, share)
        styled = webcams.exchange(request.session_hash or "", decoded(picture), look)
        if styled is None:
            return gr.skip(), gr.skip()
        return encoded(styled.frame), line(figures(styled))

    camera.stream(
        told(paint),
        [camera, *controls.inputs],
        [painted, status],
        stream_every=EVERY,
        time_limit=parts.limits.webcam,
        concurrency_id="webcam",
        concurrency_limit=parts.limits.webcams,
        show_progress="hidden",
        **OF_PAGE,
    )


def figures(styled: StyledFrame) -> str:
    """How a picture was painted, for people."""
    height, width = styled.size
    times = f"{1000 * styled.styled:.0f} ms, after {1000 * styled.queued:.0f} ms in the queue"
    return f"Painted at {width} × {height} in {times}."


def live_link(url: str | None) -> str:
    """A link to the live page as HTML; nothing where there is none that answers. A path of ours needs no asking."""
    if not url or not (url.startswith("/") or _answers(url)):
        return ""
    return LIVE.format(url=escape(url))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(urljoin(url, "healthz"), timeout=LOOK_WITHIN) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _as_data(component: gr.Image) -> gr.Image:
    """The component with pictures as data URLs both ways: Gradio would write each into a file of its own."""

    def url_of(payload: Any) -> str | None:
        return payload.url if payload is not None else None

    def sent(url: str | None) -> Any:
        from gradio.data_classes import Base64ImageData

        return Base64ImageData(url=url) if url else None

    component.preprocess = url_of  # type: ignore[method-assign]
    component.postprocess = sent  # type: ignore[method-assign, assignment]
    return component
