"""Where the inputs of a command are, and where each output goes."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from streamer.errors import OutputError

Command = Callable[..., int]


@dataclass(frozen=True)
class Places:
    """The inputs, as given, and what was said of the outputs. Raises a usage error when they contradict each other."""

    inputs: tuple[str, ...]
    output: Path | None = None
    out_dir: Path | None = None

    def __post_init__(self) -> None:
        if self.output and self.out_dir:
            raise click.UsageError("-o and --out-dir exclude each other.")
        if self.output and len(self.inputs) > 1:
            raise click.UsageError(f"-o names one output, but there are {len(self.inputs)} inputs; use --out-dir.")

    def pairs(self, place: Callable[[str], Path]) -> list[tuple[str, Path]]:
        """Each input with its output; `place` tells where an input's output goes without -o and --out-dir.

        A `file:` URL becomes the path that it means. Raises a usage error where one would spoil another.
        """
        from streamer.media.problems import without_file_url

        inputs = [without_file_url(source) for source in self.inputs]
        if self.output:
            return [(inputs[0], self.output)]
        placed: dict[Path, str] = {}
        for source in inputs:
            target = place(source)
            target = self.out_dir / target.name if self.out_dir else target
            if target in placed:
                raise click.UsageError(f"{placed[target]} and {source} would both become {target}.")
            placed[target] = source
        _refuse_outputs_among_inputs(placed, inputs)
        return [(source, target) for target, source in placed.items()]

    @contextlib.contextmanager
    def folder(self) -> Iterator[None]:
        """Make the folder of --out-dir; take it away again if nothing came into it. Raises OutputError."""
        if self.out_dir is None or self.out_dir.is_dir():
            yield
            return
        try:
            self.out_dir.mkdir(parents=True)
        except OSError as error:
            raise OutputError(f"The folder {self.out_dir} cannot be made: {error.strerror}.") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # not empty: as it should be
                self.out_dir.rmdir()


def _refuse_outputs_among_inputs(placed: dict[Path, str], inputs: list[str]) -> None:
    """With --overwrite one input would be gone before its turn, without it one would be styled a second time."""
    for target, source in placed.items():
        for other in inputs:
            if other != source and target.exists() and os.path.exists(other) and os.path.samefile(target, other):
                raise click.UsageError(f"{target} is an input, but {source} would become it.")


def takes_places(metavar: str, example: str) -> Callable[[Command], Command]:
    """Give a command inputs, -o and --out-dir, as the argument `places`; `example` is a default output."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapper(*, inputs: tuple[str, ...], output: Path | None, out_dir: Path | None, **rest: Any) -> int:
            return command(places=Places(inputs, output, out_dir), **rest)

        path = click.Path(path_type=Path)
        folder = click.option("--out-dir", type=path, metavar="DIR", help="Put the outputs into this folder.")
        output = click.option("-o", "--output", type=path, metavar="OUT", help=f"The output; default: {example}.")
        return click.argument("inputs", metavar=metavar, nargs=-1, required=True)(output(folder(wrapper)))

    return decorate
