"""The score card as plots."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from training.card import StyleCard

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vP*X"


def content_against_style(cards: Sequence[StyleCard]) -> bytes | None:
    """A PNG of one point for each style: near the origin is good. None where no style was scored."""
    scored = [card for card in cards if "style" in card.scores]
    if not scored:
        return None
    figure, axes = _figure(7, 5)
    programs = list(dict.fromkeys(card.program for card in scored))
    for i, program in enumerate(programs):
        points = [
            (card.scores["content"], card.scores["style"], card.style) for card in scored if card.program == program
        ]
        content, style, names = zip(*points, strict=True)
        axes.scatter(content, style, marker=MARKERS[i % len(MARKERS)], label=program)
        for place in zip(content, style, names, strict=True):
            axes.annotate(place[2], place[:2], xytext=(5, 4), textcoords="offset points", fontsize=8)
    right, top = (1.15 * max(card.scores[name] for card in scored) for name in ("content", "style"))
    axes.set(xlabel="content lost", ylabel="distance to the style", xlim=(0, right), ylim=(0, top))
    axes.legend()
    return _png(figure)


def warping_errors(cards: Sequence[StyleCard], gap: int = 1) -> bytes | None:
    """A PNG of bars, for each clip one for each style, and the clip's own as a line. None where there are no clips."""
    measured = [card for card in cards if any(gap in clip.e_warp for clip in card.clips.values())]
    names = list(dict.fromkeys(name for card in measured for name, clip in card.clips.items() if gap in clip.e_warp))
    if not names:
        return None
    figure, axes = _figure(max(7.0, 0.3 * len(names) * (len(measured) + 1)), 5)
    width = 0.8 / len(measured)
    for i, card in enumerate(measured):
        there = [(j, card.clips[name]) for j, name in enumerate(names) if name in card.clips]
        places = [j - 0.4 + (i + 0.5) * width for j, _ in there]
        axes.bar(places, [1000 * clip.e_warp[gap] for _, clip in there], width, label=card.label)
        for place, (_, clip) in zip(places, there, strict=True):
            axes.hlines(1000 * clip.own[gap], place - width / 2, place + width / 2, color="black", linewidth=1.5)
    axes.set_xticks(np.arange(len(names)), names, rotation=20, ha="right", fontsize=8)
    axes.set(ylabel=f"warping error x 1000, gap {gap} (line: the clip's own)")
    axes.legend(fontsize=8)
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure  # without pyplot, which would look for a display

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    return file.getvalue()
