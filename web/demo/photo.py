"""The Photo tab: a picture in, the painted one beside it; every change of the look paints anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from streamer.image import ImageProgress, ImageReport, default_image_output, stylize_image
from streamer.settings import ImageOptions, Look
from web.demo import actions
from web.demo import look as looks
from web.demo.actions import STOPPED, Actions, worked
from web.demo.look import look_of
from web.demo.parts import OURS, Parts
from web.demo.pictures import preview, well
from web.demo.status import line, working
from web.demo.task import Task

SIZES = [
    ("As it came", ""),
    ("2160 p", "2160p"),
    ("1440 p", "1440p"),
    ("1080 p", "1080p"),
    ("720 p", "720p"),
    ("360 p", "360p"),
]
WHAT = "photo"


@dataclass
class Latest:
    """How far a picture is, written by the thread that paints it."""

    share: float = 0.0

    def note(self, progress: ImageProgress) -> None:
        """What the painter tells."""
        self.share = progress.share


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    ours = [str(parts.scratch.keep_copy(path)) for path in OURS]
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=3, min_width=340):
            result = gr.ImageSlider(
                label="Before and after", type="filepath", height=460, buttons=["fullscreen"], elem_classes="stage"
            )
            below = actions.build("The sample is being painted.", keeps_last=True)
            picture = well("Your picture", ours[0], camera=True)
            examples = gr.Examples(
                [[path] for path in ours], [picture], label="Or one of ours", api_visibility="private"
            )
        with gr.Column(scale=2, min_width=320):
            controls = looks.build(parts)
            size = gr.Dropdown(SIZES, value="", label="Output size")
    how = below.event(painter(parts, below), [picture, size, *controls.inputs], result)
    how["trigger_mode"] = "always_last"
    # Not `change`: Gradio tells of that twice for one upload, and a stopped painting would begin again.
    gr.on([parts.page.load, picture.input, size.input, *controls.changes()], **how)
    for picked in (controls.picked, examples.load_input_event):
        picked.then(**how)
    below.on_stop(parts, WHAT)


def painter(parts: Parts, below: Actions) -> Any:
    """The handler that paints; it yields what the page shows, and is closed when its visitor leaves."""

    def paint(
        picture: str | None,
        size: str,
        style: str,
        strength: float,
        preserve_color: bool,
        second: str,
        share: float,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        def work(event: threading.Event) -> Iterator[tuple[Any, ...]]:
            look = look_of(style, strength, preserve_color, second, share)
            yield from _painted(parts, below, picture, size, look, event)

        yield from worked(parts, request, WHAT, below, work, STOPPED)

    return paint


def _painted(
    parts: Parts, below: Actions, picture: str | None, size: str, look: Look, event: threading.Event
) -> Iterator[tuple[Any, ...]]:
    if not picture:
        yield gr.skip(), *below.done(line("Bring a picture: drop, paste, take or choose one."))
        return
    source = parts.uploaded(picture)
    latest = Latest()
    with Task(lambda stop: run(parts, source, look, size, stop, latest), event) as task:
        for _ in task.ticks():
            yield gr.skip(), *below.under_way(working(latest.share))
        report = task.result()
    output = Path(report.output)
    after = preview(output, output.with_name("after.jpg"))
    before = preview(source, output.with_name("before.jpg"), (report.width, report.height))
    yield (str(before), str(after)), *below.done(line(summary(report)), output)


def run(
    parts: Parts, source: Path, look: Look, size: str, stop: threading.Event, latest: Latest | None = None
) -> ImageReport:
    """Paint a visitor's picture into a place of its own, as `streamer image` does. Raises what `stylize_image` does."""
    parts.limits.check_picture(source)
    output = parts.scratch.place(default_image_output(source, look.style).name)
    note = (latest or Latest()).note
    return stylize_image(source, output, parts.engine, look, ImageOptions(size=size or None), progress=note, stop=stop)


def summary(report: ImageReport) -> str:
    """What was done, for people."""
    return f"{report.width} × {report.height} pixels, painted in {report.elapsed:.1f} s."
