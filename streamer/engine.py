"""The engine: frames in, styled frames out, for every way in. It owns the device thread; it knows no media, no HTTP."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamer import postprocess
from streamer.choice import Choice, choose
from streamer.denoise import TemporalDenoiser
from streamer.geometry import lowered_size
from streamer.options import AUTO
from streamer.pacing import Size
from streamer.runtime import Batch, Runtime, Styled, bytes_per_pixel, still
from streamer.runtimes import make_runtime
from streamer.scenes import CutDetector
from streamer.settings import KERAS, LITERT, EngineOptions, Look, cores
from streamer.styles import StyleLibrary
from streamer.warmup import seconds_a_frame
from streamer.worksize import Pace, available_memory, keep_pace

Frame = NDArray[np.uint8]
Float32 = NDArray[np.float32]
P = ParamSpec("P")
T = TypeVar("T")
SMOOTHING_SECONDS = 0.1  # time constant of a stream's statistics; docs/temporal.md has what was measured


@dataclass
class StreamState:
    """What a stream remembers: the statistics its last frame was normalised by, and when that was."""

    used: Float32  # (statistics_size,)
    time: float = 0.0  # seconds

    def carry(self, time: float, *, cut: bool) -> float:
        """How much of them a frame shown at `time`, the next, keeps: exp(-dt / tau), 0 at a cut. Notes the time."""
        elapsed, self.time = time - self.time, time
        return 0.0 if cut else math.exp(-max(elapsed, 0.0) / SMOOTHING_SECONDS)


class Engine:
    """Runs one trunk on one device for any number of streams. Close it, or use it as a context manager."""

    choice: Choice | None = None  # what `for_streams` chose

    def __init__(
        self,
        library: StyleLibrary,
        options: EngineOptions | None = None,
        *,
        runtime: Runtime | None = None,
        stills: Runtime | None = None,
    ) -> None:
        """library: runs its trunk, so `select` first what is to be styled; styles of other trunks are refused.

        runtime: what runs it; default: what the options ask for. stills: what paints single pictures; default: the
        same. Raises BadStyle for a damaged trunk, MissingDependency where what is asked for cannot be used.
        """
        self.library = library
        self._runtime = runtime or make_runtime(library, options or EngineOptions())
        self._stills = stills or self._runtime
        self._device = ThreadPoolExecutor(1, thread_name_prefix="device")

    @classmethod
    def for_streams(
        cls, library: StyleLibrary, options: EngineOptions | None = None, tell: Callable[[str], None] = lambda _: None
    ) -> Self:
        """An engine whose streams run on what is best on this machine (`streamer.choice`), if nobody says on what.

        Its stills are painted in float32 all the same: of a picture one sees more, and waits for it once. tell: hears,
        in a sentence, on what and why. Raises as the constructor.
        """
        options = options or EngineOptions()
        choice = choose(library, options)
        tell(str(choice))
        runtime = make_runtime(library, replace(options, runtime=choice.runtime))
        is_new_to_stills = options.runtime == AUTO and choice.runtime not in (LITERT, KERAS)
        stills = make_runtime(library, replace(options, runtime=LITERT)) if is_new_to_stills else runtime
        engine = cls(library, runtime=runtime, stills=stills)
        engine.choice = choice
        return engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def runtime_name(self) -> str:
        """Which runtime runs streams, for people."""
        return self._runtime.name

    @property
    def batch_size(self) -> int:
        """How many frames of streams at once the runtime is best at."""
        return self._runtime.batch_size

    def on_device(self, work: Callable[Concatenate[Runtime, P], T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue work for the device thread, which calls it with the runtime of streams."""
        return self._device.submit(work, self._runtime, *args, **kwargs)

    def submit(self, batch: Batch) -> Future[Styled]:
        """Queue a batch of stills, or of tiles of one."""
        return self._device.submit(self._stills.run, batch)

    def run(self, batch: Batch) -> Styled:
        """Style a batch of stills, or of tiles of one, and wait for it."""
        return self.submit(batch).result()

    def stylize(self, frame: Frame, modulation: Float32) -> Frame:
        """Style one still picture (H, W, 3) by its own statistics."""
        return self.run(still(frame[None], modulation, self.library.trunk.config.statistics_size)).frames[0]

    def seconds_a_frame(self, size: Size, clock: Callable[[], float] = time.perf_counter) -> float:
        """Device seconds for a stream's frame of this size (height, width), measured now; see `streamer.warmup`."""

        def run(batch: Batch) -> Styled:
            return self.on_device(lambda runtime: runtime.run(batch)).result()

        return seconds_a_frame(run, self.library.trunk, self.batch_size, size, clock)

    def pace(self, size: Size, rate: float) -> Pace:
        """At which size to style frames of `size` (height, width) so as to keep `rate` frames a second; measures it."""
        return keep_pace(
            size,
            rate,
            self.seconds_a_frame,
            cores=cores(),
            shares_cores=self.batch_size == 1,
            most_pixels=available_memory() / bytes_per_pixel(self.library.trunk.config),
        )

    def stream(self, look: Look, *, denoise: bool = True) -> StyleStream:
        """A new stream with a look of its own. Raises UnknownStyle, BadStyle or BadOption.

        denoise: whether its frames go through `streamer.denoise` first; without, it is for measuring.
        """
        return StyleStream(self, look, denoise=denoise)

    def close(self) -> None:
        """Finish what is queued and stop the device thread."""
        self._device.shutdown(wait=True)
        self._runtime.close()
        if self._stills is not self._runtime:
            self._stills.close()


