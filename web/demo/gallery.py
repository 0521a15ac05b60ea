"""The Styles tab: every style with what it makes of the sample, whose picture it is, and how it measures."""

from __future__ import annotations

import base64
from html import escape

import gradio as gr

from streamer.styles import Style
from web.demo.parts import Parts, Shelf

SCORES = (("content", "Content lost"), ("style", "Distance from the paint"), ("e_warp", "Flicker"))


def build(parts: Parts) -> None:
    """The tab, in the Blocks context that is open."""
    gr.HTML("<p>Lower is better in every row of a score card; the picture is our sample in that style.</p>")
    cards = gr.HTML(cards_of(parts), elem_classes="cards")
    parts.shelves.append(Shelf(lambda: cards_of(parts), [cards]))


def cards_of(parts: Parts) -> str:
    """A card for each style, as HTML."""
    return "".join(_card(parts, style) for style in parts.styles())


def _card(parts: Parts, style: Style) -> str:
    picture = base64.b64encode(parts.thumbnail(style).read_bytes()).decode()
    scores = "".join(
        f"<dt>{label}</dt><dd>{style.scores[name]:.2f}</dd>" for name, label in SCORES if name in style.scores
    )
    title, artist, licence = map(escape, (style.title, style.artist, style.licence))
    return (
        f'<article><img src="data:image/jpeg;base64,{picture}" alt="The sample as {title}" loading="lazy">'
        f"<h3>{title}</h3><p>{artist}</p><p>{licence}</p><dl>{scores}</dl></article>"
    )
