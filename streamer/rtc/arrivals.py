"""RTP packets in, whole encoded frames out: reordered, without the delay of waiting for the next frame to begin.

Pure: packets and the clock come in from outside. aiortc's own jitter buffer gives a frame out only when a packet of the
next one arrives (42 ms later at 24 fps), stops for good at a packet that never comes, and never shrinks a backlog.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

_FAR = 1000  # packets; a sequence number further back than that is a sender that began anew


class Packet(Protocol):
    """What is read of an RTP packet."""

    sequence_number: int
    timestamp: int
    marker: int
    payload_type: int
    ssrc: int
    _data: bytes  # the payload without the codec's packet header


@dataclass(frozen=True)
class Encoded:
    """One frame as it was sent. `ticks`: its RTP timestamp, unwrapped; `arrived`: when its last packet did, seconds."""

    data: bytes
    ticks: int
    arrived: float
    payload_type: int


class Unwrapper:
    """Continues a counter of `bits` bits past its end, in both directions."""

    def __init__(self, bits: int) -> None:
        self._period = 1 << bits
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        """The counter's true value, on the assumption that it is within half a period of the last one."""
        if self._last is None:
            self._last = value
        half = self._period // 2
        self._last += (value - self._last + half) % self._period - half
        return self._last


class Arrivals:
    """Puts packets in order and cuts them into frames.

    patience: seconds to wait for a missing packet before going on without it. whole_packets: every packet is a frame
    (audio); otherwise a marker, or a new timestamp, ends one.
    """

    def __init__(
        self, patience: float, *, whole_packets: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._whole = whole_packets
        self._clock = clock
        self._packets: dict[int, Packet] = {}
        self._sequence, self._ticks = Unwrapper(16), Unwrapper(32)
        self._next: int | None = None  # the first packet that has not been given out
        self._gap_since: float | None = None
        self._tail_of: int | None = None  # the timestamp of a frame whose beginning is lost
        self.lost = 0  # gaps that were given up

    def add(self, packet: Packet) -> list[Encoded]:
        """Take a packet; returns the frames that are whole now, oldest first."""
        now = self._clock()
        number = self._sequence(packet.sequence_number)
        if self._next is None or abs(number - self._next) > _FAR:
            self._packets.clear()
            self._next, self._gap_since, self._tail_of = number, None, None
        if number < self._next:
            return []  # too late
        self._packets[number] = packet
        frames = self._whole_frames(now)
        if self._packets and self._gap_is_old(self._next, now):
            self._give_up(self._next)
            frames += self._whole_frames(now)
        return frames

    def _gap_is_old(self, start: int, now: float) -> bool:
        """Whether a packet has been missed for too long. A frame that is merely unfinished has no hole."""
        if len(self._packets) == max(self._packets) - start + 1:
            self._gap_since = None
            return False
        if self._gap_since is None:
            self._gap_since = now
        return now - self._gap_since >= self._patience

    def _give_up(self, start: int) -> None:
        """Go on after the first hole. What follows it of the same frame is of no use."""
        self.lost += 1
        self._gap_since = None
        hole = next(number for number in count(start) if number not in self._packets)
        for number in range(start, hole):
            del self._packets[number]
        self._next = min(self._packets)
        if not self._whole:
            self._tail_of = self._packets[self._next].timestamp

    def _whole_frames(self, now: float) -> list[Encoded]:
        frames = []
        while (frame := self._first_frame(now)) is not None:
            frames.append(frame)
        return [frame for frame in frames if frame.data]

    def _first_frame(self, now: float) -> Encoded | None:
        """The frame at the head, if all of it is there. Empty data: a remainder that was thrown away."""
        if self._next is None:
            return None
        number = self._next
        parts: list[Packet] = []
        while (packet := self._packets.get(number)) is not None:
            if parts and packet.timestamp != parts[0].timestamp:
                return self._pop(parts, now)
            parts.append(packet)
            number += 1
            if packet.marker or self._whole:
                return self._pop(parts, now)
        return None

    def _pop(self, parts: list[Packet], now: float) -> Encoded:
        if self._next is not None:
            for number in range(self._next, self._next + len(parts)):
                del self._packets[number]
            self._next += len(parts)
        first = parts[0]
        is_tail = first.timestamp == self._tail_of
        self._tail_of = self._tail_of if is_tail else None
        data = b"" if is_tail else b"".join(part._data for part in parts)
        return Encoded(data, self._ticks(first.timestamp), now, first.payload_type)


def is_keyframe(codec: str, data: bytes) -> bool:
    """Whether decoding can begin here. codec: h264 (Annex B) or vp8."""
    if codec == "vp8":
        return bool(data) and not data[0] & 1
    start = data.find(b"\x00\x00\x01")
    while start != -1 and start + 3 < len(data):
        if data[start + 3] & 0x1F in (5, 7):  # an IDR slice, or the parameter sets before one
            return True
        start = data.find(b"\x00\x00\x01", start + 3)
    return False
