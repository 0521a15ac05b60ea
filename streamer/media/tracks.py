"""Everything beside the styled video: audio, subtitles, covers, fonts. Copied, transcoded or left out, and said so."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Protocol, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from streamer.media.audio import AudioTranscoder
from streamer.media.containers import Container
from streamer.media.notices import Level, Notice, Tell
from streamer.media.opening import is_cover
from streamer.media.reader import VideoReader
from streamer.media.subtitles import BITMAPS, SubtitleTranscoder


class Track(Protocol):
    """Where one input stream's packets go."""

    stream: Stream  # of the output
    damaged: int  # packets that could not be decoded

    def convert(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Packets for the output, in its stream."""

    def finish(self) -> list[Packet[Stream]]:
        """What was held back."""


class CopiedTrack:
    """Packets pass as they are."""

    def __init__(self, source: Stream, output: OutputContainer) -> None:
        self.stream = output.add_stream_from_template(source, opaque=True)
        self.stream.disposition = source.disposition
        self.damaged = 0
        self._last: int | None = None
        self._is_mov_text = self.stream.codec_context is not None and self.stream.codec_context.name == "mov_text"

    def convert(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """The packet itself, but for the empty cues between an MP4's subtitles, which its muxer makes.

        One whose decoding time does not rise is moved by a tick, as muxers insist on order."""
        if is_cover(self.stream):
            packet.pts = packet.dts = 0
        if packet.dts is None:
            packet.dts = packet.pts
        if packet.dts is None or (self._is_mov_text and bytes(packet) == b"\0\0"):
            return []
        self._keep_order(packet)
        packet.stream = self.stream
        return [packet]

    def _keep_order(self, packet: Packet[Stream]) -> None:
        tick = cast(Fraction, self.stream.time_base)
        now = round(cast(int, packet.dts) * packet.time_base / tick)
        if self._last is not None and now <= self._last and self.stream.type != "subtitle":
            now = self._last + 1
            later = now if packet.pts is None else max(now, round(packet.pts * packet.time_base / tick))
            duration = round((packet.duration or 0) * packet.time_base / tick)
            packet.time_base, packet.dts, packet.pts, packet.duration = tick, now, later, duration
        self._last = now

    def finish(self) -> list[Packet[Stream]]:
        """Nothing is ever held back."""
        return []


def make_tracks(reader: VideoReader, output: OutputContainer, container: Container, tell: Tell) -> dict[int, Track]:
    """Add a stream to `output` for every input stream that it can hold, by the input stream's index."""
    tracks: dict[int, Track] = {}
    covers = reader.covers() if container.muxer == "matroska" else {}
    for stream in reader.container.streams:
        if stream.index == reader.stream.index:
            continue
        if stream.index in covers:  # Matroska keeps pictures as attachments, written with the header
            kind = "png" if stream.name == "png" else "jpeg"
            output.add_attachment(f"cover.{kind}", f"image/{kind}", covers[stream.index])
            continue
        track = _make_track(stream, output, container, tell)
        if track is not None:
            _describe(stream, track.stream, container)
            tracks[stream.index] = track
    return tracks


def _make_track(stream: Stream, output: OutputContainer, container: Container, tell: Tell) -> Track | None:
    name = describe(stream)
    if _is_copied(stream, container):
        return CopiedTrack(stream, output)
    if stream.type == "audio" and container.audio and stream.codec_context is not None:
        codec = container.audio.removeprefix("lib")
        tell(Notice(f"{name} was encoded again as {codec}: {container.muxer} cannot hold it as it is."))
        return AudioTranscoder(cast(AudioStream, stream), output, container.audio)
    if container.subtitles and _is_text(stream):
        tell(Notice(f"{name} was converted to {container.subtitles}: {container.muxer} cannot hold it as it is."))
        return SubtitleTranscoder(cast(SubtitleStream, stream), output, container.subtitles)
    if "timecode" in stream.metadata or stream.name == "bin_data":
        return None  # timecodes and chapters, which muxers write again from what they are told elsewhere
    if stream.type == "video" and not is_cover(stream):
        tell(Notice(f"{name} was left out: only one video stream is styled."))
        return None
    level: Level = "detail" if stream.type == "data" else "info"
    tell(Notice(f"{name} was left out: {container.muxer} cannot hold it.", level))
    return None


def describe(stream: Stream) -> str:
    """`Audio stream 1 (aac, eng)`, for messages."""
    codec = stream.codec_context.name if stream.codec_context is not None else stream.name
    details = ", ".join(word for word in (codec, stream.metadata.get("language")) if word)
    return f"{stream.type.capitalize()} stream {stream.index}" + (f" ({details})" if details else "")


def _is_text(stream: Stream) -> bool:
    return stream.type == "subtitle" and stream.codec_context is not None and stream.codec_context.name not in BITMAPS


def _is_copied(stream: Stream, container: Container) -> bool:
    if stream.type == "data":  # timecodes, chapter texts, GPS: tied to the tracks of the container they came in
        return False
    if stream.type == "attachment":
        return container.muxer == "matroska"
    if stream.type == "video":
        return is_cover(stream) and container.muxer == "mp4" and stream.name in ("png", "mjpeg", "bmp")
    return container.audio is not None and stream.codec_context is not None and can_copy(stream, container.muxer)


def can_copy(stream: Stream, muxer: str) -> bool:
    """Try, in memory: whether the muxer accepts a header with this stream alone."""
    try:
        with av.open(io.BytesIO(), "w", format=muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _describe(source: Stream, target: Stream, container: Container) -> None:
    """Carry over what a stream says about itself, less what muxers write or what was true of the old bytes only."""
    target.metadata.update(kept_metadata(source.metadata))
    if container.muxer == "mov" and "language" in target.metadata:
        language = target.metadata["language"]
        target.metadata["language"] = _QUICKTIME_LANGUAGES.get(language, language)
    target.disposition = source.disposition


# QuickTime's own list of languages knows these by other names
_QUICKTIME_LANGUAGES = {"deu": "ger", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice", "zho": "chi"}
_STALE = {"encoder", "duration", "bps", "number_of_frames", "number_of_bytes", "vendor_id", "_statistics_tags"}
_STALE |= {"_statistics_writing_app", "_statistics_writing_date_utc"}
_STALE |= {"major_brand", "minor_version", "compatible_brands", "rotate"}


def kept_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata worth carrying over to another file. MP4's `title-eng` repeats its `title`; muxers write it again."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower().removesuffix("-eng") not in _STALE and key.rpartition("-")[0] not in metadata
    }
