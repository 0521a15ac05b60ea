"""The `streamer` command: its parts, and what becomes of an error."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

import click

import streamer
from streamer.cli.bench import bench
from streamer.cli.compile import compile as compile_command
from streamer.cli.console import Console
from streamer.cli.demo import demo
from streamer.cli.evaluate import evaluate
from streamer.cli.export import export
from streamer.cli.image import image
from streamer.cli.local import local
from streamer.cli.paint import paint
from streamer.cli.serve import serve
from streamer.cli.styles import styles
from streamer.cli.train import train
from streamer.cli.transcode import transcode
from streamer.cli.upgrade import upgrade

EPILOG = (
    "Options such as --style, --size and --codec can also come from the environment: --work-size as "
    "STREAMER_WORK_SIZE. STREAMER_LIBRARY names the folder of your own styles."
)
EXIT_BROKEN_PIPE = 141  # what a shell reports of a program that SIGPIPE ended


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(streamer.__version__, prog_name="streamer", message="%(prog)s %(version)s")
def cli() -> None:
    """Repaint video and pictures in the style of a painting, steady from frame to frame."""


for command in (transcode, image, paint, styles, train, evaluate, compile_command, export, bench, serve, demo, local):
    cli.add_command(command)
styles.add_command(upgrade)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 misused, 130 and 143 stopped."""
    for stream in (sys.stdout, sys.stderr):
        # A file name need not be printable in the terminal's encoding; that must not become an error of its own.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = run(arguments)
    gc.freeze()  # it all goes with the process; going through Gradio's objects once more would take most of a second
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code."""
    try:
        code = cli.main(args=arguments, prog_name="streamer", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        Console().complain(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        Console().complain("Stopped; nothing was written.")
        return 130
    except BrokenPipeError:
        # The reader went away (`streamer styles | head -1`); Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    return code if isinstance(code, int) else 0
