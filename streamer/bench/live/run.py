"""All cases, one after another, and the machine that they ran on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from streamer.bench.live import cases
from streamer.bench.machine import machine_facts
from streamer.errors import MissingDependency
from streamer.settings import LIVE_CASES

# Name -> the case in full, and in short.
CASES: dict[str, tuple[Callable[[], Awaitable[dict[str, Any]]], Callable[[], Awaitable[dict[str, Any]]]]] = {
    "passthrough": (lambda: cases.passthrough(60), lambda: cases.passthrough(10)),
    "shipped": (lambda: cases.shipped(60), lambda: cases.shipped(15)),
    "overload": (lambda: cases.overload(60), lambda: cases.overload(20)),
    "stalled_viewer": (lambda: cases.stalled_viewer(30), lambda: cases.stalled_viewer(8)),
    "kill_cycles": (lambda: cases.kill_cycles(200), lambda: cases.kill_cycles(40)),
    "client_killed": (cases.client_killed, cases.client_killed),
}


def run_live(
    soak: bool, names: Sequence[str] = LIVE_CASES, *, progress: Callable[[int, int, str], None] | None = None
) -> dict[str, Any]:
    """Measure cases by name. soak: as long as the limits are stated for, all in some eight minutes; otherwise two.

    Raises MissingDependency without the packages of the live service, OSError when a process of it fails.
    """
    if not sys.platform.startswith("linux"):
        raise MissingDependency("The live bench reads /proc, which only Linux has.")
    try:
        import aiortc  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingDependency("The live bench needs aiortc: pip install '.[serve]' in the checkout.") from error
    measured: dict[str, Any] = {"machine": machine_facts(), "soak": soak}
    for done, name in enumerate(names):
        if progress is not None:
            progress(done, len(names), name)
        full, short = CASES[name]
        measured[name] = asyncio.run(_awaited(full if soak else short))
    return measured


async def _awaited(case: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    return await case()
