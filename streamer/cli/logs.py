"""The log of a service: a line for each event, on stderr."""

from __future__ import annotations

import logging
import sys

from streamer.cli.console import Console


def log_to_stderr(console: Console) -> None:
    """Ours as the console is told to speak; the libraries' own only when something is wrong."""
    level = logging.DEBUG if console.verbose else logging.WARNING if console.quiet else logging.INFO
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for ours in ("streamer", "web"):
        logging.getLogger(ours).setLevel(level)
