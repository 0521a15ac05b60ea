"""What a user reads: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from streamer.cli.chatter import silent_libraries
from streamer.errors import BadOption, StreamerError, UnknownStyle

EXIT_FAILED = 1
EXIT_MISUSED = 2


@dataclass(frozen=True)
class Console:
    """How much to say, and in which form."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    def result(self, value: dict[str, Any]) -> None:
        """The one JSON object of a command that was asked for it."""
        click.echo(json.dumps(_plain(value), indent=2, allow_nan=False))

    def say(self, line: str) -> None:
        """What was done, for people: a line on stdout."""
        if not (self.quiet or self.as_json):
            click.echo(line)

    def note(self, sentence: str) -> None:
        """Something worth knowing that is no failure."""
        if not self.quiet:
            click.echo(f"streamer: {sentence}", err=True)

    def detail(self, sentence: str) -> None:
        """Something that only `-v` asks for."""
        if self.verbose:
            click.echo(f"streamer: {sentence}", err=True)

    def notice(self, sentence: str) -> None:
        """What happened to a file on its way; one whose `level` is "detail" only with `-v`."""
        (self.detail if getattr(sentence, "level", "info") == "detail" else self.note)(sentence)

    def complain(self, sentence: str) -> None:
        """Why something failed; said even when quiet."""
        click.echo(f"streamer: {sentence}", err=True)

    def fail(self, error: Exception) -> int:
        """Say an error in one sentence and return its exit code; the traceback only of a surprise, with `-v`."""
        self.complain(sentence_of(error))
        if self.verbose and not isinstance(error, StreamerError):
            click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
        return exit_code_of(error)


def sentence_of(error: Exception) -> str:
    """An error as one sentence on one line."""
    if isinstance(error, StreamerError):
        return " ".join(str(error).split())
    what = " ".join(str(error).split())
    return f"Unexpected {type(error).__name__}{': ' + what if what else ''} (-v shows where)."


def exit_code_of(error: Exception) -> int:
    """2 for what a user can mend in the command line, 1 for everything else."""
    return EXIT_MISUSED if isinstance(error, BadOption | UnknownStyle) else EXIT_FAILED


def _plain(value: Any) -> Any:
    """Only what JSON knows: paths become text, NumPy numbers plain ones, NaN and infinity null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str | int):
        return value
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays, without importing NumPy
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def speaks(*, as_json: bool = True, progress: bool = True) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command --json, --quiet and -v as its `console`, and turn what it raises into a sentence and a code."""

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def wrapper(*args: Any, json: bool = False, quiet: bool = False, verbose: bool = False, **rest: Any) -> int:
            console = Console(json, quiet, verbose)
            try:
                with contextlib.nullcontext() if verbose else silent_libraries():
                    return command(*args, console=console, **rest)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:  # noqa: BLE001  the last one to know: a user gets a sentence, never a traceback
                return console.fail(error)

        options = [click.option("-v", "--verbose", is_flag=True, help="Say more, and show where a surprise came from.")]
        if progress:
            options.append(click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."))
        if as_json:
            options.append(click.option("--json", is_flag=True, help="One JSON object of results on stdout."))
        decorated: Callable[..., int] = wrapper
        for option in options:
            decorated = option(decorated)
        return decorated

    return decorate
