"""What a video says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.media.colour import Colour, colour_of
from streamer.media.upright import Turn, turn_of

_MICROSECONDS = av.time_base


@dataclass(frozen=True)
class VideoInfo:
    """A video stream as it will be delivered: upright, in seconds."""

    container: str  # names of its demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`
    codec: str
    width: int  # upright, in pixels
    height: int
    fps: Fraction | None  # average; single frames may be spaced otherwise
    is_steady: bool  # whether frames are evenly spaced, by the look of the first ones
    duration: float | None  # seconds, as announced
    frames: int | None  # as announced, else duration times fps
    pixel_format: str
    bits: int  # per sample
    sample_aspect_ratio: Fraction | None  # upright; None where the file is silent
    rotation: int  # degrees counter-clockwise that put it upright
    colour: Colour
    time_base: Fraction  # seconds per tick of its timestamps


def describe_video(container: InputContainer, stream: VideoStream, first: VideoFrame) -> VideoInfo:
    """Read it off the container, the stream and the first decoded frame, which knows best."""
    turn = turn_of(first)
    width, height = turn.size(first.width, first.height)
    fps = stream.average_rate or stream.guessed_rate or None
    duration = announced_duration(container, stream)
    estimate = round(duration * float(fps)) if duration and fps else None
    return VideoInfo(
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        width=width,
        height=height,
        fps=fps,
        is_steady=_is_steady(stream),
        duration=duration,
        frames=stream.frames or estimate,
        pixel_format=first.format.name,
        bits=max(component.bits for component in first.format.components),
        sample_aspect_ratio=_aspect(stream, turn),
        rotation=turn.degrees,
        colour=colour_of(first),
        time_base=stream.time_base or Fraction(1, _MICROSECONDS),
    )


def announced_duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds of video that the file announces, or None."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and container.duration > 0:
        return container.duration / _MICROSECONDS
    return None


def _is_steady(stream: VideoStream) -> bool:
    average, base = stream.average_rate, stream.base_rate
    return average is not None and base is not None and abs(average / base - 1) < Fraction(1, 100)


def _aspect(stream: VideoStream, turn: Turn) -> Fraction | None:
    return turn.aspect(stream.sample_aspect_ratio or None)
