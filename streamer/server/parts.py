"""What the HTTP layer is given: the parts behind the routes, and what it knows of those that it does not build."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from starlette.types import ASGIApp

from streamer.engine import Engine
from streamer.jobs import JobStore
from streamer.live import LiveEngine
from streamer.metrics import Metrics
from streamer.server.health import Health
from streamer.settings import Look, ServeOptions
from streamer.shelf import KeptLibrary


class Peer(Protocol):
    """One peer connection, whatever it is for."""

    @property
    def id(self) -> str:
        """Unguessable."""

    @property
    def kind(self) -> str:
        """loop, whip or whep."""

    @property
    def name(self) -> str | None:
        """Of the stream; a loop has none."""

    @property
    def answer_sdp(self) -> str:
        """What the offer was answered with."""

    @property
    def etag(self) -> str:
        """Names the ICE session; without quotation marks."""

    @property
    def look(self) -> Look:
        """What its frames look like."""

    async def trickle(self, fragment: str, etag: str) -> None:
        """Take further candidates. Raises BadOffer."""

    def change(self, look: Look) -> None:
        """Another look from the next frame on. Raises UnknownStyle, BadStyle or BadOption; then the old one stays."""

    def figures(self) -> Mapping[str, Any]:
        """For people to look at, as JSON."""

    async def close(self) -> None:
        """End it."""


class Peers(Protocol):
    """All peer connections. Each offer raises BadOffer, Overloaded, UnknownStyle ..."""

    async def loop(self, offer_sdp: str, look: Look) -> Peer:
        """A browser's own: video in, styled video out."""

    async def publish(self, name: str, offer_sdp: str, look: Look) -> Peer:
        """Somebody sends a stream of that name. Raises NameTaken."""

    async def watch(self, name: str, offer_sdp: str) -> Peer:
        """Somebody wants to see it. Raises UnknownStream."""

    def peer(self, id: str) -> Peer:
        """Raises UnknownStream."""

    def streams(self) -> list[dict[str, Any]]:
        """What is published at the moment: the name of each, and how it is doing."""

    async def close(self) -> None:
        """End all, and admit nobody."""


@dataclass
class Parts:
    """One service's parts. Whoever builds them closes them, except for `peers` and `jobs`: those end with the app."""

    options: ServeOptions
    library: KeptLibrary
    engine: Engine
    live: LiveEngine
    make_peers: Callable[[], Peers]  # called inside the event loop
    make_jobs: Callable[[], JobStore]  # likewise
    metrics: Metrics
    pages: Path | None = None  # the folder of index.html, watch.html and what they load
    demo: ASGIApp | None = None  # the Gradio page, to be mounted at /demo
    health: Health = field(default_factory=Health)
    clock: Callable[[], float] = time.monotonic
    body_time: float = 10.0  # seconds for an offer or other small body to arrive
