"""Opening files and URLs, and choosing the stream to style."""

from __future__ import annotations

import av
import av.error
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from streamer.errors import BadMedia
from streamer.media.limits import Limits
from streamer.media.problems import check_file, is_url, shown, unreadable
from streamer.settings import cores

OPEN_TIMEOUT = 15  # seconds for a server to answer
READ_TIMEOUT = 15  # seconds for more data to come
_OUTPUT_CORRUPT = 1 << 3  # AV_CODEC_FLAG_OUTPUT_CORRUPT: damaged frames keep their place in time


def open_input(source: str, limits: Limits | None = None) -> InputContainer:
    """Open a file or URL; raises BadMedia with a sentence for whatever is wrong with it.

    limits: for a file from a stranger.
    """
    if not is_url(source):
        check_file(source)
    name = source if is_url(source) else f"file:{source}"  # a colon in a file's name is no protocol
    options = {"rtsp_transport": "tcp"} if source.lower().startswith("rtsp") else {}
    if limits is not None:
        options |= limits.options()
    timeout = (OPEN_TIMEOUT, READ_TIMEOUT) if is_url(source) else None
    try:
        return av.open(name, "r", options=options, timeout=timeout, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise unreadable(source, error) from error


def choose_video(container: InputContainer, source: str) -> VideoStream:
    """The stream that players choose; a cover picture is no video. Raises BadMedia if there is none."""
    videos = [stream for stream in container.streams.video if not is_cover(stream)]
    if not videos or container.format.name == "tty":  # FFmpeg renders any .txt file as a terminal
        raise BadMedia(f"{shown(source)!r} has no video stream.")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in videos else videos[0]
    if stream.codec_context is None:
        raise BadMedia(f"{shown(source)!r} holds video in a codec that is not known here.")
    return stream


def is_cover(stream: Stream) -> bool:
    """Whether a stream is a picture on the front of the file."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def prepare(container: InputContainer, video: VideoStream, source: str) -> None:
    """Set up the decoder and leave out the streams that nobody wants."""
    # Few threads: the network needs the cores more, and each thread of a decoder holds a frame.
    video.thread_type = "AUTO"
    video.thread_count = max(1, min(4, cores() // 2))
    if not is_url(source):
        video.codec_context.flags |= _OUTPUT_CORRUPT
    for other in container.streams:
        is_other_video = other.type == "video" and other.index != video.index and not is_cover(other)
        if other.type in ("data", "unknown") or is_other_video:
            other.discard = Discard.all
