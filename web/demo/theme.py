"""The look of the page: the colours, type and shapes of the live page, as Gradio takes them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import gradio as gr
from gradio.themes.utils.fonts import Font

TOKENS = Path(__file__).parents[1] / "live" / "theme.css"
_TOKEN = re.compile(r"^  --(?P<name>[a-z-]+): (?P<value>[^;]+);", re.MULTILINE)
_PAIR = re.compile(r"light-dark\((?P<light>[^,]+), (?P<dark>[^)]+)\)")


@cache
def tokens() -> dict[str, tuple[str, str]]:
    """The live page's custom properties: name to value in light and in dark."""
    found = {}
    for match in _TOKEN.finditer(TOKENS.read_text()):
        pair = _PAIR.fullmatch(match["value"])
        found[match["name"]] = (pair["light"], pair["dark"]) if pair else (match["value"], match["value"])
    return found


def theme() -> gr.themes.Base:
    """Gradio's plain theme, in our colours."""
    return gr.themes.Base(font=[Font("system-ui"), Font("sans-serif")], font_mono=[Font("monospace")])


def css() -> str:
    """What a theme cannot say."""
    return ""


def head() -> str:
    """What goes into the page's head."""
    return ""
