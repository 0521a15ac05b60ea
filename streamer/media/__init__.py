"""PyAV in and out: streams, timestamps, colour, rotation, audio. Knows nothing of styles."""

from streamer.media.atomic import check_output, published, remove_unfinished
from streamer.media.colour import Colour
from streamer.media.containers import CONTAINERS, EncoderPlan, container_for, plan_encoder
from streamer.media.form import Frame, VideoFormat
from streamer.media.gif import GifWriter
from streamer.media.info import VideoInfo
from streamer.media.limits import Limits
from streamer.media.naming import default_output, style_label
from streamer.media.notices import Notice
from streamer.media.opening import open_input
from streamer.media.problems import is_url, without_file_url
from streamer.media.reader import Selection, VideoReader
from streamer.media.writer import VideoWriter, open_writer

__all__ = [
    "CONTAINERS",
    "Colour",
    "EncoderPlan",
    "Frame",
    "GifWriter",
    "Limits",
    "Notice",
    "Selection",
    "VideoFormat",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "check_output",
    "container_for",
    "default_output",
    "is_url",
    "open_input",
    "open_writer",
    "plan_encoder",
    "published",
    "remove_unfinished",
    "style_label",
    "without_file_url",
]
