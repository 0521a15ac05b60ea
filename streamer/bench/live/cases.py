"""What is measured, and how. Each case starts its own service and its own far ends, and returns figures."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from streamer.bench.live.numbers import COUNT
from streamer.bench.live.pipes import Program

_SERVER, _CLIENT = "streamer.bench.live.server", "streamer.bench.live.client"
_SETTLE = 2.0  # seconds after connecting that are not counted


@dataclass(frozen=True)
class End:
    """A far end: in which process, its number there, and the service's id for it."""

    client: Program
    number: int
    id: str

    async def results(self) -> dict[str, Any]:
        """What it sent and received so far."""
        return await self.client.ask(do="results", end=self.number)


@contextlib.asynccontextmanager
async def programs(count: int, *service: str) -> AsyncIterator[tuple[Program, list[Program]]]:
    """A service, started with these arguments, and processes for far ends."""
    async with contextlib.AsyncExitStack() as stack:
        started = [Program.start(_SERVER, *service), *(Program.start(_CLIENT) for _ in range(count))]
        server, *clients = [await stack.enter_async_context(each) for each in await asyncio.gather(*started)]
        yield server, clients


async def connect(
    server: Program,
    client: Program,
    role: str,
    size: tuple[int, int] = (256, 144),
    fps: float = 15,
) -> End:
    """Connect a far end: loop, publish or watch."""
    offer = await client.ask(do="offer", role=role, width=size[0], height=size[1], fps=fps)
    met = await server.ask(do=role, sdp=offer["sdp"], name="bench")
    await client.ask(do="connect", end=offer["end"], sdp=met["sdp"])
    return End(client, offer["end"], met["id"])


async def passthrough(seconds: float, sessions: int = 8) -> dict[str, Any]:
    """Many small sessions through an engine that does nothing: what everything around the network costs."""
    size, fps = (256, 144), 15
    async with programs(sessions, "--pace", "0") as (server, clients):
        ends = await asyncio.gather(*(connect(server, client, "loop", size, fps) for client in clients))
        await asyncio.sleep(_SETTLE + seconds)
        found = [_returned(await end.results(), seconds) for end in ends]
        figures = [await server.ask(do="figures", id=end.id) for end in ends]
    delays = np.concatenate([each.delays for each in found])
    return {
        "sessions": sessions,
        "size": size,
        "fps": fps,
        "returned": round(float(np.mean([each.share for each in found])), 4),
        "returned_least": round(min(each.share for each in found), 4),
        "glass_to_glass_ms": _quantiles(delays),
        "service_ms": _quantiles(np.concatenate([np.array(each["beyond"]) for each in figures])),
        "limits": {"returned": 0.95, "glass_to_glass_p95_ms": 400},
        "holds": bool(np.mean([each.share for each in found]) >= 0.95 and np.quantile(delays, 0.95) <= 0.4),
    }


async def shipped(seconds: float, style: str = "mosaic") -> dict[str, Any]:
    """One session of 640x360 at 24 fps through the shipped network, both ends' encoding and decoding included."""
    size, fps = (640, 360), 24
    async with programs(1, "--style", style) as (server, clients):
        end = await connect(server, clients[0], "loop", size, fps)
        await asyncio.sleep(_SETTLE + seconds)
        results = await end.results()
        figures = await server.ask(do="figures", id=end.id)
    found, beyond = _returned(results, seconds), np.array(figures["beyond"])
    return {
        "size": size,
        "fps": fps,
        "style": style,
        "fps_returned": round(len(found.delays) / seconds, 1),
        "unreadable": results["unreadable"],
        "glass_to_glass_ms": _quantiles(found.delays),
        "beyond_style_ms": _quantiles(beyond),
        "stages_ms": figures["ms"],
        "work": figures["work"],
        "limits": {"beyond_style_p95_ms": 100},
        "holds": bool(len(beyond) and np.quantile(beyond, 0.95) <= 0.1),
    }


async def overload(seconds: float) -> dict[str, Any]:
    """Twice as many frames as the device can do: the delay must not grow, and no more than one frame wait."""
    size, fps = (320, 180), 24
    pace = 2 / fps / (size[0] * size[1] / 1e6)
    async with programs(1, "--pace", str(pace), "--lowest-scale", "1") as (server, clients):
        end = await connect(server, clients[0], "loop", size, fps)
        await asyncio.sleep(_SETTLE)
        deepest, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            deepest = max(deepest, (await server.ask(do="census"))["waiting"])
            await asyncio.sleep(0.1)
        found = _returned(await end.results(), seconds)
        figures = await server.ask(do="figures", id=end.id)
    slope = float(np.polyfit(found.times, found.delays, 1)[0]) * 60_000  # ms a minute
    return {
        "size": size,
        "fps": fps,
        "seconds": seconds,
        "returned": round(found.share, 3),
        "slope_ms_per_minute": round(slope, 2),
        "drift_ms": round(_drift(found.delays), 1),
        "queue_depth": deepest,
        "stages_ms": figures["ms"],
        "glass_to_glass_ms": _quantiles(found.delays),
        "limits": {"slope_ms_per_minute": 10, "queue_depth": 1},
        "holds": slope <= 10 and deepest <= 1,
    }


