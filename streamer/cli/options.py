"""Command line flags from the dataclasses of `streamer.settings`, and the dataclasses back from the flags."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from typing import Any

import click

from streamer.errors import BadOption
from streamer.options import ENV_PREFIX, flag_name

Command = Callable[..., int]


def takes(**groups: type) -> Callable[[Command], Command]:
    """Give a command the flags of option dataclasses, and each dataclass, built, as the argument of that name.

    `@takes(look=Look)` adds `--style`, `--strength` ... and calls the command with `look=Look(...)`.
    A value out of bounds is a usage error.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapper(**values: Any) -> int:
            for name, group in groups.items():
                fields = {field.name: values.pop(field.name) for field in _fields(group)}
                try:
                    values[name] = group(**fields)
                except BadOption as error:
                    raise click.UsageError(str(error)) from error
            return command(**values)

        decorated: Command = wrapper
        for group in reversed(groups.values()):
            hints = typing.get_type_hints(group)
            for field in reversed(_fields(group)):
                decorated = _flag(field, hints[field.name])(decorated)
        return decorated

    return decorate


def _fields(group: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(group) if field.metadata]


def _flag(field: dataclasses.Field[Any], annotation: Any) -> Callable[[Command], Command]:
    """One click option; the bounds are checked by the dataclass, so that they are written down once."""
    shared: dict[str, Any] = {
        "default": field.default,
        "help": field.metadata["help"] + _bounds(field),
        "envvar": ENV_PREFIX + field.name.upper(),
        "show_default": field.default not in (None, False, ()),
    }
    if annotation is bool:
        return click.option(flag_name(field), is_flag=True, **shared)
    if annotation == (bool | None):  # what is not said depends on something else
        flag = flag_name(field)
        return click.option(f"{flag}/--no-{flag.removeprefix('--')}", **shared)
    if typing.get_origin(annotation) is tuple:  # `tuple[str, ...]`: the flag may be repeated, the name holds several
        kinds = typing.get_args(annotation)
        return click.option(flag_name(field), type=kinds[0], multiple=True, metavar=field.metadata["metavar"], **shared)
    choices = field.metadata["choices"]
    kind = click.Choice(choices) if choices else _not_none(annotation)
    return click.option(flag_name(field), type=kind, metavar=field.metadata["metavar"], **shared)


def _bounds(field: dataclasses.Field[Any]) -> str:
    low, high = field.metadata["low"], field.metadata["high"]
    # A bound that only keeps out nonsense tells a reader nothing.
    return f" From {low:g} to {high:g}." if low is not None and high is not None and high < 1000 else ""


def _not_none(annotation: Any) -> type:
    """`float | None` -> `float`."""
    if isinstance(annotation, types.UnionType):
        (annotation,) = (kind for kind in typing.get_args(annotation) if kind is not types.NoneType)
    return typing.cast(type, annotation)
