"""The controls of a look, the same on every tab: a style by its picture, how much, a second one, whose colours."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from streamer.settings import Look
from streamer.styles import Style
from web.demo.parts import AT_ONCE, Parts, Shelf

NO_SECOND = ""  # what the second style is when there is none


@dataclass(frozen=True)
class LookControls:
    """The components, and what an event takes of them: `inputs`, in the order of `look_of`."""

    style: gr.State
    gallery: gr.Gallery
    strength: gr.Slider
    preserve_color: gr.Checkbox
    second: gr.Dropdown
    share: gr.Slider
    picked: Any  # the event after which `style` is another

    @property
    def inputs(self) -> list[Any]:
        """For `gr.on(..., inputs=)`."""
        return [self.style, self.strength, self.preserve_color, self.second, self.share]

    def changes(self) -> list[Any]:
        """The triggers after which the look is another one; that a style was picked is told by `picked`."""
        return [self.strength.release, self.preserve_color.input, self.second.input, self.share.release]


def look_of(style: str, strength: float, preserve_color: bool, second: str | None, share: float) -> Look:
    """The look that the controls stand for; strength and share in percent. Raises BadOption."""
    spec = style
    if second and second != style and share > 0:
        spec = f"{style}:{100 - share:g},{second}:{share:g}" if share < 100 else second
    return Look(style=spec, strength=strength / 100, preserve_color=preserve_color)


def build(parts: Parts, label: str = "Style") -> LookControls:
    """The controls, in the Blocks context that is open."""
    names = parts.library.names()
    first = parts.default_style()
    style, known = gr.State(first), gr.State(names)
    gallery = gr.Gallery(
        _pictures(parts),
        label=label,
        columns=4,
        height="auto",
        allow_preview=False,
        selected_index=names.index(first),
        object_fit="cover",
        buttons=[],
        interactive=False,
        elem_classes="styles",
    )
    credit = gr.HTML(credit_of(parts.library.get(first)), elem_classes="credit")
    strength = gr.Slider(0, 100, 100, step=1, label="Strength, %")
    preserve_color = gr.Checkbox(False, label="Keep my colours", info="Brushwork of the style, colours of the picture")
    with gr.Accordion("Blend in a second style", open=False):
        second = gr.Dropdown(_choices(parts), value=NO_SECOND, label="Second style")
        share = gr.Slider(0, 100, 50, step=1, label="Share of the second, %")

    def pick(known: list[str], event: gr.SelectData) -> tuple[str, str]:
        name = known[event.index]
        return name, credit_of(parts.library.get(name))

    def fresh() -> tuple[Any, list[str], Any]:
        parts.library.refresh()
        return gr.Gallery(value=_pictures(parts)), parts.library.names(), gr.Dropdown(choices=_choices(parts))

    picked = gallery.select(pick, known, [style, credit], **AT_ONCE)
    parts.shelves.append(Shelf(fresh, [gallery, known, second]))
    return LookControls(style, gallery, strength, preserve_color, second, share, picked)


def credit_of(style: Style) -> str:
    """Whose picture a style is of, as HTML."""
    return f"<b>{escape(style.title)}</b> · {escape(style.artist)} · {escape(style.licence)}"


def _pictures(parts: Parts) -> list[tuple[str, str]]:
    return [(str(parts.thumbnail(style)), style.title) for style in parts.styles()]


def _choices(parts: Parts) -> list[tuple[str, str]]:
    return [("None", NO_SECOND), *((style.title, style.name) for style in parts.styles())]
