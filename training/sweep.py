"""`streamer train --sweep`: short runs over a grid of values, to choose from by eye and by score.

A sweep's folder holds `sweep.json`, which says what is to be tried, and a run's folder for each trial; a trial that has
its `result.json` is done. So a sweep that was stopped goes on where it stopped, in the middle of a trial too.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadOption, BadStyle
from streamer.files import write_atomically
from streamer.model import load_network
from streamer.training_settings import TRIAL_STEPS, TrainOptions
from training.cli import Ground, Teller, begin, load_vgg, prepare
from training.data import read_picture
from training.evaluate import LAYERS, score
from training.exports import read_export
from training.plan import Picture, make_recipe
from training.preview import run_network
from training.recipe import Recipe
from training.run import run
from training.sheet import Cell, draw_sheet
from training.vgg import Features

PLAN, RESULT, PAINTED, SHEET = "sweep.json", "result.json", "painted.png", "sweep.png"
OF_OPTIONS = ("content_weight", "temporal_weight", "teacher_weight", "learning_rate")  # fields of TrainOptions
PARAMETERS = ("style_weight", "style_size", *OF_OPTIONS)
MOST_TRIALS = 64
SHOWN = 2  # photographs in each cell; the score is a mean over SCORED of them
SCORED = 6
Axes = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Trial:
    """One run of a sweep: the values it tries, its recipe, and once it is done its scores."""

    number: int
    values: dict[str, float]
    recipe: Recipe
    scores: dict[str, float]


@dataclass(frozen=True)
class Swept:
    """What a sweep came to: the sheet's file, all trials, and the command line that trains one of them in full."""

    sheet: Path
    trials: list[Trial]
    command: list[str]


def parse_axes(texts: Sequence[str]) -> Axes:
    """`["style_weight=1,3,10", "content_weight=1,2"]` -> values by parameter, in that order. Raises BadOption."""
    axes: Axes = {}
    for text in texts:
        name, equals, listed = text.partition("=")
        if not equals or name not in PARAMETERS:
            raise BadOption(
                f"--sweep takes NAME=VALUE,VALUE with a name out of {', '.join(PARAMETERS)}; received {text!r}."
            )
        if name in axes:
            raise BadOption(f"--sweep was given {name} twice.")
        try:
            axes[name] = tuple(float(value) for value in listed.split(","))
        except ValueError as error:
            raise BadOption(f"--sweep takes numbers such as {name}=1,3,10; received {text!r}.") from error
        if len(set(axes[name])) < len(axes[name]):
            raise BadOption(f"--sweep names a value twice in {text!r}.")
    count = int(np.prod([len(values) for values in axes.values()]))
    if count > MOST_TRIALS:
        raise BadOption(f"--sweep makes at most {MOST_TRIALS} trials; these values make {count}.")
    return axes


def plan_trials(axes: Axes, picture: Picture, content: Sequence[Path], options: TrainOptions) -> list[Trial]:
    """A trial for each combination; the first parameter changes fastest. Raises BadOption for a value out of bounds."""
    names = list(axes)
    trials = []
    for number, reverse in enumerate(itertools.product(*(axes[name] for name in reversed(names))), start=1):
        values = dict(zip(names, reversed(reverse), strict=True))
        tried = replace(
            picture,
            weight=values.get("style_weight", picture.weight),
            sizes=(round(values["style_size"]),) if "style_size" in values else picture.sizes,
        )
        of_run: dict[str, Any] = {name: value for name, value in values.items() if name in OF_OPTIONS}
        recipe = make_recipe([tried], content, replace(options, **of_run))
        trials.append(Trial(number, values, recipe, {}))
    return trials


def sweep(
    axes: Axes,
    pictures: Sequence[Picture],
    content: Sequence[Path],
    options: TrainOptions,
    *,
    folder: Path,
    command: Sequence[str],
    tell: Teller,
    resume: bool = False,
) -> Swept:
    """Run all trials and draw them into one picture, anew after each; returns them with their scores.

    command: the command line that trains in full, to which a trial's values are added. With `resume`, what is tried is
    read from the folder. Raises BadOption, BadMedia, BadStyle, and Interrupted from `tell`.
    """
    if resume:
        axes, trials, command = _read_plan(folder)
        ground = prepare(trials[0].recipe, tell)
    else:
        if (folder / PLAN).exists():
            raise BadOption(f"{folder} holds an earlier sweep: --resume goes on with it, --run-dir DIR begins another.")
        trials, ground = _begin(axes, pictures, content, options, tell)
        _write_plan(folder, axes, trials, command)
    vgg = ground.vgg or load_vgg(trials[0].recipe, tell)  # trials are compared by score, whatever they learn from
    ground, features = replace(ground, vgg=vgg), Features(vgg, LAYERS)
    for i, trial in enumerate(trials):
        place = folder / f"trial-{trial.number:02}"
        if not (place / RESULT).exists():
            _train(trial, len(trials), place, ground, options.preview_every, tell)
            _judge(trial, place, ground, features)
        trials[i] = replace(trial, scores=json.loads((place / RESULT).read_text()))
        _draw(folder, axes, trials, ground)
    return Swept(folder / SHEET, trials, list(command))


