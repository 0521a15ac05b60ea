"""The few places where aiortc has no door. Everything that leans on its private names is here; the version is pinned.

A receiver's packets are taken before its own jitter buffer and decoder thread, which then has nothing to do, so that
closing, which joins that thread on the event loop, never waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aioice
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtcpSrPacket, unpack_remb_fci

from streamer.rtc.arrivals import Packet

_JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
_LOOPBACK = "127.0.0.1"
_HANDLE_RTCP = "_handle_rtcp_packet"


class _Inlet:
    """Stands where a receiver's jitter buffer was."""

    def __init__(self, take: Callable[[Packet], bool]) -> None:
        self._take = take

    def add(self, packet: Packet) -> tuple[bool, None]:
        """Pass the packet on. The flag asks the receiver to send a PLI; there is never a frame for its own decoder."""
        return self._take(packet), None


def tap_receiver(
    receiver: RTCRtpReceiver, take: Callable[[Packet], bool], report: Callable[[float, int], None]
) -> None:
    """Take a receiver's packets, depacketised but in no order, and its sender's reports.

    take: called with each; returns whether a keyframe is to be asked for. report: called with the NTP time in seconds
    and the RTP timestamp that the sender says belong together.
    """
    setattr(receiver, _JITTER_BUFFER, _Inlet(take))
    before: Callable[[Any], Awaitable[None]] = getattr(receiver, _HANDLE_RTCP)

    async def handle(packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket):
            report(packet.sender_info.ntp_timestamp / 2**32, packet.sender_info.rtp_timestamp)
        await before(packet)

    setattr(receiver, _HANDLE_RTCP, handle)


async def ask_for_keyframe(receiver: RTCRtpReceiver, ssrc: int) -> None:
    """Send a PLI to whoever sends `ssrc`."""
    await receiver._send_rtcp_pli(ssrc)


def tap_sender(
    sender: RTCRtpSender,
    *,
    on_keyframe_wanted: Callable[[], None],
    on_bitrate: Callable[[int], None],
    on_report: Callable[[], None],
) -> None:
    """Hear what the far end says to a sender: PLI or FIR, REMB in bits a second, and that it is there at all."""
    sender._send_keyframe = on_keyframe_wanted  # type: ignore[method-assign]
    before: Callable[[Any], Awaitable[None]] = getattr(sender, _HANDLE_RTCP)

    async def handle(packet: Any) -> None:
        on_report()
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate, sources = unpack_remb_fci(packet.fci)
            except ValueError:
                return
            if sender._ssrc in sources:
                on_bitrate(bitrate)
        await before(packet)

    setattr(sender, _HANDLE_RTCP, handle)


def offer_loopback(connection: RTCPeerConnection) -> None:
    """Let a machine without any network still reach itself: aioice has no loopback candidates of its own.

    To be called when the transports are settled, before candidates are gathered.
    """
    transports = [transceiver.receiver.transport for transceiver in connection.getTransceivers()]
    if connection.sctp is not None:
        transports.append(connection.sctp.transport)
    for ice in {transport.transport._connection for transport in transports}:
        before = ice.get_component_candidates

        async def gather(
            component: int, addresses: list[str], timeout: int = 5, before: Any = before
        ) -> list[aioice.Candidate]:
            return list(await before(component, addresses or [_LOOPBACK], timeout))

        ice.get_component_candidates = gather  # type: ignore[method-assign]


def payload_codecs(transceiver: RTCRtpTransceiver) -> dict[int, str]:
    """Payload type -> codec, lower case, as negotiated."""
    return {codec.payloadType or 0: codec.name.lower() for codec in transceiver._codecs}


def first_codec(transceiver: RTCRtpTransceiver) -> str:
    """The codec that aiortc will send, lower case."""
    return transceiver._codecs[0].name.lower()
