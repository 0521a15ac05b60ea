"""The machine: what it is, and which of its cores a measurement may use."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamer.machine import cpu_model, package_version

PACKAGES = ("numpy", "ai-edge-litert", "av", "opencv-python-headless")


def available_cores() -> list[int]:
    """The cores that this process may run on, which may be fewer than the machine has."""
    return sorted(os.sched_getaffinity(0))


@contextlib.contextmanager
def pinned(count: int) -> Iterator[list[int]]:
    """Keep this thread, and the threads and processes it starts, on `count` cores or all there are; yields them."""
    before = available_cores()
    os.sched_setaffinity(0, before[:count])
    try:
        yield before[:count]
    finally:
        os.sched_setaffinity(0, before)


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss also counts the parent's memory at the time of the fork; VmHWM begins anew with the program.
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine_facts() -> dict[str, Any]:
    """Processor, cores, system and the versions of what does the work; load is that of the minute before."""
    return {
        "cpu": cpu_model(),
        "cores": len(available_cores()),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: package_version(name) for name in PACKAGES},
    }
