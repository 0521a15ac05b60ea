"""How far an exported file is from the Keras network: both style our sample picture, each in its own runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.export.subject import Subject
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import Batch, Frames
from streamer.thumbnails import sample

# Styles frames (B, H, W, 3) as an exported file does it, in the style of a Batch where it takes one.
Answer = Callable[[Batch], Frames]


@dataclass(frozen=True)
class Difference:
    """Of two frames, in levels of 255."""

    largest: int
    mean: float

    def __str__(self) -> str:
        return f"at most {self.largest}/255 off Keras, {self.mean:.4f}/255 on average"


def difference(one: Frames, other: Frames) -> Difference:
    """Of frames of one shape."""
    gap = np.abs(one.astype(np.int16) - other)
    return Difference(int(gap.max()), float(gap.mean()))


def measured(subject: Subject, answer: Answer) -> Difference:
    """Of an exported file from the Keras network, on the sample picture."""
    batch = subject.batch(sample()[None])
    return difference(answer(batch), KerasRuntime(subject.trunk, precision="float32").run(batch).frames)
