"""What tests of the score card share: files of pictures and clips without loss, and painters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np

from streamer.engine import Engine
from streamer.runtime import Batch, Styled
from streamer.settings import Look
from training.painter import Painter


def tiny_painter(engine: Engine) -> Painter:
    """The style alpha of the tiny library."""
    size = engine.library.trunk.config.statistics_size
    return Painter(
        "ours", "alpha", engine.library.resolve("alpha"), size, engine.run, lambda: engine.stream(Look(style="alpha"))
    )


def drawn(draw: Callable[[np.ndarray], np.ndarray]) -> Painter:
    """A painter of a network that is a function of the frames, whatever the statistics."""

    def run(batch: Batch) -> Styled:
        zero = np.zeros((len(batch.frames), 1), np.float32)
        return Styled(np.stack([draw(frame) for frame in batch.frames]), zero, zero)

    class Stream:
        batch_size = 5

        def __call__(self, frames: list[np.ndarray], times: list[float]) -> list[np.ndarray]:
            assert len(frames) == len(times) <= self.batch_size
            return [draw(frame) for frame in frames]

    return Painter("ours", "alpha", np.zeros(1, np.float32), 1, run, Stream)


def silent(done: int, total: int, what: str) -> None:
    """No progress is shown."""


def save(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def read(path: Path) -> np.ndarray:
    """(H, W, 3) RGB."""
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def save_clip(path: Path, frames: list[np.ndarray]) -> None:
    """Without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "bgr0"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
