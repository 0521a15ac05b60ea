"""Encoded packets to any number of viewers. Everything here belongs to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
from aiortc import MediaStreamTrack

_MOST_WAITING = 60  # packets for one viewer: two seconds of pictures; beyond that it begins anew at a keyframe


@dataclass(frozen=True)
class Parcel:
    """A packet on its way. `is_key`: decoding can begin with it. `sent`: called once, when the first viewer took it."""

    packet: av.Packet[Any]
    is_key: bool
    sent: Callable[[], None] | None = None


class PacketTrack(MediaStreamTrack):
    """What aiortc reads packets from, to send them as they are. `recv` waits, and never raises."""

    def __init__(self, kind: str, want_keyframe: Callable[[], None]) -> None:
        """kind: audio or video."""
        super().__init__()
        self.kind = kind
        self._want_keyframe = want_keyframe
        self._parcels: deque[Parcel] = deque()
        self._some = asyncio.Event()
        self._has_begun = False
        self.sent = 0  # packets that aiortc took
        self.dropped = 0

    def put(self, parcel: Parcel) -> None:
        """Pass a packet on. A viewer that has fallen behind misses everything up to the next keyframe."""
        if len(self._parcels) >= _MOST_WAITING:
            self.dropped += len(self._parcels)
            self._parcels.clear()
            self._has_begun = False
        if not (self._has_begun or parcel.is_key):
            self.dropped += 1
            self._want_keyframe()
            return
        self._has_begun = True
        self._parcels.append(parcel)
        self._some.set()

    async def recv(self) -> av.Packet[Any]:
        """The next packet."""
        while not self._parcels:
            self._some.clear()
            await self._some.wait()
        parcel = self._parcels.popleft()
        self.sent += 1
        if parcel.sent is not None:
            parcel.sent()
        return parcel.packet

    def stop(self) -> None:
        """End it, and let go of what waits."""
        self._parcels.clear()
        super().stop()


class Relay:
    """One encoded stream's viewers."""

    def __init__(self, kind: str, want_keyframe: Callable[[], None]) -> None:
        self._kind = kind
        self._want_keyframe = want_keyframe
        self._tracks: set[PacketTrack] = set()

    def __len__(self) -> int:
        return len(self._tracks)

    def join(self) -> PacketTrack:
        """A track for one more viewer, which begins with the next keyframe."""
        track = PacketTrack(self._kind, self._want_keyframe)
        self._tracks.add(track)
        self._want_keyframe()
        return track

    def leave(self, track: PacketTrack) -> None:
        """A viewer has gone."""
        self._tracks.discard(track)
        track.stop()

    def send(self, parcel: Parcel) -> None:
        """Pass a packet to everybody."""
        for track in self._tracks:
            track.put(parcel)

    def close(self) -> None:
        """Everybody has gone."""
        for track in list(self._tracks):
            self.leave(track)
