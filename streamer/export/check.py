"""How far an exported file is from the Keras network: both style our sample picture, each in its own runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.export.subject import Subject
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import Batch, Frames, still
from streamer.thumbnails import sample

# Styles frames (B, H, W, 3) as an exported file does it, in the style and by the statistics of a Batch.
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


def sample_batch(subject: Subject) -> Batch:
    """The sample picture in the subject's style, by its own statistics."""
    return still(sample()[None], subject.row, subject.config.statistics_size)


def measured(subject: Subject, answer: Answer) -> Difference:
    """Of an exported file from the Keras network, on the sample picture."""
    batch = sample_batch(subject)
    keras = KerasRuntime(subject.trunk, precision="float32")
    return difference(answer(batch), keras.run(batch).frames)
