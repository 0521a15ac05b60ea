"""One stream: a video that comes in, is styled, and goes out in as many codecs as its viewers need; and its sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from streamer.rtc.arrivals import Arrivals, Encoded, Packet
from streamer.rtc.decoding import VIDEO_RATE, Picture, VideoIntake
from streamer.rtc.ledger import Ledger, Rate
from streamer.rtc.outlet import Outlet, Painted
from streamer.rtc.relay import PacketTrack, Parcel, Relay
from streamer.rtc.sync import LegClock, Step
from streamer.settings import Look

if TYPE_CHECKING:
    from streamer.metrics import Metrics

AUDIO_RATE = 48_000  # RTP ticks a second of Opus, always
_AUDIO_PATIENCE = 0.06  # seconds that a packet may be late
_MOST_SOUND = 150  # packets that wait for their picture: three seconds


class StyledFrame(Protocol):
    """What a live session hands back; see `streamer.live`."""

    frame: NDArray[np.uint8]
    tag: Any
    queued: float
    styled: float


class Session(Protocol):
    """What is needed of a live session; see `streamer.live`."""

    @property
    def look(self) -> Look:
        """How it styles."""
        ...

    def offer(self, frame: NDArray[np.uint8], time: float, tag: Any = None) -> bool:
        """A new frame."""
        ...

    def change(self, look: Look) -> None:
        """Style differently from now on."""
        ...

    def figures(self) -> Any:
        """How it is doing."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Live(Protocol):
    """What is needed of a live engine; see `streamer.live`."""

    def open(self, look: Look, *, on_frame: Callable[[Any], None]) -> Any:
        """A session. Raises Overloaded, UnknownStyle and others."""
        ...


class Sound:
    """A publisher's Opus, passed on packet by packet when its picture leaves. Belongs to the event loop."""

    def __init__(self, step: Step, leg: LegClock, clock: Callable[[], float]) -> None:
        self.relay = Relay("audio", lambda: None)
        self.last_packet: float | None = None
        self._arrivals = Arrivals(_AUDIO_PATIENCE, whole_packets=True, clock=clock)
        self._leg = leg
        self._step = step
        self._clock = clock
        self._handles: set[asyncio.TimerHandle] = set()

    def take(self, packet: Packet) -> bool:
        """A packet has come; there is no keyframe to ask for."""
        self.last_packet = self._clock()
        for sound in self._arrivals.add(packet):
            self._leg.arrived(sound.ticks, sound.arrived)
            self._hold(sound)
        return False

    def close(self) -> None:
        """Let go of what waits."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
        self.relay.close()

    def _hold(self, sound: Encoded) -> None:
        if not len(self.relay) or len(self._handles) >= _MOST_SOUND:
            return
        wait = max(0.0, self._step.due(sound.ticks) - self._clock())

        def send() -> None:
            self._handles.discard(handle)
            packet = av.Packet(sound.data)
            packet.pts, packet.time_base = sound.ticks, Fraction(1, AUDIO_RATE)
            self.relay.send(Parcel(packet, is_key=True))

        handle = asyncio.get_running_loop().call_later(wait, send)
        self._handles.add(handle)


class StyledStream:
    """From a publisher's packets to its viewers'. Belongs to the event loop, except where said; close it."""

    def __init__(
        self,
        live: Live,
        look: Look,
        pool: Executor,
        *,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises what `live.open` raises: Overloaded, UnknownStyle, BadOption."""
        self._ledger = Ledger(metrics)
        self._pool = pool
        self._clock = clock
        self._outlets: dict[str, Outlet] = {}
        self._decoded = Rate()
        self._newest: Painted | None = None
        self._session: Session = live.open(look, on_frame=self._on_frame)
        self.video_clock, self.audio_clock = LegClock(VIDEO_RATE), LegClock(AUDIO_RATE)
        self.intake = VideoIntake(pool, self._on_picture, on_arrival=self.video_clock.arrived, clock=clock)
        self._step = Step(self.video_clock, self.audio_clock)
        self.sound = Sound(self._step, self.audio_clock, clock)

    def outlet(self, codec: str) -> Outlet:
        """The stream in a codec, h264 or vp8: one encoder for all who want that."""
        if codec not in self._outlets:
            outlet = Outlet(codec, self._pool, self._ledger, on_sent=self._on_sent, clock=self._clock)
            self._outlets = {**self._outlets, codec: outlet}
            if self._newest is not None:
                outlet.offer(self._newest)
        return self._outlets[codec]

    def leave(self, track: PacketTrack) -> None:
        """A viewer has gone; an encoder that nobody needs any more is closed."""
        self.sound.relay.leave(track)
        for codec, outlet in list(self._outlets.items()):
            outlet.relay.leave(track)
            if not len(outlet.relay):
                self._outlets = {key: each for key, each in self._outlets.items() if key != codec}
                outlet.close()

    @property
    def look(self) -> Look:
        """How it is styled."""
        return self._session.look

    def change(self, look: Look) -> None:
        """Style differently from the next frame on. Raises UnknownStyle and others; the old look stays then."""
        self._session.change(look)

    @property
    def last_packet(self) -> float | None:
        """When RTP last came, of picture or sound."""
        times = [time for time in (self.intake.last_packet, self.sound.last_packet) if time is not None]
        return max(times, default=None)

    @property
    def ledger(self) -> Ledger:
        """The frames' times, stage by stage."""
        return self._ledger

    def figures(self) -> dict[str, Any]:
        """How it is doing: rates, drops, mean milliseconds by stage, sizes (width, height), the style."""
        session, now = self._session.figures(), self._clock()
        outlets = list(self._outlets.values())
        return {
            "fps_in": self._decoded.rate(now),
            "fps_out": max((outlet.sent.rate(now) for outlet in outlets), default=0.0),
            "dropped": session.dropped + self.intake.skipped + sum(outlet.dropped for outlet in outlets),
            "ms": self._ledger.milliseconds(),
            "work": list(session.work),
            "frame": list(session.frame),
            "lowered": session.lowered,
            "style": self.look.style,
            "viewers": sum(len(outlet.relay) for outlet in outlets),
        }

    def tick(self, now: float) -> None:
        """Called a few times a second."""
        for outlet in self._outlets.values():
            outlet.tick(now)

    def close(self) -> None:
        """Stop decoding, styling and encoding; viewers' tracks end."""
        self.intake.close()
        self._session.close()
        for outlet in self._outlets.values():
            outlet.close()
        self.sound.close()
        self._newest = None

    def _on_picture(self, picture: Picture) -> None:
        """On the pool."""
        self._decoded.note(picture.decoded)
        self._ledger.note("decode", picture.decoded - picture.arrived)
        self._session.offer(picture.rgb, picture.ticks / VIDEO_RATE, tag=picture)

    def _on_frame(self, styled: StyledFrame) -> None:
        """On the session's thread."""
        self._ledger.note("queue", styled.queued)
        self._ledger.note("style", styled.styled)
        painted = Painted(styled.frame, styled.tag, styled.styled, self._clock())
        self._newest = painted
        for outlet in self._outlets.values():
            outlet.offer(painted)

    def _on_sent(self, painted: Painted) -> None:
        self._step.picture_sent(painted.source.ticks, self._clock())