async def stalled_viewer(seconds: float, viewers: int = 3) -> dict[str, Any]:
    """One viewer's process stops dead, still connected: what it costs the others."""
    async with programs(viewers + 1, "--pace", "0") as (server, clients):
        await connect(server, clients[0], "publish", (320, 180), 24)
        ends = [await connect(server, client, "watch") for client in clients[1:]]
        await asyncio.sleep(_SETTLE)
        before = await _frames_in(ends[1:], seconds)
        clients[1].process.send_signal(signal.SIGSTOP)
        after = await _frames_in(ends[1:], seconds)
        clients[1].process.send_signal(signal.SIGCONT)
    cost = 1 - min(a / max(b, 1) for a, b in zip(after, before, strict=True))
    return {
        "viewers": viewers,
        "fps_before": [round(count / seconds, 2) for count in before],
        "fps_after": [round(count / seconds, 2) for count in after],
        "cost": round(cost, 4),
        "limits": {"cost": 0.05},
        "holds": cost <= 0.05,
    }


async def kill_cycles(cycles: int, at_once: int = 20) -> dict[str, Any]:
    """Sessions that are connected, send, and are killed: nothing of them may stay in the service."""
    async with programs(0, "--pace", "0") as (server, _):
        await _kill(server, at_once)  # what is made once, such as pools, is made now
        before = await _rest(server)
        done = 0
        while done < cycles:
            await _kill(server, min(at_once, cycles - done))
            done += at_once
        after = await _rest(server)
    grown = {key: after[key] - before[key] for key in ("threads", "tasks", "descriptors", "memory")}
    return {
        "cycles": cycles,
        "before": before,
        "after": after,
        "memory_grown_mib": round(grown["memory"], 1),
        "limits": {"threads": 0, "tasks": 0, "descriptors": 0, "memory_grown_mib": 25},
        "holds": all(grown[key] <= 0 for key in ("threads", "tasks", "descriptors")) and grown["memory"] <= 25,
    }


async def client_killed() -> dict[str, Any]:
    """A client vanishes without a goodbye: when styling stops, and when its place is free."""
    async with programs(1, "--pace", "0") as (server, clients):
        await connect(server, clients[0], "loop")
        await asyncio.sleep(_SETTLE)
        await clients[0].kill()
        killed = last = time.monotonic()
        offered, free = -1.0, None
        while free is None and time.monotonic() - killed < 30:
            census = await server.ask(do="census")
            now = time.monotonic()
            if census["offered"] != offered:
                offered, last = census["offered"], now
            free = now - killed if not census["sessions"] and not census["peers"] else None
            await asyncio.sleep(0.05)
    return {
        "styling_stops_s": round(last - killed, 2),
        "slot_free_s": None if free is None else round(free, 2),
        "limits": {"styling_stops_s": 2, "slot_free_s": 15},
        "holds": last - killed <= 2 and free is not None and free <= 15,
    }


async def _kill(server: Program, count: int) -> None:
    client = await Program.start(_CLIENT)
    async with client:
        ends = [await connect(server, client, "loop") for _ in range(count)]
        for _ in range(100):
            if all([(await end.results())["received"] for end in ends]):
                break
            await asyncio.sleep(0.1)
        await client.kill()


async def _rest(server: Program) -> dict[str, Any]:
    """The census once everybody has gone."""
    census = await server.ask(do="census")
    for _ in range(300):
        if not census["peers"] and not census["sessions"]:
            break
        await asyncio.sleep(0.1)
        census = await server.ask(do="census")
    await asyncio.sleep(3.0)  # the service tidies up a second after the last one has gone
    return await server.ask(do="census")


async def _frames_in(ends: list[End], seconds: float) -> list[int]:
    """How many frames each end receives in that time."""
    before = [len((await end.results())["received"]) for end in ends]
    await asyncio.sleep(seconds)
    return [len((await end.results())["received"]) - was for end, was in zip(ends, before, strict=True)]


@dataclass(frozen=True)
class _Found:
    share: float  # of the frames sent that came back
    times: np.ndarray[Any, np.dtype[np.float64]]  # when, seconds
    delays: np.ndarray[Any, np.dtype[np.float64]]  # seconds


def _returned(results: dict[str, Any], seconds: float) -> _Found:
    """Of the frames drawn in the last `seconds`, except the very last, those that came back, and how late."""
    until = results["now"] - 0.5
    drawn = {number % COUNT: at for number, at in results["sent"] if until - seconds < at <= until}
    back = {number: at for number, at in reversed(results["received"]) if number in drawn and at >= drawn[number]}
    times = np.array(sorted(back.values()))
    delays = np.array([at - drawn[number] for number, at in sorted(back.items(), key=lambda pair: pair[1])])
    return _Found(len(back) / max(1, len(drawn)), times, delays)


def _drift(delays: np.ndarray[Any, Any]) -> float:
    """The median delay of the last third less that of the first, ms: of a short run a steadier figure than a slope."""
    third = max(1, len(delays) // 3)
    return 1000 * float(np.median(delays[-third:]) - np.median(delays[:third]))


def _quantiles(seconds: np.ndarray[Any, Any]) -> dict[str, float]:
    if not len(seconds):
        return {}
    wanted = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: round(1000 * float(np.quantile(seconds, share)), 1) for name, share in wanted.items()}
