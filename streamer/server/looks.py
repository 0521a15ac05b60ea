"""Looks as clients send them: in JSON, in a query, in a form."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import BadOption
from streamer.settings import Look
from streamer.shelf import KeptLibrary

LONGEST_STYLE = 512  # characters of a blend
_STREAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STREAM_PATTERN = f"^{_STREAM.pattern}$"


class LookIn(BaseModel):
    """A look, or a part of one: what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    style: str | None = Field(default=None, max_length=LONGEST_STYLE, examples=["mosaic", "mosaic:0.7,great_wave:0.3"])
    strength: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    preserve_color: bool | None = None

    def over(self, look: Look) -> Look:
        """That look with what is said here."""
        return dataclasses.replace(look, **{name: value for name, value in self if value is not None})


Style = Annotated[str | None, Query(max_length=LONGEST_STYLE, description="A style's name, or a blend of several.")]
Strength = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False, description="0: the input, 1: the style.")]
PreserveColor = Annotated[bool | None, Query(description="Luminance of the style, colours of the input.")]


def query_look(style: Style = None, strength: Strength = None, preserve_color: PreserveColor = None) -> LookIn:
    """A dependency: the look of a query."""
    return LookIn(style=style, strength=strength, preserve_color=preserve_color)


def default_look(library: KeptLibrary) -> Look:
    """What somebody gets who asks for nothing: the default style, or the first where that one is not."""
    names = library.names()
    look = Look()
    if look.style in names or not names:
        return look
    return dataclasses.replace(look, style=names[0])


def look_facts(look: Look) -> dict[str, Any]:
    """A look for a client."""
    return {"style": look.style, "strength": look.strength, "preserve_color": look.preserve_color}


def checked(look: Look, library: KeptLibrary) -> Look:
    """The look, if it can be had. Raises UnknownStyle, BadStyle or BadOption."""
    if look.style.count(",") > 15:
        raise BadOption("A blend may have at most 16 styles.")
    library.resolve(look.style, look.strength)
    return look
