"""The command line: the only place that parses arguments, prints or exits.

Its modules import click and the options alone; what a command needs, it imports when it runs, so that
`streamer --help` answers at once.
"""

from streamer.cli.main import main

__all__ = ["main"]
