"""One-sentence things that a user should read, collected while work goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Level = Literal["info", "detail"]
Tell = Callable[["Notice"], None]


class Notice(str):
    """A sentence, and whether everybody should see it (`info`) or only those who ask for more (`detail`)."""

    __slots__ = ("level",)
    level: Level

    def __new__(cls, text: str, level: Level = "info") -> Notice:
        """Make a notice of a sentence."""
        self = super().__new__(cls, text)
        self.level = level
        return self


def silent(notice: Notice) -> None:
    """Tell nobody."""
