"""How far along a job is: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from streamer.cli.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY = 10.0  # seconds between lines where there is no terminal


class Meter(Protocol):
    """Shows progress: `done` from 0 to 1 or None where the end is unknown; `elapsed` in seconds since the start."""

    def update(self, done: float | None, status: str, elapsed: float) -> None:
        """Show the newest state."""


@contextlib.contextmanager
def meter(console: Console, label: str) -> Iterator[Meter]:
    """The meter that fits where stderr goes; gone from the screen at the end."""
    if console.quiet:
        yield Silence()
    elif not sys.stderr.isatty():
        yield Lines(console, label)
    else:
        with _bar() as progress:
            yield Bar(progress, progress.add_task(label, total=1.0, status=""))


class Silence:
    """Shows nothing."""

    def update(self, done: float | None, status: str, elapsed: float) -> None:
        """Nothing."""


class Lines:
    """A line every LINE_EVERY seconds, for logs."""

    def __init__(self, console: Console, label: str) -> None:
        self._console, self._label = console, label
        self._next = LINE_EVERY

    def update(self, done: float | None, status: str, elapsed: float) -> None:
        """Say a line when it is time for one."""
        if elapsed >= self._next:
            self._next = elapsed + LINE_EVERY
            share = "" if done is None else f"{done:4.0%}, "
            self._console.note(f"{self._label}: {share}{status}")


class Bar:
    """A rich progress bar with a status text behind it."""

    def __init__(self, progress: RichProgress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def update(self, done: float | None, status: str, elapsed: float) -> None:
        """Move the bar."""
        if done is None:  # a live source: the bar pulses
            self._progress.update(self._task, total=None, status=status)
        else:
            self._progress.update(self._task, total=1.0, completed=done, status=status)


def _bar() -> RichProgress:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[status]}"))
    # What is written to stderr meanwhile appears above the bar; stdout must stay what it is.
    return Progress(*columns, console=RichConsole(stderr=True), transient=True, redirect_stdout=False)


def share_done(done: float, total: float | None) -> float | None:
    """How much is done, from 0 to 1; None when the total is unknown. An announced total is often a little wrong."""
    return min(done / total, 1.0) if total else None


def time_left(done: float | None, elapsed: float) -> str:
    """`1:05 left` at the rate so far, or nothing while that is a guess."""
    if not done or elapsed <= 0:
        return ""
    return f"{clock(elapsed * (1 - done) / done)} left"


def clock(seconds: float) -> str:
    """Seconds as `1:05` or `2:00:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
