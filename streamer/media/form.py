"""What passes between reading and writing: a frame, and what all frames of a stream have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from streamer.media.colour import Colour, Picture


class Frame(NamedTuple):
    """One picture and when it is shown."""

    pixels: Picture  # uint8 RGB, height x width x 3
    pts: int  # ticks
    time_base: Fraction  # seconds per tick
    duration: int  # ticks; 0 if the file does not say

    @property
    def time(self) -> float:
        """Seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class VideoFormat:
    """What the frames are: their size in pixels, the unit of their timestamps, how they are to be shown."""

    width: int
    height: int
    time_base: Fraction  # seconds per tick
    fps: Fraction | None = None  # average, for the encoder's planning
    is_steady: bool = True  # whether frames are evenly spaced
    colour: Colour = field(default_factory=Colour)
    sample_aspect_ratio: Fraction | None = None
