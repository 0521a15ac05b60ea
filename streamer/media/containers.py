"""What each output container holds, and which encoder makes it: decided before any work starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from streamer.errors import BadOption
from streamer.media.realtime import ordinary_priority
from streamer.settings import TranscodeOptions, cores


@dataclass(frozen=True)
class Container:
    """One way to wrap streams: the muxer's name, the video codecs it may hold (default first), how others are made."""

    muxer: str
    codecs: tuple[str, ...]
    audio: str | None = None  # encoder for audio that cannot be copied
    subtitles: str | None = None  # encoder for text subtitles that cannot be copied


CONTAINERS = {
    ".mp4": Container("mp4", ("h264", "hevc", "av1", "vp9"), "aac", "mov_text"),
    ".mov": Container("mov", ("h264", "hevc"), "aac", "mov_text"),
    ".mkv": Container("matroska", ("h264", "hevc", "av1", "vp9"), "aac", "subrip"),
    ".webm": Container("webm", ("vp9", "av1"), "libopus", "webvtt"),
    ".gif": Container("gif", ("gif",)),
}

_X26X_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


@dataclass(frozen=True)
class Encoder:
    """How one codec is made: the encoder's name, its bounds and what the preset names mean to it."""

    name: str
    crf: int  # default
    crf_limit: int
    preset_option: str
    presets: dict[str, str]
    preset: str  # default
    options: dict[str, str] = field(default_factory=dict)
    codes_odd_420: bool = False  # whether odd sizes can be coded with chroma at half size


def _named(*values: int) -> dict[str, str]:
    return {name: str(value) for name, value in zip(_X26X_PRESETS, values, strict=True)}


_X26X = {name: name for name in _X26X_PRESETS}
_SVT = _named(12, 11, 10, 9, 8, 6, 5, 4, 2) | {str(number): str(number) for number in range(14)}

# The defaults are the fastest at which a second look is needed to see the loss, for the encoder shares its cores with
# the network: at 640x360 x264 takes 3.3 ms a frame at veryfast, 7.8 at fast and 10 at medium for the same file size.
ENCODERS = {
    "h264": Encoder("libx264", 20, 51, "preset", _X26X, "veryfast"),
    "hevc": Encoder("libx265", 24, 51, "preset", _X26X, "superfast"),
    "av1": Encoder("libsvtav1", 30, 63, "preset", _SVT, "superfast", codes_odd_420=True),
    "vp9": Encoder(
        "libvpx-vp9",
        30,
        63,
        "cpu-used",
        _named(8, 7, 6, 5, 4, 3, 2, 1, 0),
        "ultrafast",
        {"deadline": "realtime", "row-mt": "1"},
        codes_odd_420=True,
    ),
    "gif": Encoder("gif", 0, 0, "", {}, ""),
}


@dataclass(frozen=True)
class EncoderPlan:
    """Everything a writer needs to know to make the video stream; `plan_encoder` checks it."""

    container: Container
    codec: str
    encoder: str
    pixel_format: str
    options: dict[str, str]

    @property
    def is_gif(self) -> bool:
        """Whether the output is an animated picture with a palette."""
        return self.codec == "gif"


def container_for(output: Path) -> Container:
    """The container that an output's extension asks for; raises BadOption, listing the known, for any other."""
    try:
        return CONTAINERS[output.suffix.lower()]
    except KeyError:
        known = ", ".join(CONTAINERS)
        raise BadOption(f"The output's name must end in one of {known}; received {output.name!r}.") from None


def plan_encoder(output: Path, options: TranscodeOptions, width: int, height: int) -> EncoderPlan:
    """Choose and try the encoder for an output of this size.

    Raises BadOption when container, codec, crf, preset and size do not go together.
    """
    container = container_for(output)
    codec = options.codec or container.codecs[0]
    if codec not in container.codecs:
        able = ", ".join(container.codecs)
        raise BadOption(f"A {output.suffix.lower()} file cannot hold {codec}; it can hold: {able}.")
    encoder = ENCODERS[codec]
    if codec == "gif":
        return EncoderPlan(container, codec, encoder.name, "pal8", _no_gif_options(options))
    odd = bool(width % 2 or height % 2) and not encoder.codes_odd_420
    plan = EncoderPlan(
        container, codec, encoder.name, "yuv444p" if odd else "yuv420p", _encoder_options(codec, encoder, options)
    )
    _try_encoder(plan, width, height)
    return plan


def _no_gif_options(options: TranscodeOptions) -> dict[str, str]:
    for name in ("crf", "preset"):
        if getattr(options, name) is not None:
            raise BadOption(f"--{name} means nothing to a .gif file; received {getattr(options, name)!r}.")
    return {}


def _encoder_options(codec: str, encoder: Encoder, options: TranscodeOptions) -> dict[str, str]:
    crf = encoder.crf if options.crf is None else options.crf
    if crf > encoder.crf_limit:
        raise BadOption(f"--crf must be from 0 to {encoder.crf_limit} for {codec}; received {crf}.")
    preset = options.preset or encoder.preset
    if preset not in encoder.presets:
        known = ", ".join(encoder.presets)
        raise BadOption(f"--preset must be one of {known} for {codec}; received {preset!r}.")
    chosen = dict(encoder.options) | {"crf": str(crf), encoder.preset_option: encoder.presets[preset]}
    if codec == "vp9" and options.preset is not None:
        chosen["deadline"] = "good"  # slower presets mean nothing to its realtime mode
        chosen["cpu-used"] = str(min(5, int(chosen["cpu-used"])))
    return chosen


def _try_encoder(plan: EncoderPlan, width: int, height: int) -> None:
    """Open the encoder once, to learn now whether it takes this size and these options."""
    context = cast(VideoCodecContext, av.CodecContext.create(plan.encoder, "w"))
    configure(context, plan, width, height)
    context.time_base = Fraction(1, 25)
    try:
        with ordinary_priority(plan.codec):
            context.open()
    except (av.error.FFmpegError, ValueError) as error:
        text = f"{plan.codec} cannot encode {width}x{height} pixels; try --codec vp9, which takes any size, or --size."
        raise BadOption(text) from error


def configure(context: VideoCodecContext, plan: EncoderPlan, width: int, height: int) -> None:
    """Set what does not depend on the input's tags or timing: size, pixel format, options, threads."""
    context.width, context.height = width, height
    context.pix_fmt = plan.pixel_format
    context.options = dict(plan.options)
    # Half the cores, because the network runs on all of them meanwhile; measured: a second thread for x264 at
    # 640x360 costs 5 % more CPU time and gains nothing.
    threads = max(1, min(8, cores() // 2))
    if plan.codec == "av1":
        os.environ.setdefault("SVT_LOG", "1")  # or it greets on stderr
        context.options |= {"svtav1-params": f"lp={min(threads, 6)}"}
    elif plan.codec == "hevc":
        context.options |= {"x265-params": f"log-level=none:pools={threads}"}
    context.thread_count = threads
    context.thread_type = "AUTO"
