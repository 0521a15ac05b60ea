"""Memory that ended connections leave in the C library's hands, given back to the system.

Codecs and sockets come and go in pieces of many sizes; glibc keeps what they free, a megabyte or so a connection.
"""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Takes some milliseconds, off the event loop. Does nothing where the C library is not glibc."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
