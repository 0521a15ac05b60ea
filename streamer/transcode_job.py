"""The three stages of a transcode: decode, style and encode overlap as a pipeline of bounded queues.

The decoder and the encoder each have a thread; the style runs in the caller's, where Ctrl-C arrives. That one never
waits for the input itself: a silent server would keep it from hearing anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from av.packet import Packet
from av.stream import Stream
from numpy.typing import NDArray

from streamer.errors import Interrupted
from streamer.media import Frame, GifWriter, VideoReader, VideoWriter
from streamer.pipeline import Channel, Stopped

_QUEUED_FRAMES = 4  # in each of the two queues: enough to ride out a keyframe, 25 MB of 1080p
_PACKETS_PER_FRAME = 4 << 20  # bytes of sound and subtitles that count as much as a frame
_TICK = 0.1  # seconds between looks at progress and at the stop event
_PATIENCE = 1.0  # seconds that a stopped job waits for its decoder, which may be waiting for a silent server

Picture = NDArray[np.uint8]
Item: TypeAlias = "Frame | Packet[Stream]"


class Stylize(Protocol):
    """What is done to the frames; it keeps the temporal state of one stream.

    It may also have `begin`, which takes the same and returns at once with a callable that waits for the result: then
    one batch is always under way while the next is fetched and the last passed on; and `prepare`, which is told the
    size (height, width) and rate of the frames to come, and may have something to say to the user about that.
    """

    @property
    def batch_size(self) -> int:
        """Consecutive frames that it likes at once."""

    def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
        """Style uint8 RGB frames shown at `times` (rising seconds); the results have the same sizes."""


@dataclass(frozen=True)
class Progress:
    """How far a transcode is."""

    frames: int  # written
    total: int | None
    seconds: float  # of the media
    total_seconds: float | None
    elapsed: float  # seconds


class Job:
    """One run: two threads, two queues and the caller's thread between them."""

    def __init__(
        self,
        reader: VideoReader,
        writer: VideoWriter | GifWriter,
        stylize: Stylize,
        progress: Callable[[Progress], None] | None,
        stop: threading.Event,
        began: float,
    ) -> None:
        self._reader, self._writer, self._stylize = reader, writer, stylize
        self._progress, self._stop, self._began = progress, stop, began
        self._decoded: Channel[Item] = Channel(max(_QUEUED_FRAMES, stylize.batch_size))
        self._styled: Channel[Item] = Channel(max(_QUEUED_FRAMES, stylize.batch_size))
        self._under_way: tuple[list[Frame], Callable[[], list[Picture]]] = [], list
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._guarded, args=(stage,), name=name, daemon=True)
            for name, stage in (("decode", self._decode), ("encode", self._encode))
        ]
        self._last_look = began
        self.frames = 0
        self.seconds = 0.0

    def run(self) -> None:
        """Work until the end; raises the first error of any stage after all threads have ended."""
        for thread in self._threads:
            thread.start()
        try:
            self._style()
            while self._threads[1].is_alive():
                self._threads[1].join(_TICK)
                self._look()
        except Stopped:
            pass  # another stage failed: its error follows
        except BaseException:
            self._writer.cancel()
            raise
        finally:
            self._decoded.stop()
            self._styled.stop()
            self._end_threads()
        if self._errors:
            raise self._errors[0]

    def _end_threads(self) -> None:
        decoder, encoder = self._threads
        encoder.join()
        decoder.join(_PATIENCE)
        if decoder.is_alive():
            self._reader.leave()

    def _guarded(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001  it is raised again in the caller's thread
            self._errors.append(error)
            self._decoded.stop()
            self._styled.stop()

    def _decode(self) -> None:
        for item in self._reader.items():
            self._decoded.put(item, _weight(item))
        self._decoded.end()

    def _encode(self) -> None:
        while (item := self._styled.get()) is not None:
            if isinstance(item, Packet):
                self._writer.write_packet(item)
            else:
                self._writer.write(item)
                self.frames += 1
                self.seconds = item.time
        self._writer.finish()

    def _style(self) -> None:
        batch: list[Frame] = []
        while not self._decoded.exhausted:
            self._look()
            item = self._decoded.get(_TICK)
            if isinstance(item, Packet):
                self._send(item)
            elif item is not None:
                batch.append(item)
                if len(batch) >= self._stylize.batch_size:
                    self._style_batch(batch)
                    batch = []
        if batch:
            self._style_batch(batch)
        self._pass_on()
        self._styled.end()

    def _style_batch(self, batch: list[Frame]) -> None:
        """Set a batch going, then pass the one before it on."""
        begin = getattr(self._stylize, "begin", self._at_once)
        styled = begin([frame.pixels for frame in batch], [frame.time for frame in batch])
        self._pass_on()
        self._under_way = batch, styled

    def _at_once(self, pixels: list[Picture], times: list[float]) -> Callable[[], list[Picture]]:
        pictures = self._stylize(pixels, times)
        return lambda: pictures

    def _pass_on(self) -> None:
        """Wait for the batch under way, if there is one, and send it to the encoder."""
        batch, styled = self._under_way
        self._under_way = [], list
        for frame, picture in zip(batch, styled(), strict=True):
            self._send(frame._replace(pixels=picture))

    def _send(self, item: Item) -> None:
        while not self._styled.put(item, _weight(item), _TICK):
            self._look()

    def _look(self) -> None:
        """Report progress if it is time to; raises Interrupted if the stop event is set."""
        if self._stop.is_set():
            raise Interrupted
        now = time.monotonic()
        if self._progress is not None and now - self._last_look >= _TICK:
            self._last_look = now
            total, seconds = self._reader.expected_frames, self._reader.expected_seconds
            self._progress(Progress(self.frames, total, self.seconds, seconds, now - self._began))


def _weight(item: Item) -> float:
    return 1.0 if isinstance(item, Frame) else item.size / _PACKETS_PER_FRAME
