"""The Styles tab: every style with what it makes of our samples, whose picture it is, and how it measures."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

import cv2
import gradio as gr
import numpy as np

from streamer.styles import Style
from web.demo.parts import OF_PAGE, ON_DEVICE, OURS, Parts, Shelf
from web.demo.pictures import encoded

WIDTH = 480  # pixels of the harbour in each style
WORDS = """<p class="lead">What each style makes of two pictures, whose picture it was learned from, and how it measures
on photographs that it has not seen. Less is better: less of their content is lost, and the paint is nearer.</p>"""
SCORES = (("content", "Content lost"), ("style", "Distance from the paint"))
LAYERS = (
    ("style_relu1_1", "of colours and grain"),
    ("style_relu2_1", "of lines"),
    ("style_relu3_1", "of texture"),
    ("style_relu4_1", "of strokes"),
    ("style_relu5_1", "of large forms"),
)


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    samples = Samples(parts)
    gr.HTML(WORDS)
    cards = gr.HTML(cards_of(parts, samples), elem_classes="cards")
    parts.shelves.append(Shelf(lambda: cards_of(parts, samples), [cards]))
    parts.tab.select(samples.painted_cards, outputs=cards, show_progress="hidden", **ON_DEVICE, **OF_PAGE)


class Samples:
    """The harbour in each style, painted when somebody first looks, and kept for as long as the style is the same."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._painted: dict[str, str] = {}  # by a style's checksum: data URLs of some 40 kB

    def of(self, style: Style) -> str | None:
        """A data URL, if it has been painted."""
        return self._painted.get(style.checksum)

    def painted_cards(self) -> str:
        """All cards, each with its sample. Raises BadStyle or MissingDependency."""
        styles = self._parts.styles()
        missing = [style for style in styles if style.checksum not in self._painted]
        if missing:
            harbour = _harbour()
            engine = self._parts.engine
            self._painted = {style.checksum: self._painted[style.checksum] for style in styles if style not in missing}
            for style in missing:
                painted = engine.stylize(harbour, engine.library.resolve(style.name))
                self._painted[style.checksum] = encoded(painted)
        return cards_of(self._parts, self)


def cards_of(parts: Parts, samples: Samples) -> str:
    """A card for each style, as HTML."""
    return "".join(_card(parts, style, samples.of(style)) for style in parts.styles())


def _card(parts: Parts, style: Style, sample: str | None) -> str:
    title, artist, licence = map(escape, (style.title, style.artist, style.licence))
    portrait = f"data:image/jpeg;base64,{base64.b64encode(parts.thumbnail(style).read_bytes()).decode()}"
    pictures = _picture(portrait, f"A cat, as {title}") + (_picture(sample, f"A harbour, as {title}") if sample else "")
    layers = _rows(style, LAYERS)
    more = f"<details><summary>By layer</summary><dl>{layers}</dl></details>" if layers else ""
    return (
        f"<article><div class='samples'>{pictures}</div><h3>{title}</h3><p>{artist} · {licence}</p>"
        f"<dl>{_rows(style, SCORES) or '<dt>Not measured</dt>'}</dl>{more}</article>"
    )


def _picture(url: str, words: str) -> str:
    return f'<img src="{url}" alt="{words}" loading="lazy">'


def _rows(style: Style, named: tuple[tuple[str, str], ...]) -> str:
    return "".join(
        f"<dt>{words}</dt><dd>{style.scores[name]:.2f}</dd>" for name, words in named if name in style.scores
    )


def _harbour() -> Any:
    """Our other sample, (H, W, 3) RGB."""
    picture = cv2.imread(str(OURS[0]))
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)
