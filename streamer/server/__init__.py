"""The service over HTTP: routes, limits, health. It knows no peer connection and no network from the inside."""

from streamer.server.app import create_app
from streamer.server.parts import Parts, Peer, Peers

__all__ = ["Parts", "Peer", "Peers", "create_app"]
