"""`streamer image`: pictures in, styled pictures out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.places import Places, takes_places
from streamer.cli.progress import Meter, time_left
from streamer.cli.restyle import Job, restyle
from streamer.settings import EngineOptions, ImageOptions, Look

if TYPE_CHECKING:
    from streamer.image import ImageProgress, ImageReport


@click.command(short_help="Restyle pictures.")
@takes_places("IN...", "in.STYLE.jpg beside in.jpg")
@takes(look=Look, options=ImageOptions, engine_options=EngineOptions)
@speaks()
def image(places: Places, look: Look, options: ImageOptions, engine_options: EngineOptions, console: Console) -> int:
    """Restyle pictures of any size up to a gigapixel; orientation, transparency and colour profile are kept."""

    def work(job: Job, meter: Meter) -> ImageReport:
        from streamer.image import stylize_image

        return stylize_image(
            Path(job.source),
            job.target,
            job.engine,
            look,
            options,
            progress=lambda now: meter.update(now.share, status(now), now.elapsed),
            notice=console.notice,
            stop=job.stop,
        )

    return restyle(console, places, look, engine_options, place=place, work=work, summary=summary, streams=False)


def place(source: str, style: str) -> Path:
    """`in.jpg` -> `in.mosaic.jpg`."""
    from streamer.image import default_image_output

    return default_image_output(Path(source), style)


def status(now: ImageProgress) -> str:
    """Tiles, the pass over them, and time left."""
    text = f"tile {now.tiles}/{now.total}, pass {now.passes + (now.tiles < now.total)}"
    left = time_left(now.share, now.elapsed)
    return f"{text}, {left}" if left else text


def summary(report: ImageReport) -> str:
    """What was done, in a line for people."""
    tiles = f" in {report.tiles} tiles and {report.passes} passes" if report.tiles > 1 else ""
    return f"{report.output}: {report.width}x{report.height}{tiles}, {report.elapsed:.1f} s"
