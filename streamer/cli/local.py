"""`streamer local`: the page that paints on its visitors' devices, for any static host."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.service_settings import LocalOptions

if TYPE_CHECKING:
    from streamer.thumbnails import Stylize


@click.command(short_help="Write a page that paints on its visitors' devices.")
@click.argument("folder", type=click.Path(path_type=Path))
@takes(options=LocalOptions)
@speaks()
def local(folder: Path, options: LocalOptions, console: Console) -> int:
    """Write FOLDER with a page that needs no server of ours: the network runs in the visitor's browser.

    Any static host can serve it; `python -m http.server --directory FOLDER` shows it on this machine.
    """
    from streamer.engine import Engine
    from streamer.styles import StyleLibrary
    from web.local import write_site

    library = StyleLibrary.default()
    with contextlib.ExitStack() as opened:

        def open_stylize() -> Stylize:
            return opened.enter_context(Engine(library)).stylize

        site = write_site(folder, library, open_stylize, overwrite=options.overwrite)
    if console.as_json:
        console.result({"folder": site.folder, "styles": site.styles, "bytes": site.size, "files": site.files})
    console.say(f"{site.folder}: {site.styles} styles, {len(site.files)} files, {site.size / 1e6:.1f} MB")
    return 0
