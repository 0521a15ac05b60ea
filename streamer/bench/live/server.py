"""The service under test, in a process of its own: peers' offers come over a pipe instead of HTTP."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import threading
from pathlib import Path
from typing import Any

from streamer.bench.live.pipes import answer_lines
from streamer.engine import Engine
from streamer.live import LiveEngine
from streamer.metrics import Metrics
from streamer.rtc import Peer, PeerService
from streamer.runtime import PassthroughRuntime
from streamer.settings import LiveOptions, Look
from streamer.styles import StyleLibrary


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, help="no network: so many seconds a megapixel instead")
    parser.add_argument("--lowest-scale", type=float, default=1 / 3)
    parser.add_argument("--style", default="mosaic")
    asked = parser.parse_args()
    metrics = Metrics()
    options = LiveOptions(max_sessions=1000, lowest_scale=asked.lowest_scale)
    with (
        _engine(asked.pace) as engine,
        LiveEngine(engine, metrics=metrics, options=options) as live,
    ):
        if asked.pace is None:
            live.warm_up()
        asyncio.run(_serve(live, metrics, Look(asked.style)))


def _engine(pace: float | None) -> Engine:
    """What `streamer serve` has, or one without a network."""
    library = StyleLibrary.default()
    return Engine.for_streams(library) if pace is None else Engine(library, runtime=PassthroughRuntime(pace))


async def _serve(live: LiveEngine, metrics: Metrics, look: Look) -> None:
    service = PeerService(live, metrics=metrics)

    async def answer(asked: dict[str, Any]) -> dict[str, Any]:
        match asked["do"]:
            case "loop":
                return _met(await service.loop(asked["sdp"], look))
            case "publish":
                return _met(await service.publish(asked["name"], asked["sdp"], look))
            case "watch":
                return _met(await service.watch(asked["name"], asked["sdp"]))
            case "figures":
                return _figures(service.peer(asked["id"]))
            case "census":
                return _census(service, live, metrics)
        raise ValueError(f"unknown question {asked['do']!r}")

    try:
        await answer_lines(answer)
    finally:
        await service.close()


def _met(peer: Peer) -> dict[str, Any]:
    return {"id": peer.id, "sdp": peer.answer_sdp}


def _figures(peer: Peer) -> dict[str, Any]:
    return {**peer.figures(), "beyond": peer.stream.ledger.times("beyond")}


def _census(service: PeerService, live: LiveEngine, metrics: Metrics) -> dict[str, Any]:
    """What is alive, and what has been counted so far."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def count(name: str) -> float:
        return sum(
            sample.value
            for family in metrics.registry.collect()
            for sample in family.samples
            if sample.name == f"{name}_total"
        )

    return {
        "peers": len(service),
        "sessions": live.sessions,
        "waiting": live.waiting,
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "memory": memory / 1024,  # MiB
        "offered": count("streamer_frames_in"),
        "returned": count("streamer_frames_out"),
    }


if __name__ == "__main__":
    main()
