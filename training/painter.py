"""One of our own styles, as the score card needs it: stills, streams, and frames with given statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.runtime import Batch, Styled, still

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class Stream(Protocol):
    """Styles consecutive frames; its statistics travel with it."""

    @property
    def batch_size(self) -> int:
        """How many frames it likes at once."""

    def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
        """Style frames shown at `times`, in seconds."""


@dataclass(frozen=True)
class Painter:
    """A style and the network that paints it. The engine behind `run` and `stream` is the caller's."""

    program: str
    style: str
    modulation: Float32  # (modulation_size,)
    statistics_size: int
    run: Callable[[Batch], Styled]
    stream: Callable[[], Stream]  # a new one
    per_frame: bool = False  # whether clips are styled by each frame's own statistics

    def still(self, picture: Picture) -> Picture:
        """A picture by its own statistics."""
        return self._still(picture).frames[0]

    def clip(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
        """A clip as this painter styles clips."""
        return self.apart(frames) if self.per_frame else self.running(frames, times)

    def apart(self, frames: Sequence[Picture]) -> list[Picture]:
        """Each frame by its own statistics."""
        return [self.still(frame) for frame in frames]

    def running(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
        """Frames of one stream."""
        stream, styled = self.stream(), list[Picture]()
        for i in range(0, len(frames), stream.batch_size):
            part = slice(i, i + stream.batch_size)
            styled += stream(frames[part], times[part])
        return styled

    def statistics(self, picture: Picture) -> Float32:
        """What a picture is normalised by, (statistics_size,)."""
        return self._still(picture).used[0]

    def given(self, picture: Picture, statistics: Float32) -> Picture:
        """A picture normalised by statistics that are not its own."""
        zero, one = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
        return self.run(Batch(picture[None], self.modulation[None], statistics[None], zero, one)).frames[0]

    def _still(self, picture: Picture) -> Styled:
        return self.run(still(picture[None], self.modulation, self.statistics_size))
