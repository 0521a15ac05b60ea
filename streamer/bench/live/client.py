"""Peers in a process of their own: aiortc on the far side, sending numbered pictures and reading what comes back.

What it receives goes through aiortc's own jitter buffer, which costs a frame's time that a browser does not take.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from streamer.bench.live.numbers import background, draw, read
from streamer.bench.live.pipes import answer_lines
from streamer.rtc import inside
from streamer.rtc.encoding import VideoEncoder

_RATE = 90_000
_CONNECT_WITHIN = 15.0  # seconds


class Camera(MediaStreamTrack):
    """Numbered pictures at a steady rate, encoded as quickly as a browser would."""

    kind = "video"

    def __init__(self, pool: ThreadPoolExecutor, width: int, height: int, fps: float, codec: str) -> None:
        super().__init__()
        self.sent: list[tuple[int, float]] = []  # number, when it was drawn
        self._pool = pool
        self._ground = background(height, width)
        self._fps = fps
        self._encoder = VideoEncoder(codec)
        self._began: float | None = None
        self._number = 0
        self._wants_keyframe = False

    def want_keyframe(self) -> None:
        """The next picture begins anew."""
        self._wants_keyframe = True

    async def recv(self) -> av.Packet[Any]:
        """The next picture, when it is due. A camera that cannot keep up skips pictures."""
        loop = asyncio.get_running_loop()
        while True:
            now = time.monotonic()
            self._began = self._began or now
            due = self._began + self._number / self._fps
            if due > now:
                await asyncio.sleep(due - now)
            else:
                self._number += int((now - due) * self._fps)
            number, self._number = self._number, self._number + 1
            packet = await loop.run_in_executor(self._pool, self._encode, number)
            if packet is not None:
                return packet

    def _encode(self, number: int) -> av.Packet[Any] | None:
        keyframe, self._wants_keyframe = self._wants_keyframe, False
        self.sent.append((number, time.monotonic()))
        return self._encoder.encode(draw(number, self._ground), int(number * _RATE / self._fps), keyframe)


class Tone(MediaStreamTrack):
    """Silence, as Opus."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._began: float | None = None
        self._samples = 0

    async def recv(self) -> av.Packet[Any]:
        """The next 20 ms."""
        self._began = self._began or time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._samples / 48_000 - time.monotonic()))
        packet = av.Packet(b"\xf8\xff\xfe")  # a frame of silence, RFC 6716
        packet.pts, packet.time_base = self._samples, Fraction(1, 48_000)
        self._samples += 960
        return packet


class Far:
    """One far end. role: loop, publish or watch; codec: the only one it has, h264 or vp8."""

    def __init__(
        self, pool: ThreadPoolExecutor, role: str, width: int, height: int, fps: float, codec: str = "h264"
    ) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.camera = Camera(pool, width, height, fps, codec) if role != "watch" else None
        self.received: list[tuple[int, float]] = []  # number, when it was decoded
        self.unreadable = 0
        self.keyframes_asked = 0
        self.on_sound: Callable[[AudioFrame], None] = lambda frame: None
        self._readers: set[asyncio.Task[None]] = set()
        if self.camera is not None:
            direction = "sendrecv" if role == "loop" else "sendonly"
            sender = self.connection.addTransceiver(self.camera, direction).sender
            inside.tap_sender(
                sender,
                on_keyframe_wanted=self._want_keyframe,
                on_bitrate=lambda bitrate: None,
                on_report=lambda: None,
            )
        else:
            self.connection.addTransceiver("video", "recvonly")
        if role == "publish":
            self.connection.addTransceiver(Tone(), "sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        self.connection.getTransceivers()[0].setCodecPreferences([each for each in known if each.name.lower() == codec])
        self.connection.on("track", self._on_track)

    @property
    def drawn(self) -> list[tuple[int, float]]:
        """The numbers that its camera, if any, drew, and when."""
        return self.camera.sent if self.camera is not None else []

    async def offer(self) -> str:
        """Its offer."""
        inside.offer_loopback(self.connection)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def connect(self, answer: str) -> None:
        """Take the answer and wait until it is connected. Raises TimeoutError."""
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(_CONNECT_WITHIN):
            while self.connection.connectionState != "connected":
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Say goodbye."""
        await self.connection.close()
        for reader in self._readers:
            reader.cancel()

    def _want_keyframe(self) -> None:
        self.keyframes_asked += 1
        if self.camera is not None:
            self.camera.want_keyframe()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._readers.add(asyncio.create_task(self._read(track)))

    async def _read(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                now = time.monotonic()
                if isinstance(frame, AudioFrame):
                    self.on_sound(frame)
                elif isinstance(frame, VideoFrame):
                    self._note(await loop.run_in_executor(None, _read, frame), now)

    def _note(self, number: int | None, now: float) -> None:
        if number is None:
            self.unreadable += 1
        else:
            self.received.append((number, now))


def _read(frame: VideoFrame) -> int | None:
    return read(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))


async def _answer() -> None:
    pool = ThreadPoolExecutor(2)
    ends: list[Far] = []

    async def answer(asked: dict[str, Any]) -> dict[str, Any]:
        match asked["do"]:
            case "offer":
                end = Far(pool, asked["role"], asked["width"], asked["height"], asked["fps"])
                ends.append(end)
                return {"end": len(ends) - 1, "sdp": await end.offer()}
            case "connect":
                await ends[asked["end"]].connect(asked["sdp"])
                return {}
            case "results":
                end = ends[asked["end"]]
                return {
                    "sent": end.drawn,
                    "received": end.received,
                    "unreadable": end.unreadable,
                    "now": time.monotonic(),
                }
        raise ValueError(f"unknown question {asked['do']!r}")

    try:
        await answer_lines(answer)
    finally:
        await asyncio.gather(*(end.close() for end in ends))


def main() -> None:
    """Answer until stdin ends."""
    asyncio.run(_answer())


if __name__ == "__main__":
    main()
