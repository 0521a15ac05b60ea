"""`streamer export`: the network as a file for other runtimes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.train import training_extra
from streamer.export_settings import ExportOptions


@click.command(short_help="Write the network for other runtimes.")
@click.argument("styles", metavar="[STYLE]...", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="The folder for the files.")
@takes(options=ExportOptions)
@speaks()
def export(styles: tuple[str, ...], out: Path, options: ExportOptions, console: Console) -> int:
    """Write the network for TensorFlow Serving, phones (LiteRT), or ONNX Runtime, browsers and TensorRT.

    The file takes the style as an input, and a JSON beside it has those of the STYLEs named, or of all; or each STYLE
    is frozen into a file of its own. Each file is run in its own runtime and compared with the Keras network.

    \b
    streamer export --format onnx --out exported
    streamer export mosaic great_wave:0.7,mosaic:0.3 --freeze --format litert --quantize int8 --out exported
    """
    with training_extra():
        from streamer.export.run import export as write
        from streamer.styles import StyleLibrary

        written = []
        for file in write(StyleLibrary.default(options.model), styles, out, options):
            written.append(file)
            console.say(f"{file.path}: {file.size / 1000:.0f} kB, {file.off}")
    if console.as_json:
        console.result({"written": [asdict(file) for file in written]})
    return 0