def _begin(
    axes: Axes, pictures: Sequence[Picture], content: Sequence[Path], options: TrainOptions, tell: Teller
) -> tuple[list[Trial], Ground]:
    """The trials, all of one length on the same photographs, and what they need."""
    if len(pictures) != 1:
        raise BadOption(f"--sweep is for one picture; received {len(pictures)}.")
    trials = plan_trials(axes, pictures[0], content, options)
    first = trials[0].recipe
    if options.steps is None and options.minutes is None:
        first = replace(first, steps=TRIAL_STEPS)
    first, ground = begin(first, options, tell)
    shared: dict[str, Any] = {"steps": first.steps, "content": first.content, "content_credit": first.content_credit}
    return [replace(trial, recipe=replace(trial.recipe, **shared)) for trial in trials], ground


def _train(trial: Trial, of: int, place: Path, ground: Ground, keep_every: int, tell: Teller) -> None:
    def report(step: int, total: int, losses: dict[str, float]) -> None:
        tell((trial.number - 1) * total + step, of * total, losses)

    keras.backend.clear_session()  # or the graphs of all trials would stay in memory
    run(trial.recipe, place, report=report, library=ground.library, keep_every=keep_every, vgg=ground.vgg)


def _judge(trial: Trial, place: Path, ground: Ground, features: Features) -> None:
    """Paint held-out photographs as the trial learnt to, and score them."""
    (source,) = trial.recipe.styles
    made = read_export(place / "export")
    modulation = made.styles[source.name].modulation
    paint = functools.partial(run_network, load_network(made.trunk), modulation=modulation)
    views = ground.previews(SCORED)
    scores = score(features, paint, read_picture(Path(source.picture)), views)
    side_by_side = np.hstack([_square(paint(view)) for view in views[:SHOWN]])
    cv2.imwrite(str(place / PAINTED), cv2.cvtColor(side_by_side, cv2.COLOR_RGB2BGR))
    write_atomically(place / RESULT, json.dumps(scores).encode())


def _square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of a picture, as high as wide, so that all cells are of one size."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def _draw(folder: Path, axes: Axes, trials: Sequence[Trial], ground: Ground) -> None:
    """The sheet: the first parameter's values side by side, all others' beneath each other; photographs on top."""
    before = np.hstack([_square(view) for view in ground.previews(SHOWN)])
    across = next(iter(axes))
    cells = []
    for trial in trials:
        path = folder / f"trial-{trial.number:02}" / PAINTED
        painted = read_picture(path) if trial.scores else np.full_like(before, 128)
        label = ", ".join(f"{name} {value:g}" for name, value in trial.values.items())
        scores = ", ".join(f"{name} {trial.scores[name]:.3f}" for name in ("content", "style") if trial.scores)
        cells.append(Cell(painted, f"{trial.number}: {label}", scores or "not trained yet"))
    (source,) = trials[0].recipe.styles
    title = f"{source.name}, {trials[0].recipe.steps} steps each; scores: lower is better"
    picture = draw_sheet(title, read_picture(Path(source.picture)), before, cells, len(axes[across]))
    cv2.imwrite(str(folder / SHEET), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def _write_plan(folder: Path, axes: Axes, trials: Sequence[Trial], command: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    listed = [{"values": trial.values, "recipe": json.loads(trial.recipe.to_json())} for trial in trials]
    plan = {"axes": axes, "command": list(command), "trials": listed}
    write_atomically(folder / PLAN, json.dumps(plan, indent=1).encode())


def _read_plan(folder: Path) -> tuple[Axes, list[Trial], list[str]]:
    """What `_write_plan` wrote. Raises BadStyle when there is none."""
    try:
        plan = json.loads((folder / PLAN).read_text())
        trials = [
            Trial(number, item["values"], Recipe.from_json(json.dumps(item["recipe"])), {})
            for number, item in enumerate(plan["trials"], start=1)
        ]
        return {name: tuple(values) for name, values in plan["axes"].items()}, trials, list(plan["command"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadStyle(f"There is no sweep to resume in {folder}: {error}.") from error
