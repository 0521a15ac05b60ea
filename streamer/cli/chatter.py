"""Keeps the remarks of C and C++ libraries (XNNPACK, TensorFlow, encoders) out of what a user reads."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator

STDERR = 2


@contextlib.contextmanager
def silent_libraries() -> Iterator[None]:
    """While inside, `sys.stderr` goes where it went, and what is written past it to file descriptor 2 goes nowhere.

    Libraries write there directly and offer no common switch. Python's warnings are for programmers and are not shown
    either. Does nothing where stderr is no file of its own.
    """
    before = sys.stderr
    if not _is_descriptor_2(before):
        yield
        return
    before.flush()
    kept = os.dup(STDERR)
    with open(os.dup(kept), "w", buffering=1, encoding=before.encoding, errors=before.errors) as ours:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), STDERR)
        sys.stderr = ours
        try:
            with warnings.catch_warnings():
                if not sys.warnoptions:  # nobody asked for them with `python -W`
                    warnings.simplefilter("ignore")
                yield
        finally:
            sys.stderr = before
            os.dup2(kept, STDERR)
            os.close(kept)


def silent_end() -> None:
    """From when Python ends, file descriptor 2 goes nowhere: TensorFlow mourns the data of a run that was stopped."""
    atexit.register(_close_descriptor_2)


def _close_descriptor_2() -> None:
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), STDERR)


def _is_descriptor_2(stream: object) -> bool:
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == STDERR
    except OSError:
        return False
