"""The losses and the preview of a run as TensorBoard shows them: `tensorboard --logdir RUN/logs`."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2

from training.callbacks import StepCallback
from training.preview import PREVIEW

LOGS = "logs"
EVERY = 10  # steps between two points of a curve


def tensorboard_is_here() -> bool:
    """Whether its package, which writes the logs under any framework, is installed."""
    return importlib.util.find_spec("tensorboard") is not None


class TensorBoardLogs(StepCallback):
    """Writes event files: every loss as a curve over the steps, and the preview whenever there is a new one.

    Not `keras.callbacks.TensorBoard`, which needs TensorFlow and knows epochs where a run has but one.
    """

    def __init__(self, folder: Path) -> None:
        """folder: of the run; where its preview is, too."""
        super().__init__()
        self._folder, self._shown = folder, 0.0
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Open a file; every resumption has its own, and TensorBoard joins them."""
        super().on_train_begin(logs)
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(self._folder / LOGS))

    def on_step_end(self, step: int, losses: Mapping[str, float]) -> None:
        """Write what is due."""
        if step % EVERY == 0:
            self._add(step, [{"tag": f"loss/{name}", "simple_value": float(v)} for name, v in losses.items()])
        preview = self._folder / PREVIEW
        written = preview.stat().st_mtime if preview.exists() else 0.0
        if written > self._shown:
            self._shown = written
            self._add(step, [{"tag": "preview", "image": _image(preview.read_bytes(), preview)}])

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Write what waits and close the file; once is enough, more do no harm."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _add(self, step: int, values: list[dict[str, Any]]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(**value) for value in values])
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def _image(png: bytes, path: Path) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    height, width = cv2.imread(str(path)).shape[:2]
    return Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
