"""The score card as tables: rows of text, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.card import ScoreCard, Steadiness, StyleCard, mean_steadiness
from training.vgg import STYLE_LAYERS


@dataclass(frozen=True)
class Table:
    """A heading, a sentence of what it shows, and cells; the first columns are names, the others numbers."""

    title: str
    meaning: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    names: int = 2  # columns


def tables(card: ScoreCard, *, brief: bool = False) -> list[Table]:
    """All tables that have rows; brief ones have the means over scenes only."""
    cards = card.cards
    clips = "Real clips, along the input's optical flow (DIS)."
    moved = "Photographs moved along exactly known paths."
    found = [
        _photographs(cards),
        _steady("Clips", clips, [(each, each.clips) for each in cards], brief),
        _steady("Exact motions", moved, [(each, each.moved) for each in cards], brief),
        _still(cards),
        _artefacts(cards),
    ]
    return [table for table in found if table.rows]


def markdown(table: Table) -> str:
    """A heading, the sentence and the table."""
    marks = ["---"] * table.names + ["---:"] * (len(table.header) - table.names)
    lines = [f"| {' | '.join(cells)} |" for cells in (table.header, marks, *table.rows)]
    return "\n".join([f"## {table.title}", "", table.meaning, "", *lines, ""])


def _photographs(cards: Sequence[StyleCard]) -> Table:
    rows = []
    for card in cards:
        if scores := card.scores:
            terms = [scores.get(name) for name in ("content", "style", *(f"style_{layer}" for layer in STYLE_LAYERS))]
            numbers = ["-" if term is None else f"{term:.3f}" for term in terms]
            rows.append((card.program, card.style, *numbers, str(len(card.photographs))))
    return Table(
        "Photographs",
        "Means over photographs: how much of the content is lost, how far the style is; and the style's part by layer.",
        ("program", "style", "content", "style", *(layer[4:] for layer in STYLE_LAYERS), "photographs"),
        rows,
    )


def _steady(
    title: str, meaning: str, measured: Sequence[tuple[StyleCard, Mapping[str, Steadiness]]], brief: bool
) -> Table:
    rows = []
    for card, scenes in measured:
        shown = {} if brief else dict(scenes)
        if len(scenes) > 1 or (brief and scenes):
            shown[f"mean of {len(scenes)}"] = mean_steadiness(list(scenes.values()))
        rows += [(card.program, card.style, name, *_numbers(steady)) for name, steady in shown.items()]
    header = ("program", "style", "scene", "gap 1", "own", "added", "gap 10", "own", "added", "contrast", "sharpness")
    units = "Warping error x 1000, the input's own, and what styling adds; contrast and sharpness (the input's)."
    return Table(title, f"{meaning} {units}", header, rows, names=3)


def _numbers(steady: Steadiness) -> list[str]:
    errors = [
        f"{1000 * values[gap]:.2f}" if gap in values else "-"
        for gap in (1, 10)
        for values in (steady.e_warp, steady.own, steady.added)
    ]
    contrast = f"{steady.contrast:.1f} ({steady.input_contrast:.1f})"
    return [*errors, contrast, f"{steady.sharpness:.1f} ({steady.input_sharpness:.1f})"]


def _still(cards: Sequence[StyleCard]) -> Table:
    rows = [
        (card.program, card.style, name, *(f"{value:.2f}" for value in (s.own, s.per_frame, s.running, s.ratio)))
        for card in cards
        for name, s in card.still.items()
    ]
    meaning = (
        "Mean deviation of a pixel over time, in levels of 255: of the input, of frames styled apart, and as a stream."
    )
    return Table(
        "Still scenes", meaning, ("program", "style", "scene", "input", "apart", "stream", "ratio"), rows, names=3
    )


def _artefacts(cards: Sequence[StyleCard]) -> Table:
    rows = []
    for card in cards:
        if found := card.artefacts:
            values = (found.quarter, found.half, found.border, found.middle, found.border_shift)
            rows.append((card.program, card.style, *(f"{value:.2f}" for value in values)))
    meaning = (
        "Levels of 255: amplitude of a grid at 1/4 and at 1/2 cycle a pixel on flat grey; how a crop differs from the "
        "same place of a larger frame in its outer 16 pixels, in the middle, and, signed, in all along the border."
    )
    return Table("Artefacts", meaning, ("program", "style", "1/4", "1/2", "border", "middle", "shift"), rows)
