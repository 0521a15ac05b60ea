"""The Clip tab: a video in, a part of it painted while one watches, then both played in step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import cv2
import gradio as gr

from streamer.engine import Frame
from streamer.settings import Look
from web.demo import actions, clips
from web.demo import look as looks
from web.demo.actions import STOPPED, Actions, worked
from web.demo.look import look_of
from web.demo.parts import AT_ONCE, OUR_CLIP, Parts
from web.demo.pictures import encoded
from web.demo.problems import warn
from web.demo.status import line, trouble, working
from web.demo.task import Task

WHAT = "clip"
PREVIEW = 480  # pixels of the width of a frame that is shown while the clip is painted
EMPTY = '<div class="empty"></div>'
EVERY = 0.5  # seconds between such frames
# Media events do not bubble, but they can be caught on their way down. The painted clip leads, the other follows.
IN_STEP = """
const pair = () => element.querySelectorAll("video");
const follow = (event) => {
  const [before, after] = pair();
  if (!after || event.target !== after) return;
  before.playbackRate = after.playbackRate;
  const late = Math.abs(before.currentTime - after.currentTime);
  if (late > (event.type === "timeupdate" ? 0.12 : 0)) before.currentTime = after.currentTime;
  if (after.paused) before.pause(); else before.play().catch(() => {});
};
for (const name of ["play", "pause", "seeking", "seeked", "ratechange", "timeupdate", "ended"])
  element.addEventListener(name, follow, true);
"""


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    ours = str(parts.scratch.keep_copy(OUR_CLIP))
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=3, min_width=340):
            stage = gr.HTML(_figures(EMPTY, EMPTY), elem_classes="pair", js_on_load=IN_STEP)
            below = actions.build("Paint our clip, or choose yours below.", "Paint the clip")
            with gr.Row():
                start = gr.Slider(0, 60, 0, step=0.1, label="Begin at, s")
                seconds = gr.Slider(0.1, 60, 10, step=0.1, label="Length, s")
            clip = gr.Video(ours, label="Your clip", sources=["upload"], height=260, elem_classes="well", buttons=[])
            examples = gr.Examples([[ours]], [clip], label="Or ours", api_visibility="private")
        with gr.Column(scale=2, min_width=320):
            controls = looks.build(parts)

    def chosen(clip: str | None) -> tuple[Any, Any, str]:
        try:
            return _trim(parts, clip)
        except Exception as error:  # noqa: BLE001  the visitor is told, whatever it is
            return gr.skip(), gr.skip(), trouble(warn(error))

    for told in (parts.page.load, clip.input, examples.load_input_event.then):
        told(chosen, clip, [start, seconds, below.status], **AT_ONCE)
    below.go.click(**below.event(painter(parts, below), [clip, start, seconds, *controls.inputs], stage))
    below.on_stop(parts, WHAT)


def _trim(parts: Parts, clip: str | None) -> tuple[Any, Any, str]:
    """The sliders for a clip, and what is said of it."""
    if not clip:
        return gr.skip(), gr.skip(), line("Choose a clip, or take ours below.")
    info = clips.look_at(parts, parts.uploaded(clip, "clip"))
    length = info.duration or parts.limits.seconds
    said = f"{info.width} × {info.height}, {length:.1f} s."
    if length > parts.limits.seconds:
        said += f" At most {parts.limits.seconds:g} s are painted at a time: choose a part."
    longest = max(0.2, round(length, 1))
    return gr.Slider(value=0, maximum=longest - 0.1), gr.Slider(value=longest, maximum=longest), line(said)


def painter(parts: Parts, below: Actions) -> Any:
    """The handler that paints; it yields what the page shows, and is closed when its visitor leaves."""

    def paint(
        clip: str | None,
        start: float,
        seconds: float,
        style: str,
        strength: float,
        preserve_color: bool,
        second: str,
        share: float,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        def work(event: threading.Event) -> Iterator[tuple[Any, ...]]:
            look = look_of(style, strength, preserve_color, second, share)
            yield from _painted(parts, below, parts.uploaded(clip, "clip"), look, start, seconds, event)

        yield from worked(parts, request, WHAT, below, work, STOPPED)

    return paint


def _painted(
    parts: Parts, below: Actions, source: Path, look: Look, start: float, seconds: float, event: threading.Event
) -> Iterator[tuple[Any, ...]]:
    latest, began = clips.Latest(), time.monotonic()

    def work(stop: threading.Event) -> tuple[Path, Path]:
        painted = clips.paint(parts, source, look, start, seconds, stop, latest)
        return painted, clips.as_it_came(parts, source, painted, start, seconds, stop)

    with Task(work, event) as task:
        for _ in task.ticks(EVERY):
            yield _preview(latest), *below.under_way(working(latest.share, _said(latest)))
        after, before = task.result()
    said = f"Painted in {time.monotonic() - began:.1f} s. Play the painted clip: the other follows."
    yield _pair(before, after), *below.done(line(said), after)


def _said(latest: clips.Latest) -> str:
    now = latest.progress
    if now is None:
        return "Opening the clip"
    return f"Frame {now.frames}" + (f" of {now.total}" if now.total else "")


def _preview(latest: clips.Latest) -> Any:
    """The newest frame before and after, as HTML."""
    if latest.pair is None:
        return gr.skip()
    before, after = (encoded(_small(frame)) for frame in latest.pair)
    return _figures(f'<img src="{before}" alt="The frame as it came">', f'<img src="{after}" alt="The frame painted">')


def _small(frame: Frame) -> Any:
    height, width = frame.shape[:2]
    if width <= PREVIEW:
        return frame
    return cv2.resize(frame, (PREVIEW, max(1, round(height * PREVIEW / width))), interpolation=cv2.INTER_AREA)


def _pair(before: Path, after: Path) -> str:
    """Both clips as HTML; the painted one has the controls and the sound."""
    one = f'<video src="{_url(before)}" muted playsinline preload="auto" aria-label="The clip as it came"></video>'
    two = f'<video src="{_url(after)}" controls playsinline preload="auto" aria-label="The clip painted"></video>'
    return _figures(one, two)


def _figures(before: str, after: str) -> str:
    return (
        f"<figure>{before}<figcaption>Before</figcaption></figure>"
        f"<figure>{after}<figcaption>After</figcaption></figure>"
    )


def _url(path: Path) -> str:
    """Where the page finds a file of its own, relative to wherever it is mounted."""
    return escape(f"gradio_api/file={path}")
