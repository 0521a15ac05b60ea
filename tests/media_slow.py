"""A slow transcode to be killed by a test: `python -m tests.media_slow INPUT OUTPUT`."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.media_clips import Identity, Picture
from tests.media_run import restyle


class Slow(Identity):
    """Says once that it works, then dawdles."""

    def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
        if times[0] == 0:
            sys.stdout.write("styling\n")
            sys.stdout.flush()
        time.sleep(0.05)
        return list(frames)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests themselves run in the background
    try:
        restyle(sys.argv[1], Path(sys.argv[2]), Slow())
    except KeyboardInterrupt:
        sys.exit(130)
