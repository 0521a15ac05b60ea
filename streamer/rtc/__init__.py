"""WebRTC: video in, styled video out, over aiortc. Knows a live engine, nothing of HTTP or of styles."""

from streamer.addresses import IceServer
from streamer.rtc.options import RtcOptions
from streamer.rtc.peer import Peer
from streamer.rtc.service import PeerService

__all__ = ["IceServer", "Peer", "PeerService", "RtcOptions"]
