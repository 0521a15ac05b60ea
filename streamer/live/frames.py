"""What a frame is on its way through the live engine: offered, ready, in a batch, done, handed back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamer.engine import Frame
from streamer.geometry import MAX_SIDE
from streamer.pacing import Size
from streamer.runtime import Batch
from streamer.settings import Look

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class StyledFrame:
    """A frame handed back. `queued` and `styled` are seconds: offered to begun, begun to handed over."""

    frame: Frame  # (H, W, 3), as large as what was offered
    tag: Any
    queued: float
    styled: float
    size: Size  # height, width that it was styled at


@dataclass(frozen=True)
class SessionFigures:
    """How a session is doing. Sizes are (width, height), as people say them."""

    fps_in: float
    fps_out: float
    dropped: int  # frames that were offered and will not come back: replaced by newer ones, refused or failed
    queue_ms: float
    style_ms: float
    frame: tuple[int, int]
    work: tuple[int, int]
    lowered: bool  # whether the work size is below what the look asks for, to keep pace


class View(NamedTuple):
    """A look and what it means to the network."""

    look: Look
    modulation: Float32  # (modulation_size,)


@dataclass(frozen=True)
class Offered:
    """A frame as it came in."""

    frame: Frame
    time: float
    tag: Any
    at: float


@dataclass(frozen=True)
class Ready:
    """A frame that waits for the device."""

    offered: Offered
    small: Frame  # what the network gets
    cut: bool  # whether a scene began with it, or with a frame that it replaced

    @property
    def size(self) -> Size:
        """Height and width of what the network gets."""
        return self.small.shape[0], self.small.shape[1]

    def after(self, missed: Ready) -> Ready:
        """This frame, when it replaces one that has not had its turn."""
        return dataclasses.replace(self, cut=self.cut or missed.cut)


@dataclass(frozen=True)
class Done:
    """What came from the device, not finished yet."""

    ready: Ready
    look: Look
    styled: Frame
    began: float


@dataclass(frozen=True)
class Turn:
    """A frame whose turn on the device has come, and what it is normalised by."""

    ready: Ready
    view: View
    given: Float32  # (statistics_size,), what its stream's frame before it used
    carry: float  # the share of them that it keeps

    def done(self, styled: Frame, began: float) -> Done:
        """Styled (h, w, 3) in a batch that began then."""
        return Done(self.ready, self.view.look, styled, began)


def side_by_side(turns: Sequence[Turn]) -> Batch:
    """Frames of different sessions as one batch: each keeps its `carry` of what its own stream used; none mix."""
    frames = [turn.ready.small for turn in turns]
    return Batch(
        # A single frame, the usual case on a CPU, is not copied for it.
        frames[0][None] if len(frames) == 1 else np.stack(frames),
        np.stack([turn.view.modulation for turn in turns]),
        np.stack([turn.given for turn in turns]),
        np.diag([1 - turn.carry for turn in turns]).astype(np.float32),
        np.array([[turn.carry] for turn in turns], np.float32),
    )


def is_frame(frame: Any) -> bool:
    """Whether this is a picture (H, W, 3) of uint8, no side of it empty or beyond what any codec of ours takes."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        return False
    return min(frame.shape[:2]) >= 1 and max(frame.shape[:2]) <= MAX_SIDE
