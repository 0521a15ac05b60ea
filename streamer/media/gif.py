"""Animated GIF: one palette made for the whole clip, dithered, looping for ever.

The palette needs all frames before the first can be written, so they wait, lossless, in a nameless file.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import av.error
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from streamer.media.form import Frame, VideoFormat
from streamer.media.notices import Notice, Tell, silent
from streamer.media.problems import unwritable
from streamer.media.reader import VideoReader
from streamer.media.tracks import describe

_TICK = Fraction(1, 100)  # seconds; GIF's only unit of time
_SHORTEST = 2  # ticks; browsers show what is shorter for 10


class GifWriter:
    """Writes frames to a GIF, in the manner of VideoWriter. Sound and subtitles are left out, and it says so."""

    def __init__(self, path: Path, form: VideoFormat, tell: Tell = silent, *, label: Path | None = None) -> None:
        self._path = path
        self._label = label or path
        self._tell = tell
        self._form = form
        try:
            self._spool = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115  closed in __exit__
        except OSError as error:
            raise unwritable(self._label, error) from error
        self._waiting = av.open(self._spool, "w", format="matroska")
        self._frames = self._waiting.add_stream("libx264rgb", rate=25)
        self._frames.width, self._frames.height, self._frames.pix_fmt = form.width, form.height, "rgb24"
        self._frames.codec_context.options = {"crf": "0", "preset": "ultrafast"}
        self._frames.codec_context.time_base = _TICK
        self._palette = Graph()
        self._feed(self._palette, "rgb24", form.width, form.height).link_to(first := self._palette.add("palettegen"))
        self._palette.link_nodes(first, self._palette.add("buffersink")).configure()
        self._last: int | None = None  # tick of the last frame, and
        self._last_shown = _SHORTEST  # for how many it is shown
        self._left_out = 0
        self._cancelled = False
        self.frames = 0

    @staticmethod
    def _feed(graph: Graph, pixel_format: str, width: int, height: int) -> av.filter.FilterContext:
        form = av.VideoFormat(pixel_format, width, height)
        return graph.add_buffer(width=width, height=height, format=form, time_base=_TICK)

    def copy_from(self, reader: VideoReader) -> None:
        """Say which of the input's streams are lost."""
        for stream in reader.container.streams:
            if stream.type in ("audio", "subtitle"):
                self._tell(Notice(f"{describe(stream)} was left out: a GIF has neither sound nor subtitles."))

    def begin(self) -> None:
        """Nothing can be written yet."""

    def write(self, frame: Frame) -> None:
        """Keep one frame; left out if it comes less than 20 ms after the last, the shortest time that GIFs know."""
        tick = round(frame.pts * frame.time_base / _TICK)
        if self._last is not None and tick < self._last + _SHORTEST:
            self._left_out += 1
            return
        self._last = tick
        picture = VideoFrame.from_ndarray(frame.pixels, format="rgb24")
        picture.pts, picture.time_base = tick, _TICK
        self._last_shown = max(_SHORTEST, round(frame.duration * frame.time_base / _TICK))
        try:
            self._palette.push(picture)
            self._waiting.mux(self._frames.encode(picture))
        except (av.error.FFmpegError, OSError) as error:
            raise unwritable(self._label, error) from error
        self.frames += 1

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Other streams have no place here."""

    def finish(self) -> None:
        """Make the palette and write the file."""
        try:
            self._waiting.mux(self._frames.encode(None))
            self._waiting.close()
            self._palette.push(None)
            self._write_file(cast(VideoFrame, self._palette.pull()))
        except (av.error.FFmpegError, OSError) as error:
            raise unwritable(self._label, error) from error
        if self._left_out:
            self._tell(Notice(f"{self._left_out} frames were left out: a GIF shows at most 50 a second."))

    def cancel(self) -> None:
        """From another thread: let `finish` end early, the file being unwanted."""
        self._cancelled = True

    def _write_file(self, palette: VideoFrame) -> None:
        options = {"final_delay": str(self._last_shown)}
        with av.open(f"file:{self._path}", "w", format="gif", container_options=options) as output:
            stream = output.add_stream("gif", rate=100)
            stream.width, stream.height, stream.pix_fmt = self._form.width, self._form.height, "pal8"
            stream.codec_context.time_base = _TICK
            for frame in self._reduced(palette):
                if self._cancelled:
                    return
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))

    def _reduced(self, palette: VideoFrame) -> Iterator[VideoFrame]:
        """The waiting frames in the palette's 256 colours."""
        graph = Graph()
        pictures = self._feed(graph, "rgb24", self._form.width, self._form.height)
        colours = self._feed(graph, palette.format.name, palette.width, palette.height)
        use = graph.add("paletteuse", "dither=sierra2_4a:diff_mode=rectangle")
        pictures.link_to(use, 0, 0)
        colours.link_to(use, 0, 1)
        graph.link_nodes(use, graph.add("buffersink")).configure()
        colours.push(palette)
        colours.push(None)
        self._spool.seek(0)
        with av.open(self._spool, "r") as waiting:
            for frame in waiting.decode(video=0):
                # Matroska counts milliseconds; these are whole ticks of ten
                frame.pts = round(cast(int, frame.pts) * cast(Fraction, frame.time_base) / _TICK)
                frame.time_base = _TICK
                pictures.push(frame)
                yield from _ready(graph)
        pictures.push(None)
        yield from _ready(graph)

    def __enter__(self) -> GifWriter:
        """Use it with `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the waiting frames; what cannot be flushed any more is not wanted either."""
        for waiting in (self._waiting, self._spool):
            with contextlib.suppress(av.error.FFmpegError, OSError):
                waiting.close()


def _ready(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield cast(VideoFrame, graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return
