"""Live styling: many sessions on one engine, each with one place in the queue, the newest frame always winning."""

from streamer.live.engine import LiveEngine
from streamer.live.frames import SessionFigures, StyledFrame
from streamer.live.session import LiveSession

__all__ = ["LiveEngine", "LiveSession", "SessionFigures", "StyledFrame"]