class StyleStream:
    """One stream of frames in one look. What it remembers of a frame serves the next; a scene cut starts it anew."""

    def __init__(self, engine: Engine, look: Look, *, denoise: bool = True) -> None:
        self._engine = engine
        self._look = look
        self._modulation = engine.library.resolve(look.style, look.strength)
        self._cuts = CutDetector()
        self._denoiser = TemporalDenoiser() if denoise else None
        self._state = StreamState(np.zeros(engine.library.trunk.config.statistics_size, np.float32))
        self._paced: Size | None = None

    def prepare(self, size: Size, rate: float) -> str | None:
        """Be told of the frames to come, their size (height, width) and number a second, before the first of them.

        With a working size of `auto` this is when it is found out; returns a sentence about what it is.
        """
        if self._look.work_size != AUTO or self._look.strength == 0:
            return None
        pace = self._engine.pace(size, rate)
        self._paced = pace.size
        height, width = pace.size
        fitting = "keeps" if pace.fps >= rate else "comes closest to"
        styled = "their own size" if pace.size == size else f"{width}x{height}"
        about = f"the {rate:.4g} frames a second of the video here (some {pace.fps:.3g})"
        return f"Frames are styled at {styled}, which {fitting} {about}."

    @property
    def batch_size(self) -> int:
        """How many consecutive frames it likes at once."""
        return self._engine.batch_size

    def __call__(self, frames: Sequence[Frame], times: Sequence[float]) -> list[Frame]:
        """Style consecutive frames (H, W, 3) of equal size, shown at `times` in seconds."""
        return self.begin(frames, times)()

    def begin(self, frames: Sequence[Frame], times: Sequence[float]) -> Callable[[], list[Frame]]:
        """Queue frames for the device and return at once; call what is returned to wait for them.

        So the device need not wait while a caller looks at the next frames and passes the last ones on.
        """
        if self._look.strength == 0:
            return lambda: [frame.copy() for frame in frames]
        height, width = frames[0].shape[:2]
        size = self._paced[::-1] if self._paced else lowered_size(self._look.work_size, width, height)
        inputs = [postprocess.shrink(frame, size) for frame in frames]
        cuts = [self._cuts.is_cut(each) for each in inputs]
        carries = [self._state.carry(time, cut=cut) for time, cut in zip(times, cuts, strict=True)]
        if self._denoiser:
            inputs = [self._denoiser(each, cut=cut) for each, cut in zip(inputs, cuts, strict=True)]
        pending = self._engine.on_device(self._run, inputs, carries)

        def finished() -> list[Frame]:
            styled = pending.result()
            keep = self._look.preserve_color
            triples = zip(styled, inputs, frames, strict=True)
            return [postprocess.finish(*triple, preserve=keep) for triple in triples]

        return finished

    def _run(self, runtime: Runtime, inputs: Sequence[Frame], carries: Sequence[float]) -> Frame:
        """On the device thread, which alone touches the statistics: frames may be queued before these are known."""
        styled = runtime.run(stream_batch(_stack(inputs), self._modulation, self._state.used, carries))
        self._state.used = styled.used[-1]
        return styled.frames


def _stack(frames: Sequence[Frame]) -> Frame:
    """(B, H, W, 3); a single frame, the usual case on a CPU, is not copied for it."""
    return frames[0][None] if len(frames) == 1 else np.stack(frames)


def stream_batch(frames: Frame, modulation: Float32, given: Float32, carries: Sequence[float]) -> Batch:
    """Consecutive frames (B, H, W, 3) of one stream as one batch that equals running them one by one.

    given: (statistics_size,) that the frame before them used. carries: for each frame the share it keeps of what its
    predecessor used, 0 to 1. Unrolling ``used[i] = carry[i] * used[i-1] + (1 - carry[i]) * own[i]`` gives a lower
    triangular `mix`.
    """
    count = len(frames)
    mix = np.zeros((count, count), np.float32)
    carry = np.zeros((count, 1), np.float32)
    for i, keep in enumerate(carries):
        carry[i] = keep * (carry[i - 1] if i else 1.0)
        if i:
            mix[i] = keep * mix[i - 1]
        mix[i, i] += 1.0 - keep
    rows = np.repeat(modulation[None], count, axis=0)
    return Batch(frames, rows, np.repeat(given[None], count, axis=0), mix, carry)
