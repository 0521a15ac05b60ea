"""The tab Paint slowly: any picture in the style of any other, without a trained style, as `streamer paint` does it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from streamer.errors import BadOption
from streamer.image import default_image_output
from streamer.training_settings import PaintOptions
from web.demo import actions, extra
from web.demo.actions import Actions, worked
from web.demo.parts import OUR_PAINTINGS, OURS, Parts
from web.demo.pictures import encoded, well
from web.demo.status import duration, line, working
from web.demo.task import Task

if TYPE_CHECKING:
    from training.paint.files import PaintReport
    from training.paint.painting import Moment

WHAT = "slow"
EVERY = 0.5  # seconds between looks at the picture
MOST_STEPS = 200
SMALLEST, USUAL = 128, 384  # pixels of the longer side
SAID = PaintOptions()  # the defaults
EMPTY = '<figure><div class="empty"></div></figure>'
LAYERS = "Layers of VGG-19, relu1_1 to relu5_4; a weight follows a colon: relu3_1:0.5"
WORDS = (
    "No style was trained for this: the picture itself is changed, step by step, until VGG-19 sees the content of one "
    "and the style of the other in it (Gatys, Ecker and Bethge 2016). It takes minutes, and any picture will do."
)


class Latest:
    """How far a painting is, written by the thread that paints it."""

    def __init__(self) -> None:
        self.moment: Moment | None = None
        self.doing = "Starting"
        self.share: float | None = None

    def note(self, moment: Moment) -> None:
        """A step was made."""
        self.moment, self.share = moment, moment.share

    def prepare(self, what: str, share: float) -> None:
        """What happens before the first step."""
        self.doing, self.share = what[:1].upper() + what[1:], share


@dataclass(frozen=True)
class Controls:
    """The components that say how to paint, in the order of `options_of`."""

    inputs: list[Any]


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    harbours = [str(parts.scratch.keep_copy(path)) for path in OURS]
    paintings = [str(parts.scratch.keep_copy(path)) for path in OUR_PAINTINGS]
    gr.HTML(f'<p class="lead">{WORDS}</p>')
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=3, min_width=340):
            stage = gr.HTML(EMPTY, elem_classes="easel")
            below = actions.build("Choose two pictures, or begin with ours.", "Paint")
            with gr.Row():
                content = well("What is shown", harbours[0])
                style = well("How it is painted", paintings[0])
            pairs = [[harbours[i], paintings[i]] for i in range(len(OURS))]
            gr.Examples(pairs, [content, style], label="Or ours", api_visibility="private")
        with gr.Column(scale=2, min_width=320):
            controls = _controls(parts)
            gr.HTML(extra.where_from(parts.vgg_weights))

    below.go.click(**below.event(painter(parts, below), [content, style, *controls.inputs], stage))
    below.on_stop(parts, WHAT)


def _controls(parts: Parts) -> Controls:
    most = parts.limits.painting
    size = gr.Slider(SMALLEST, most, min(USUAL, most), step=16, label="Longer side, pixels", info="It starts small.")
    steps = gr.Slider(5, MOST_STEPS, SAID.steps, step=5, label="Steps at that size", info="Smaller sizes have more.")
    content = gr.Slider(0, 5, SAID.content_weight, step=0.05, label="Weight of the content")
    style = gr.Slider(0, 10, SAID.style_weight, step=0.05, label="Weight of the style")
    scale = gr.Slider(0.25, 4, SAID.style_scale, step=0.05, label="Size of the strokes")
    preserve = gr.Checkbox(False, label="Keep my colours", info="Brushwork of the style, colours of the picture")
    with gr.Accordion("How it is done", open=False):
        optimizer = gr.Radio([("L-BFGS", "lbfgs"), ("Adam", "adam")], value=SAID.optimizer, label="Optimiser")
        begin = gr.Radio([("The picture", "content"), ("Noise", "noise")], value=SAID.begin, label="Begin with")
        pooling = gr.Radio([("Average", "average"), ("Maximum", "max")], value=SAID.pooling, label="Pooling in VGG-19")
        variation = gr.Slider(0, 10, SAID.variation_weight, step=0.1, label="Weight of smoothness")
        contents = gr.Textbox(SAID.content_layers, label="Layers of the content", info=LAYERS)
        styles = gr.Textbox(SAID.style_layers, label="Layers of the style", info=LAYERS)
    named = (size, steps, content, style, scale, preserve, optimizer, begin, pooling, variation, contents, styles)
    return Controls(list(named))


def options_of(
    parts: Parts,
    size: float,
    steps: float,
    content_weight: float,
    style_weight: float,
    style_scale: float,
    preserve_color: bool,
    optimizer: str,
    begin: str,
    pooling: str,
    variation_weight: float,
    content_layers: str,
    style_layers: str,
) -> PaintOptions:
    """What the controls say. Raises BadOption, also for more than this page gives."""
    if not (size <= parts.limits.painting and steps <= MOST_STEPS):
        limit = f"{parts.limits.painting} pixels and {MOST_STEPS} steps"
        raise BadOption(f"A slow painting may have at most {limit}; received {size:g} and {steps:g}.")
    return PaintOptions(
        long_side=round(size),
        steps=round(steps),
        content_weight=content_weight,
        style_weight=style_weight,
        style_scale=style_scale,
        preserve_color=preserve_color,
        optimizer=optimizer,
        begin=begin,
        pooling=pooling,
        variation_weight=variation_weight,
        content_layers=content_layers,
        style_layers=style_layers,
        vgg_weights=parts.vgg_weights,
    )


def painter(parts: Parts, below: Actions) -> Any:
    """The handler that paints; it yields what the page shows, and is closed when its visitor leaves."""

    def paint(request: gr.Request, content: str | None, style: str | None, *said: Any) -> Iterator[tuple[Any, ...]]:
        def work(event: threading.Event) -> Iterator[tuple[Any, ...]]:
            options = options_of(parts, *said)
            pictures = parts.uploaded(content), parts.uploaded(style, "style picture")
            yield from _painted(parts, below, *pictures, options, event)

        yield from worked(parts, request, WHAT, below, work)

    return paint


def _painted(
    parts: Parts, below: Actions, content: Path, style: Path, options: PaintOptions, event: threading.Event
) -> Iterator[tuple[Any, ...]]:
    for picture in (content, style):
        parts.limits.check_picture(picture)
    extra.check_installed()
    latest = Latest()
    with Task(lambda stop: run(parts, content, style, options, latest, stop), event) as task:
        shown: Moment | None = None
        for _ in task.ticks(EVERY):
            moment = latest.moment
            stage = gr.skip() if moment is None or moment is shown else _figure(moment)
            shown = moment
            yield stage, *below.under_way(working(latest.share, _said(latest)))
        report = task.result()
    stage = gr.skip() if latest.moment is None else _figure(latest.moment)
    yield stage, *below.done(line(summary(report)), Path(report.output))


def run(
    parts: Parts, content: Path, style: Path, options: PaintOptions, latest: Latest, stop: threading.Event
) -> PaintReport:
    """Paint two of a visitor's pictures into a place of their own, as `streamer paint` does."""
    from training.paint.files import paint_file

    output = parts.scratch.place(default_image_output(content, style.stem).name)
    return paint_file(
        content,
        style,
        output,
        options,
        report=latest.note,
        doing=latest.prepare,
        notice=lambda sentence: None,
        stop=stop,
    )


def _figure(moment: Moment) -> str:
    return f'<figure><img src="{encoded(moment.picture)}" alt="The painting so far"></figure>'


def _said(latest: Latest) -> str:
    """How far it is, for people."""
    now = latest.moment
    if now is None:
        return latest.doing
    height, width = now.picture.shape[:2]
    left = "" if now.left is None else f", {duration(now.left)} left"
    return f"{width} × {height}, step {now.step} of {now.steps}{left}"


def summary(report: PaintReport) -> str:
    """What was done, for people."""
    size = f"{report.width} × {report.height} pixels"
    if not report.whole:
        return f"Stopped after {report.steps} steps; this is what there was, at {size}."
    return f"{size}, painted in {report.steps} steps and {duration(report.elapsed)}."
