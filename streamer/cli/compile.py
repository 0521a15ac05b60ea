"""`streamer compile`: the portable form of a trunk, for the CPU runtime."""

from __future__ import annotations

from pathlib import Path

import click

from streamer.cli.console import Console, speaks


@click.command(short_help="Build the CPU form of a trunk.")
@click.argument("trunk", type=click.Path(path_type=Path), required=False)
@speaks()
def compile(trunk: Path | None, console: Console) -> int:
    """Build the form of a trunk that the CPU runtime runs, beside it; of the shipped trunk when none is named.

    Needed once for a trunk that came without one; needs TensorFlow. A trunk that learnt for 8 bits also gets its
    8-bit form.
    """
    from streamer.compiled import compile_trunk, int8_path
    from streamer.styles import StyleLibrary
    from streamer.trunk import load_trunk

    path = trunk or StyleLibrary.default().trunk_path
    loaded = load_trunk(path)
    compiled = compile_trunk(loaded, path.parent, console.note)
    small = int8_path(compiled) if loaded.is_for_int8 and int8_path(compiled).exists() else None
    if console.as_json:
        console.result({"trunk": path, "compiled": compiled, "int8": small})
    for written in filter(None, (compiled, small)):
        console.say(f"{written}")
    return 0
