"""Video out: RGB frames with timestamps to a file, and beside them what was in the input."""

from __future__ import annotations

import math
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import av.error
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.media.colour import FromRgb
from streamer.media.containers import EncoderPlan, configure
from streamer.media.form import Frame, VideoFormat
from streamer.media.gif import GifWriter
from streamer.media.matroska import set_display_size
from streamer.media.notices import Notice, Tell, silent
from streamer.media.problems import unwritable
from streamer.media.reader import VideoReader
from streamer.media.realtime import ordinary_priority
from streamer.media.tracks import Track, kept_metadata, make_tracks

_FRAME_DURATION = 1 << 8  # AV_CODEC_FLAG_FRAME_DURATION: encoders pass on how long a frame is shown
_ODD_SIZE = "{}x{} is an odd size, which {} codes with full-size chroma only (4:4:4); not every player shows that."
_MILLISECONDS = "Matroska and WebM count milliseconds: times are rounded to the nearest."
_LARGEST_TIMESCALE = 2**31 - 1
# What the older atoms have a place for; anything else needs the newer key list, which fewer programs read.
_QUICKTIME_KEYS = {"title", "artist", "album", "date", "comment", "genre", "copyright", "creation_time"}
_ITUNES_KEYS = _QUICKTIME_KEYS | {"album_artist", "composer", "grouping", "lyrics", "description", "synopsis", "track"}
_ITUNES_KEYS |= {"show", "episode_id", "network", "keywords", "season_number", "episode_sort", "disc", "tmpo"}
_ITUNES_KEYS |= {"hd_video", "media_type", "compilation", "gapless_playback"}


