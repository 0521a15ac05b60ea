"""What a video from a stranger may be: which formats and codecs are opened at all, how large and how long it may be.

FFmpeg reads hundreds of formats, some of which name other files and hosts to read, and decodes as many codecs, most of
which nobody has looked at for years. Of a stranger's file only what cameras, phones and editors make today is opened.
"""

from __future__ import annotations

from dataclasses import dataclass

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.errors import BadMedia
from streamer.media.info import announced_duration

# Demuxers; each is known to FFmpeg by all its names, of which one is enough.
FORMATS = ("mov", "mp4", "matroska", "webm", "avi", "mpegts", "flv", "ogg", "gif")
VIDEO_CODECS = ("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mjpeg", "prores", "theora", "gif", "png")
SOUND_CODECS = ("aac", "mp3", "opus", "vorbis", "flac", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s16be", "pcm_s24le")
TEXT_CODECS = ("mov_text", "subrip", "webvtt", "ass")
_DECODERS = ("libdav1d", "libvpx", "libvpx-vp9", "libopus", "libvorbis", "mp3float", "ssa", "srt")  # names of the same
MAX_STREAMS = 16


@dataclass(frozen=True)
class Limits:
    """Bounds on one video."""

    pixels: int  # of a frame
    seconds: float

    def options(self) -> dict[str, str]:
        """What FFmpeg itself is to refuse while it opens and probes a file."""
        codecs = VIDEO_CODECS + SOUND_CODECS + TEXT_CODECS + _DECODERS
        return {
            "protocol_whitelist": "file",
            "format_whitelist": ",".join(FORMATS),
            "codec_whitelist": ",".join(codecs),
        }

    def check(self, container: InputContainer, video: VideoStream) -> None:
        """Look at what the file says of itself, before a frame is decoded. Raises BadMedia."""
        if len(container.streams) > MAX_STREAMS:
            raise BadMedia(f"A video may have at most {MAX_STREAMS} streams; this one has {len(container.streams)}.")
        for stream in container.streams:
            allowed = {"video": VIDEO_CODECS, "audio": SOUND_CODECS, "subtitle": TEXT_CODECS}.get(stream.type, ())
            context = stream.codec_context
            if allowed and context is not None and context.codec.canonical_name not in allowed:
                name = context.codec.canonical_name
                raise BadMedia(
                    f"A {stream.type} stream in the codec {name} is not taken; taken are {', '.join(allowed)}."
                )
        self._check_size(video.codec_context.width, video.codec_context.height)
        video.codec_context.options = {**video.codec_context.options, "max_pixels": str(self.pixels)}
        seconds = announced_duration(container, video)
        if seconds is not None and seconds > self.seconds:
            raise BadMedia(f"A video may be at most {self.seconds:g} s long; this one is {seconds:.1f} s.")

    def check_frame(self, frame: VideoFrame) -> None:
        """Hold a decoded frame, its time counted from zero, against what was announced. Raises BadMedia."""
        self._check_size(frame.width, frame.height)
        if frame.time is not None and frame.time > self.seconds:
            raise BadMedia(f"A video may be at most {self.seconds:g} s long; this one goes on at {frame.time:.1f} s.")

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self.pixels:
            size = f"{width * height:,} ({width}x{height})"
            raise BadMedia(f"A frame may have at most {self.pixels:,} pixels; this video's have {size}.")
