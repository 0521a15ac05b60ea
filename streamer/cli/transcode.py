"""`streamer transcode`: video files and URLs in, styled files out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.places import Places, takes_places
from streamer.cli.progress import Meter, clock, share_done, time_left
from streamer.cli.restyle import Job, restyle
from streamer.settings import EngineOptions, Look, TranscodeOptions

if TYPE_CHECKING:
    from streamer.transcode import Progress, TranscodeReport


@click.command(short_help="Restyle video files and URLs.")
@takes_places("INPUT...", "in.STYLE.mp4 beside in.mp4")
@takes(look=Look, options=TranscodeOptions, engine_options=EngineOptions)
@speaks()
def transcode(
    places: Places, look: Look, options: TranscodeOptions, engine_options: EngineOptions, console: Console
) -> int:
    """Restyle video: any file or URL that FFmpeg reads, to mp4, mkv, mov, webm or gif.

    Timestamps, audio, subtitles, chapters, metadata, rotation and colours stay as they were.
    """

    def work(job: Job, meter: Meter) -> TranscodeReport:
        from streamer.transcode import transcode as transcode_file

        return transcode_file(
            job.source,
            job.target,
            job.engine.stream(look),
            options,
            progress=lambda now: meter.update(done(now), status(now), now.elapsed),
            notice=console.notice,
            stop=job.stop,
        )

    return restyle(console, places, look, engine_options, place=place, work=work, summary=summary, streams=True)


def place(source: str, style: str) -> Path:
    """`in.mp4` -> `in.mosaic.mp4`."""
    from streamer.media.naming import default_output

    return default_output(source, style)


def done(now: Progress) -> float | None:
    """From 0 to 1, by frames where their number is known, else by time."""
    return share_done(now.frames, now.total) if now.total else share_done(now.seconds, now.total_seconds)


def status(now: Progress) -> str:
    """Frames, frames a second, speed and time left."""
    frames = f"{now.frames}/{now.total} frames" if now.total else f"{now.frames} frames"
    if now.elapsed <= 0:
        return frames
    parts = [frames, f"{now.frames / now.elapsed:.1f} fps", f"{now.seconds / now.elapsed:.2f}x"]
    left = time_left(done(now), now.elapsed)
    return ", ".join([*parts, left] if left else parts)


def summary(report: TranscodeReport) -> str:
    """What was done, in a line for people."""
    cut = " (what could be read of a truncated input)" if report.partial else ""
    return (
        f"{report.output}{cut}: {report.frames} frames, {clock(report.seconds)} of {report.width}x{report.height} "
        f"{report.codec} in {report.elapsed:.1f} s, {report.fps:.1f} fps, {report.speed:.2f}x"
    )
