"""The stages of a transcode, each alone, and what a turn of each takes."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.bench.johnson import Johnson
from streamer.denoise import TemporalDenoiser
from streamer.engine import StyleStream
from streamer.media import Frame, VideoReader, VideoWriter, plan_encoder
from streamer.settings import TranscodeOptions

Picture = NDArray[np.uint8]
Stage = Callable[[], int]  # does its work once; returns how many frames that was


@dataclass
class Costs:
    """Seconds per frame of a stage, one entry a round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # of all threads of the process

    def take(self, stage: Stage) -> None:
        """Run a stage and note what it took."""
        cpu, wall = time.process_time(), time.perf_counter()
        frames = stage()
        self.note((time.perf_counter() - wall) / frames, (time.process_time() - cpu) / frames)

    def note(self, wall: float, cpu: float) -> None:
        """Note what a frame took that was measured elsewhere, in seconds."""
        self.wall.append(wall)
        self.cpu.append(cpu)

    @property
    def wall_ms(self) -> float:
        """Median wall-clock time per frame, in milliseconds."""
        return 1000 * statistics.median(self.wall)

    @property
    def cpu_ms(self) -> float:
        """Median CPU time per frame, in milliseconds."""
        return 1000 * statistics.median(self.cpu)


class DecodeStage:
    """Reads the clip's first frames into RGB pictures, as a transcode does."""

    def __init__(self, clip: Path, frames: int) -> None:
        self._clip, self._count = clip, frames

    def frames(self) -> list[Frame]:
        """The frames themselves."""
        with VideoReader(str(self._clip)) as reader:
            return list(itertools.islice(reader, self._count))

    def __call__(self) -> int:
        """Read them; returns how many they were."""
        with VideoReader(str(self._clip)) as reader:
            return sum(1 for _ in itertools.islice(reader, self._count))


class DenoiseStage:
    """Takes the noise out of the frames of a stream, on one thread."""

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    def __call__(self) -> int:
        """Filter them; returns how many they are."""
        denoiser = TemporalDenoiser()
        for frame in self._frames:
            denoiser(frame.pixels, cut=False)
        return len(self._frames)


class StyleStage:
    """Styles frames of a stream one after the other, uint8 in and uint8 out, padding and cropping included."""

    def __init__(self, stream: StyleStream, frames: list[Frame]) -> None:
        self._stream, self._frames = stream, frames

    def pictures(self) -> list[Picture]:
        """The styled pictures."""
        return [self._stream([frame.pixels], [frame.time])[0] for frame in self._frames]

    def __call__(self) -> int:
        """Style them; returns how many they are."""
        for frame in self._frames:
            self._stream([frame.pixels], [frame.time])
        return len(self._frames)


class EncodeStage:
    """Encodes styled frames to a file, as a transcode does."""

    def __init__(self, clip: Path, frames: list[Frame], folder: Path) -> None:
        self._frames = frames
        self._path = folder / "encoded.mp4"
        with VideoReader(str(clip)) as reader:
            self._form = reader.form
        self._plan = plan_encoder(self._path, TranscodeOptions(), self._form.width, self._form.height)

    def __call__(self) -> int:
        """Encode them; returns how many they are."""
        with VideoWriter(self._path, self._plan, self._form) as writer:
            writer.begin()
            for frame in self._frames:
                writer.write(frame)
            writer.finish()
        return len(self._frames)


class JohnsonStage:
    """Runs the classic network on one frame."""

    def __init__(self, network: Johnson, picture: Picture) -> None:
        self._network, self._picture = network, picture

    def __call__(self) -> int:
        """Run it once."""
        self._network(self._picture)
        return 1
