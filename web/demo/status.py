"""The line below a picture: what is going on, as HTML that is also read aloud."""

from __future__ import annotations

from html import escape


def line(sentence: str) -> str:
    """What is so."""
    return f'<p role="status">{escape(sentence)}</p>'


def trouble(sentence: str) -> str:
    """What failed."""
    return f'<p role="alert" class="trouble">{escape(sentence)}</p>'


def duration(seconds: float) -> str:
    """A time for people."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def working(share: float | None, what: str = "Painting") -> str:
    """What is under way; share: how far it is, from 0 to 1, None while that is not known."""
    known = f' value="{share:.3f}"' if share else ""
    return f'<p role="status">{escape(what)} <progress max="1"{known}></progress></p>'
