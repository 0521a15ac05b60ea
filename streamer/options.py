"""What an option is: a field of a frozen dataclass that knows its bounds and its help.

Command line flags (`--work-size`) and environment names (`STREAMER_WORK_SIZE`) derive from the fields.
The options themselves are in `streamer.settings`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

from streamer.errors import BadOption

ENV_PREFIX = "STREAMER_"
SIZE = re.compile(r"(?P<height>\d{1,9})p|(?P<width>\d{1,9})x(?P<by>\d{1,9})|(?P<factor>\d{0,9}\.?\d{1,9})x")
SIZE_FORMS = "a height (720p), a size (640x360) or a factor (0.5x)"
AUTO = "auto"  # a size that is found out


def option(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    metavar: str | None = None,
    is_size: bool = False,
    may_be_auto: bool = False,
) -> Any:
    """A dataclass field that also knows its bounds and its help text."""
    metadata = {"help": meaning, "low": low, "high": high, "choices": choices, "metavar": metavar, "is_size": is_size}
    metadata["may_be_auto"] = may_be_auto
    return dataclasses.field(default=default, metadata=metadata)


class Checked:
    """A base for frozen dataclasses of `option` fields: checks every value once, when it is built."""

    def __post_init__(self) -> None:
        """Raise BadOption for the first value that is out of bounds."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            check_value(field, getattr(self, field.name))


def flag_name(field: dataclasses.Field[Any]) -> str:
    """`work_size` -> `--work-size`."""
    return "--" + field.name.replace("_", "-")


def check_value(field: dataclasses.Field[Any], value: Any) -> None:
    """Raise BadOption, naming the flag, its limit and what was received, unless the value is in bounds."""
    choices, low, high = (field.metadata.get(key) for key in ("choices", "low", "high"))
    if value is None:
        return
    if choices and value not in choices:
        raise BadOption(f"{flag_name(field)} must be one of {', '.join(choices)}; received {value!r}.")
    automatic = bool(field.metadata.get("may_be_auto"))
    if field.metadata.get("is_size") and not is_size(value) and not (automatic and value == AUTO):
        forms = f"{SIZE_FORMS}, or {AUTO}" if automatic else SIZE_FORMS
        raise BadOption(f"{flag_name(field)} must be {forms}; received {value!r}.")
    if low is None and high is None:
        return
    too_small = low is not None and value < low
    too_large = high is not None and value > high
    if too_small or too_large or not math.isfinite(value):
        if high is None:
            bounds = f"at least {low:g}"
        else:
            bounds = f"from {low:g} to {high:g}"
        raise BadOption(f"{flag_name(field)} must be {bounds}; received {value}.")


def is_size(text: str) -> bool:
    """Whether `text` can mean a size at all; for some picture it may still be too large."""
    match = SIZE.fullmatch(text)
    return match is not None and all(float(number) > 0 for number in match.groups() if number)
