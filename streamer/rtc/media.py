"""A connection's tracks: which codecs, what is read from its receivers, what is heard by its senders."""

from __future__ import annotations

from collections.abc import Callable, Container

from aiortc import RTCPeerConnection, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from streamer.rtc import inside
from streamer.rtc.arrivals import Packet
from streamer.rtc.outlet import Outlet
from streamer.rtc.relay import PacketTrack
from streamer.rtc.stream import StyledStream

_VIDEO_ORDER = ("video/h264", "video/vp8", "video/rtx")
_AUDIO_ORDER = ("audio/opus",)


class Media:
    """Joins a connection and a stream. `prefer` before the offer is applied, `attach` before it is answered."""

    def __init__(
        self,
        connection: RTCPeerConnection,
        stream: StyledStream,
        *,
        receives: bool,
        sends: bool,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._receives, self._sends = receives, sends
        self._clock = clock
        self._outlet: Outlet | None = None
        self._tracks: list[PacketTrack] = []
        self._sent_before = 0
        self._heard_at: float | None = None
        self._video: RTCRtpTransceiver | None = None

    def prefer(self, kinds: Container[str]) -> None:
        """Of the kinds offered: H.264 before VP8, which costs twice as much to encode; of sounds, Opus alone."""
        directions = {(True, True): "sendrecv", (True, False): "recvonly", (False, True): "sendonly"}
        direction = directions[self._receives, self._sends]
        for kind, order in (("video", _VIDEO_ORDER), ("audio", _AUDIO_ORDER)):
            if kind in kinds:
                self._connection.addTransceiver(kind, direction).setCodecPreferences(_ordered(kind, order))

    def attach(self) -> None:
        """Read from the receivers and write to the senders that the offer has."""
        for transceiver in self._connection.getTransceivers():
            if transceiver.mid is None:
                continue
            if self._receives:
                self._listen(transceiver)
            if self._sends:
                self._speak(transceiver)

    def detach(self) -> None:
        """Stop writing."""
        for track in self._tracks:
            self._stream.leave(track)
        if self._outlet is not None:
            self._outlet.limit(self, None)

    async def ask_for_keyframe(self) -> None:
        """Send the publisher a PLI."""
        if self._video is not None and self._stream.intake.ssrc is not None:
            await inside.ask_for_keyframe(self._video.receiver, self._stream.intake.ssrc)

    def deaf_for(self, now: float) -> float:
        """For how many seconds packets have been sent without a report of any arriving."""
        sent = sum(track.sent for track in self._tracks)
        if self._heard_at is None or sent == self._sent_before:
            self._heard_at, self._sent_before = now, sent
        return now - self._heard_at

    def _listen(self, transceiver: RTCRtpTransceiver) -> None:
        stream, clocks = self._stream, (self._stream.audio_clock, self._stream.video_clock)
        is_video = transceiver.kind == "video"
        take: Callable[[Packet], bool] = stream.intake.take if is_video else stream.sound.take
        inside.tap_receiver(transceiver.receiver, take, clocks[is_video].reported)
        if is_video:
            self._video = transceiver
            stream.intake.codecs = inside.payload_codecs(transceiver)

    def _speak(self, transceiver: RTCRtpTransceiver) -> None:
        if transceiver.kind == "video":
            self._outlet = outlet = self._stream.outlet(inside.first_codec(transceiver))
            track = outlet.relay.join()
            self._hear(transceiver.sender, outlet.want_keyframe, lambda bitrate: outlet.limit(self, bitrate))
        else:
            track = self._stream.sound.relay.join()
            self._hear(transceiver.sender, lambda: None, lambda bitrate: None)
        self._tracks.append(track)
        transceiver.sender.replaceTrack(track)

    def _hear(self, sender: RTCRtpSender, want_keyframe: Callable[[], None], on_bitrate: Callable[[int], None]) -> None:
        inside.tap_sender(sender, on_keyframe_wanted=want_keyframe, on_bitrate=on_bitrate, on_report=self._heard)

    def _heard(self) -> None:
        self._heard_at = None


def _ordered(kind: str, order: tuple[str, ...]) -> list[RTCRtpCodecCapability]:
    known = RTCRtpSender.getCapabilities(kind).codecs
    return [codec for name in order for codec in known if codec.mimeType.lower() == name]
