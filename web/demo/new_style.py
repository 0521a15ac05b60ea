"""The tab New style: a style is learnt from a picture while one watches, as `streamer train` does it, and then used."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from streamer.errors import BadOption, Interrupted, UnknownStyle
from streamer.styles import NAME, name_of, user_folder
from streamer.training_settings import STYLE_STEPS, TrainOptions
from web.demo import actions, extra
from web.demo.actions import Actions, worked
from web.demo.parts import AT_ONCE, OUR_PAINTINGS, Parts
from web.demo.pictures import encoded, well
from web.demo.problems import warn
from web.demo.status import duration, line, trouble, working
from web.demo.task import Task

WHAT = "training"
EVERY = 0.5  # seconds between looks at the preview
STEP_SECONDS = 0.5  # of a step on two cores of 2024
FEWEST, MOST = 10, 4000  # steps
PREVIEWS = 12  # in a run
LONGEST = 200  # characters of what is said of a picture
EMPTY = '<figure><div class="empty"></div></figure>'
OFF = (
    "New styles cannot be learnt on this page: it can be reached by others, and each style would take this machine "
    "many minutes. At home, `streamer demo` has it, and `streamer train picture.jpg` does the same."
)
WORDS = (
    "A style is learnt from one picture: four kilobytes that turn the network of every other tab into a painter of it. "
    "Photographs that it does not learn from show how far it is. Keep this page open: leaving it ends the learning."
)
HINT = "Choose a picture with paint in it, and read here what it takes: some minutes, and once two downloads."


class Latest:
    """How far a run is, written by the thread that trains. A `training.cli.Teller`."""

    def __init__(self, stop: threading.Event) -> None:
        self.said, self.share = "Starting", 0.0
        self._stop = stop
        self._first: tuple[int, float] | None = None  # step and time of the first step: the rate counts from there

    def __call__(self, step: int, total: int, losses: dict[str, float]) -> None:
        """A step was made. Raises Interrupted."""
        self._check()
        now = time.monotonic()
        first, since = self._first = self._first or (step, now)
        left = (now - since) / (step - first) * (total - step) if step > first else None
        self.share = step / total
        self.said = f"Step {step} of {total}{'' if left is None else f', {duration(left)} left'}"

    def doing(self, what: str, share: float | None = None) -> None:
        """What happens besides steps. Raises Interrupted."""
        self._check()
        self.said, self.share = what[:1].upper() + what[1:], share or 0.0

    def say(self, sentence: str) -> None:
        """Nothing that a visitor has to know."""

    def _check(self) -> None:
        if self._stop.is_set():
            raise Interrupted("Stopped; nothing was kept.")


@dataclass(frozen=True)
class Wish:
    """What a visitor wants to learn."""

    picture: Path
    name: str
    title: str
    artist: str
    licence: str
    steps: int
    weight: float
    size: int  # pixels of the picture's short side when it is looked at


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    if not parts.training:
        gr.HTML(f'<p class="lead">{OFF}</p>')
        return
    gr.HTML(f'<p class="lead">{WORDS}</p>')
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=3, min_width=340):
            stage = gr.HTML(EMPTY, elem_classes="easel")
            below = actions.build(HINT, "Learn this style", stop="Cancel", fetches=False)
            picture = well("The picture")
            ours = [[str(parts.scratch.keep_copy(path))] for path in OUR_PAINTINGS]
            gr.Examples(ours, [picture], label="Or one of ours", api_visibility="private")
        with gr.Column(scale=2, min_width=320):
            wishes = _wishes()
            gr.HTML(extra.where_from(parts.vgg_weights))

    def chosen(picture: str | None, steps: float) -> tuple[str, str]:
        name = free_name(parts, Path(picture).stem) if picture else ""
        return name, look(picture, steps)

    def look(picture: str | None, steps: float) -> str:
        try:
            return _what_it_takes(parts, picture, steps)
        except Exception as error:  # noqa: BLE001  the visitor is told, whatever it is
            return trouble(warn(error))

    name, steps = wishes[0], wishes[4]
    picture.change(chosen, [picture, steps], [name, below.status], **AT_ONCE)
    steps.release(look, [picture, steps], below.status, **AT_ONCE)
    learnt = below.go.click(**below.event(learner(parts, below), [picture, *wishes], stage))
    below.on_stop(parts, WHAT)
    # Last of the tabs that are built, so that every list of styles on the page is known here.
    parts.when_built.append(lambda refresh: refresh(learnt.then))


def _wishes() -> list[Any]:
    """The components that say what to learn, in the order of `wish_of`."""
    name = gr.Textbox(label="Name", info="Small letters, digits, - and _", max_lines=1)
    title = gr.Textbox(label="Title of the picture", max_lines=1)
    artist = gr.Textbox(label="Artist", max_lines=1)
    licence = gr.Textbox(label="Licence", max_lines=1)
    steps = gr.Slider(FEWEST, MOST, STYLE_STEPS, step=10, label="Steps", info="The more, the nearer to the picture.")
    weight = gr.Slider(0.1, 5, 1, step=0.1, label="Weight of the style")
    size = gr.Slider(128, 512, 256, step=32, label="Size of the strokes", info="Of the picture as it is looked at")
    return [name, title, artist, licence, steps, weight, size]


def free_name(parts: Parts, file: str) -> str:
    """A name that no style has yet, made of a file's; empty where nothing is left of that."""
    name, taken = name_of(file), set(parts.library.names())
    numbered = (f"{name[:60]}_{number}" for number in itertools.count(2))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def _what_it_takes(parts: Parts, picture: str | None, steps: float) -> str:
    """What learning from this picture would take, as HTML."""
    if not picture:
        return line(HINT)
    source = parts.uploaded(picture)
    width, height = parts.limits.check_picture(source)
    extra.check_installed()
    wait = duration(steps * STEP_SECONDS)
    told = f"{width} × {height} pixels. About {wait} on two processor cores, far less on a GPU"
    wanted = _downloads(parts)
    told += f", and once the download of {' and '.join(wanted)}." if wanted else "; everything that it needs is here."
    return line(f"{told} The style will be a file of some 4 kB.")


