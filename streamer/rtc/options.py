"""What a WebRTC service may be told, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.addresses import IceServer


@dataclass(frozen=True)
class RtcOptions:
    """Seconds, unless said otherwise."""

    ice_servers: tuple[IceServer, ...] = ()  # none: with STUN, gathering candidates may take 5 s
    max_viewers: int = 64  # of all streams together
    handshake_within: float = 10.0  # from the answer to connected
    silent_close: float = 10.0  # without any RTP from a publisher
    deaf_close: float = 15.0  # without any RTCP from a viewer that is being sent to
    keyframe_after: float = 0.5  # without a decodable frame
    close_within: float = 5.0  # for the goodbyes of one connection
