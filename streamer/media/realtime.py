"""Keeps SVT-AV1 at ordinary priority.

Run by root, as in a container, it gives its threads, and the one that opens it, real-time priority 99 (SCHED_FIFO):
then nothing else on the machine runs, and whatever that thread starts inherits it. It goes without where it may not,
so CAP_SYS_NICE is laid down while it is opened and begins its threads: capabilities(7) are each thread's own. Other
encoders leave priorities alone, and are left alone here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_SYS_NICE = 1 << 23  # CAP_SYS_NICE


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextlib.contextmanager
def ordinary_priority(codec: str) -> Iterator[None]:
    """Inside, where an encoder of that codec begins its threads, this one may not raise a priority; afterwards it may.

    Without effect for others than root, and for other codecs than "av1".
    """
    if codec != "av1" or sys.platform != "linux" or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None)
    header, sets = _Header(_VERSION, 0), (_Sets * 2)()
    had = libc.capget(ctypes.byref(header), sets) == 0 and sets[0].effective & _SYS_NICE
    if had:
        sets[0].effective &= ~_SYS_NICE
        libc.capset(ctypes.byref(header), sets)
    try:
        yield
    finally:
        if had:
            sets[0].effective |= _SYS_NICE
            libc.capset(ctypes.byref(header), sets)