def _downloads(parts: Parts) -> list[str]:
    from training.download import BSDS500, find_photographs, find_vgg

    wanted = []
    if parts.vgg_weights == "imagenet" and find_vgg() is None:
        wanted.append("VGG-19's weights (80 MB)")
    if not parts.content and find_photographs() is None:
        wanted.append(f"photographs to learn on ({BSDS500.title}, 71 MB, {BSDS500.terms})")
    return wanted


def learner(parts: Parts, below: Actions) -> Any:
    """The handler that trains; it yields what the page shows, and is closed when its visitor leaves."""

    def learn(request: gr.Request, picture: str | None, *said: Any) -> Iterator[tuple[Any, ...]]:
        def work(event: threading.Event) -> Iterator[tuple[Any, ...]]:
            wish = wish_of(parts, parts.uploaded(picture), *said)
            yield from _learnt(parts, below, wish, event)

        yield from worked(parts, request, WHAT, below, work)

    return learn


def wish_of(
    parts: Parts,
    picture: Path,
    name: str,
    title: str,
    artist: str,
    licence: str,
    steps: float,
    weight: float,
    size: float,
) -> Wish:
    """What the components say. Raises BadOption or BadMedia, also for a name that a style has already."""
    parts.limits.check_picture(picture)
    name = name.strip() or name_of(picture.stem)
    if not NAME.fullmatch(name):
        raise BadOption(f"A style's name has small letters, digits, '-' and '_', at most 64; received {name!r}.")
    with contextlib.suppress(UnknownStyle):
        parts.library.get(name)
        raise BadOption(f"There is a style {name} already; choose another name.")
    if not FEWEST <= steps <= MOST:
        raise BadOption(f"A style is learnt here in {FEWEST} to {MOST} steps; received {steps:g}.")
    title, artist, licence = (text.strip()[:LONGEST] for text in (title, artist, licence))
    facts = title or name, artist or "unknown", licence or "unknown"
    return Wish(picture, name, *facts, round(steps), weight, round(size))


def _learnt(parts: Parts, below: Actions, wish: Wish, event: threading.Event) -> Iterator[tuple[Any, ...]]:
    extra.check_installed()
    latest = Latest(event)
    with tempfile.TemporaryDirectory(prefix="streamer-run-", ignore_cleanup_errors=True) as name:
        folder, shown = Path(name), 0.0
        with Task(lambda stop: train(parts, wish, folder, latest), event) as task:
            for _ in task.ticks(EVERY):
                stage, shown = _preview(folder, shown)
                yield stage, *below.under_way(working(latest.share, latest.said))
            task.result()
        stage, _ = _preview(folder, 0.0)
    parts.library.refresh()
    yield stage, *below.done(line(f"Learnt. {wish.title} is among the styles of every tab now."))


def train(parts: Parts, wish: Wish, folder: Path, latest: Latest) -> Path:
    """Learn a style, and put it into the user's library; returns its file. Raises what `training.cli.train` does."""
    from training.cli import Place
    from training.cli import train as run
    from training.plan import Picture

    source = folder / f"picture{wish.picture.suffix}"  # ours: visitors' files are deleted while it may still be needed
    shutil.copyfile(wish.picture, source)
    picture = Picture(source, wish.name, wish.title, wish.artist, wish.licence, (wish.size,), wish.weight)
    options = TrainOptions(
        model=parts.library.model,
        steps=wish.steps,
        vgg_weights=parts.vgg_weights,
        preview_every=max(1, wish.steps // PREVIEWS),
    )
    (path,) = run([picture], parts.content, options, folder=folder / "run", place=Place(user_folder()), tell=latest)
    return path


def _preview(folder: Path, shown: float) -> tuple[Any, float]:
    """The contact sheet of the run as HTML, if it is newer than the one that is `shown`; and when it was written."""
    path = folder / "run" / "preview.png"
    with contextlib.suppress(OSError):
        written = path.stat().st_mtime
        sheet = cv2.imread(str(path)) if written > shown else None
        if sheet is not None:
            picture = np.asarray(cv2.cvtColor(sheet, cv2.COLOR_BGR2RGB), np.uint8)
            return f'<figure><img src="{encoded(picture)}" alt="What it paints so far"></figure>', written
    return gr.skip(), shown
