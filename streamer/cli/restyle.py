"""What `transcode` and `image` share: one look, many inputs, and going on after an input that fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.cli.console import EXIT_FAILED, EXIT_MISUSED, Console, sentence_of
from streamer.cli.places import Places
from streamer.cli.progress import Meter, meter
from streamer.cli.signals import StopFlag, stop_on_signals
from streamer.errors import Interrupted
from streamer.settings import EngineOptions, Look

if TYPE_CHECKING:
    from streamer.engine import Engine
    from streamer.styles import StyleLibrary


@dataclass(frozen=True)
class Job:
    """One input on its way."""

    source: str
    target: Path
    engine: Engine
    stop: StopFlag


Work = Callable[[Job, Meter], Any]  # returns a report, a dataclass


def restyle(
    console: Console,
    places: Places,
    look: Look,
    engine_options: EngineOptions,
    *,
    place: Callable[[str, str], Path],
    work: Work,
    summary: Callable[[Any], str],
    streams: bool,
) -> int:
    """Do the work for every input; returns the exit code.

    place: where the output of an input in a style goes when nobody says. streams: whether inputs are video, which runs
    on what is best on this machine.
    """
    with stop_on_signals() as stop:
        from streamer.media.atomic import remove_unfinished
        from streamer.styles import StyleLibrary

        stop.before_leaving = remove_unfinished
        # An unknown style is told before anything is loaded or made.
        library = StyleLibrary.default(engine_options.model).select(look.style)
        pairs = places.pairs(lambda source: place(source, look.style))
        outcome = Outcome(console, len(pairs))
        with places.folder(), _opened(library, engine_options, streams, console) as engine:
            for source, target in pairs:
                outcome.attempt(Job(source, target, engine, stop), work, summary)
                if outcome.stopped:
                    break
        return outcome.finish(stop)


def _opened(library: StyleLibrary, options: EngineOptions, streams: bool, console: Console) -> Engine:
    from streamer.engine import Engine

    if streams:
        return Engine.for_streams(library, options, console.detail)
    engine = Engine(library, options)
    console.detail(f"The network runs on {engine.runtime_name}.")
    return engine


@dataclass
class Outcome:
    """What came of the inputs so far."""

    console: Console
    total: int
    results: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    stopped: bool = False

    def attempt(self, job: Job, work: Work, summary: Callable[[Any], str]) -> None:
        """Do one input and note how it went."""
        from streamer.media.problems import shown

        try:
            with meter(self.console, job.target.name) as bar:
                report = work(job, bar)
        except Interrupted as error:
            self.console.complain(str(error))
            self.stopped = True
        except Exception as error:  # noqa: BLE001  one input's surprise must not cost the others their turn
            self.codes.append(self.console.fail(error))
            self.failed.append({"input": shown(job.source), "error": sentence_of(error)})
        else:
            self.results.append(dataclasses.asdict(report))
            self.console.say(summary(report))

    def finish(self, stop: StopFlag) -> int:
        """Say what failed, give the JSON, and return the exit code."""
        if self.failed and self.total > 1:
            names = ", ".join(each["input"] for each in self.failed)
            self.console.complain(f"{len(self.failed)} of {self.total} inputs failed: {names}.")
        if self.console.as_json:
            # That of a single input has its report at the top as well, for scripts that know only one.
            top = self.results[0] if self.total == 1 and self.results else {}
            self.console.result({**top, "results": self.results, "failed": self.failed})
        return stop.exit_code if self.stopped else worst(self.codes)


def worst(codes: Sequence[int]) -> int:
    """The exit code for several inputs: misused only when that is all that went wrong."""
    if not codes:
        return 0
    return EXIT_MISUSED if set(codes) == {EXIT_MISUSED} else EXIT_FAILED