class VideoWriter:
    """Writes one video stream and, after `copy_from`, an input's other streams.

    `begin`, then `write` and `write_packet`, then `finish`; leaving a `with` without `finish` abandons the file.
    Raises OutputError when the disk is full or the file cannot be written.
    """

    def __init__(
        self, path: Path, plan: EncoderPlan, form: VideoFormat, tell: Tell = silent, *, label: Path | None = None
    ) -> None:
        """`label` is what messages call the file, if that is not its `path`."""
        self._path = path
        self._label = label or path
        self._plan = plan
        self._form = form
        self._tell = tell
        self._tracks: dict[int, Track] = {}
        self._from_rgb = FromRgb(form.colour, plan.pixel_format)
        try:
            self._container = av.open(f"file:{path}", "w", format=plan.container.muxer)  # a colon is no protocol
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise unwritable(self._label, error) from error
        self._container.container_options.update(_muxer_options(plan.container.muxer, form.time_base))
        self._stream = self._add_video()
        self.frames = 0
        if plan.pixel_format == "yuv444p":
            self._tell(Notice(_ODD_SIZE.format(form.width, form.height, plan.codec), "detail"))
        if plan.container.muxer in ("matroska", "webm") and (form.time_base * 1000).denominator != 1:
            self._tell(Notice(_MILLISECONDS, "detail"))

    def _add_video(self) -> VideoStream:
        form = self._form
        stream = cast(VideoStream, self._container.add_stream(self._plan.encoder, rate=form.fps or Fraction(25)))
        context = stream.codec_context
        configure(context, self._plan, form.width, form.height)
        context.time_base = form.time_base
        context.flags |= _FRAME_DURATION
        if not form.is_steady and self._plan.codec in ("h264", "hevc"):
            # Uneven frames in another order than shown add up to a wrong length in an MP4, as FFmpeg reads it.
            context.max_b_frames = 0
        context.color_range = 2 if form.colour.full_range else 1
        context.colorspace = form.colour.matrix
        context.color_primaries = form.colour.primaries
        context.color_trc = form.colour.transfer
        if form.sample_aspect_ratio:
            context.sample_aspect_ratio = form.sample_aspect_ratio
        if self._plan.codec == "hevc" and self._plan.container.muxer in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # the only HEVC tag that Apple's players know
        stream.time_base = form.time_base
        return stream

    def copy_from(self, reader: VideoReader) -> None:
        """Take over metadata, chapters and the other streams of an input; call before `begin`."""
        self._container.metadata.update(kept_metadata(reader.container.metadata))
        self._stream.metadata.update(kept_metadata(reader.stream.metadata))
        if reader.timeline.starts_late:
            self._stream.metadata.pop("timecode", None)  # it names the input's first frame
        self._stream.disposition = reader.stream.disposition
        chapters = reader.timeline.chapters(reader.container.chapters())
        if chapters:
            self._container.set_chapters(chapters)
        self._tracks = make_tracks(reader, self._container, self._plan.container, self._tell)
        self._choose_mp4_options()

    def _choose_mp4_options(self) -> None:
        if self._plan.container.muxer not in ("mp4", "mov"):
            return
        options = self._container.container_options
        known = _ITUNES_KEYS if self._plan.container.muxer == "mp4" else _QUICKTIME_KEYS
        if any(key.partition("-")[0] not in known for key in self._container.metadata):
            options["movflags"] += "+use_metadata_tags"
        rates = [stream.codec_context.sample_rate for stream in self._container.streams.audio]
        options["movie_timescale"] = str(_common_timescale(self._form.time_base.denominator, rates))

    def begin(self) -> None:
        """Write the header."""
        try:
            with ordinary_priority(self._plan.codec):
                self._container.start_encoding()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise unwritable(self._label, error) from error

    def write(self, frame: Frame) -> None:
        """Encode one frame; timestamps must rise."""
        picture = self._from_rgb(frame.pixels)
        picture.pts, picture.time_base, picture.duration = frame.pts, frame.time_base, frame.duration
        self._encode(picture)
        self.frames += 1

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Pass on a packet of another stream of the input."""
        track = self._tracks.get(packet.stream_index)
        if track is not None:
            self._mux(track.convert(packet))

    def finish(self) -> None:
        """Flush the encoders and complete the file."""
        self._encode(None)
        for track in self._tracks.values():
            self._mux(track.finish())
            if track.damaged:
                self._tell(Notice(f"{track.damaged} damaged packets of an audio or subtitle stream were passed over."))
        try:
            self._container.close()
            self._note_shape()
        except (av.error.FFmpegError, OSError) as error:
            raise unwritable(self._label, error) from error

    def cancel(self) -> None:
        """As GifWriter's; here `finish` never takes long."""

    def _note_shape(self) -> None:
        """Matroska: how wide the pixels of a codec are that does not say so itself."""
        aspect = self._form.sample_aspect_ratio or Fraction(1)
        known = self._plan.container.muxer in ("mp4", "mov") or self._plan.codec in ("h264", "hevc")
        if aspect == 1 or known:
            return
        width = round(self._form.width * aspect)
        if not set_display_size(self._path, max(1, width), self._form.height):
            self._tell(Notice(f"The pixels' shape ({aspect}) could not be written to the file."))

    def _encode(self, picture: VideoFrame | None) -> None:
        try:
            begins = self.frames == 0  # SVT-AV1 begins its last threads with the first frame
            with ordinary_priority(self._plan.codec) if begins else nullcontext():
                packets = self._stream.encode(picture)
        except (av.error.FFmpegError, ValueError) as error:
            raise unwritable(self._label, error) from error
        self._mux(packets)

    def _mux(self, packets: list[Packet[Stream]]) -> None:
        try:
            for packet in packets:
                self._container.mux_one(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise unwritable(self._label, error) from error

    def __enter__(self) -> VideoWriter:
        """Use it with `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, whatever state it is in."""
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            if kind is None:
                raise  # else the first error is the one to hear about


def _muxer_options(muxer: str, time_base: Fraction) -> dict[str, str]:
    if muxer in ("mp4", "mov"):
        # The film's own clock (1/1000 s by default) rounds the start of every stream: give it the video's.
        return {
            "movflags": "+faststart",
            "movie_timescale": str(min(time_base.denominator, _LARGEST_TIMESCALE)),
            "avoid_negative_ts": "disabled",
        }
    # Without checksums, for they would not survive set_display_size.
    return {"default_mode": "passthrough", "avoid_negative_ts": "disabled", "write_crc32": "0"}


def _common_timescale(video: int, rates: list[int]) -> int:
    """A clock in whose ticks the streams' starts are whole numbers, if one fits in 31 bits."""
    common = math.lcm(video, *rates)
    return common if common <= _LARGEST_TIMESCALE else min(video, _LARGEST_TIMESCALE)


def open_writer(
    path: Path, plan: EncoderPlan, form: VideoFormat, tell: Tell = silent, *, label: Path | None = None
) -> VideoWriter | GifWriter:
    """The writer that a plan asks for."""
    if plan.is_gif:
        return GifWriter(path, form, tell, label=label)
    return VideoWriter(path, plan, form, tell, label=label)
