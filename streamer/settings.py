"""Every option exists once, here: its default, its bounds and what it means.

Command line flags (`--work-size`) and environment names (`STREAMER_WORK_SIZE`) derive from the fields.
Building one of these classes checks its values, so code below never sees one out of bounds.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass
from typing import Any

from streamer.errors import BadOption

ENV_PREFIX = "STREAMER_"
SIZE = re.compile(r"(?P<height>\d{1,9})p|(?P<width>\d{1,9})x(?P<by>\d{1,9})|(?P<factor>\d{0,9}\.?\d{1,9})x")
SIZE_FORMS = "a height (720p), a size (640x360) or a factor (0.5x)"
_LONGEST = 1e7  # seconds, four months: of a time in a video; in finer ticks it still fits 64 bits


def cores() -> int:
    """How many processor cores this process may use: containers and batch systems give it fewer than there are."""
    return len(os.sched_getaffinity(0))


def option(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    metavar: str | None = None,
    is_size: bool = False,
) -> Any:
    """A dataclass field that also knows its bounds and its help text."""
    metadata = {"help": meaning, "low": low, "high": high, "choices": choices, "metavar": metavar, "is_size": is_size}
    return dataclasses.field(default=default, metadata=metadata)


class Checked:
    """A base for frozen dataclasses of `option` fields: checks every value once, when it is built."""

    def __post_init__(self) -> None:
        """Raise BadOption for the first value that is out of bounds."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            check_value(field, getattr(self, field.name))


def flag_name(field: dataclasses.Field[Any]) -> str:
    """`work_size` -> `--work-size`."""
    return "--" + field.name.replace("_", "-")


def check_value(field: dataclasses.Field[Any], value: Any) -> None:
    """Raise BadOption, naming the flag, its limit and what was received, unless the value is in bounds."""
    choices, low, high = (field.metadata.get(key) for key in ("choices", "low", "high"))
    if value is None:
        return
    if choices and value not in choices:
        raise BadOption(f"{flag_name(field)} must be one of {', '.join(choices)}; received {value!r}.")
    if field.metadata.get("is_size") and not is_size(value):
        raise BadOption(f"{flag_name(field)} must be {SIZE_FORMS}; received {value!r}.")
    if low is None and high is None:
        return
    too_small = low is not None and value < low
    too_large = high is not None and value > high
    if too_small or too_large or not math.isfinite(value):
        if high is None:
            bounds = f"at least {low:g}"
        else:
            bounds = f"from {low:g} to {high:g}"
        raise BadOption(f"{flag_name(field)} must be {bounds}; received {value}.")


def is_size(text: str) -> bool:
    """Whether `text` can mean a size at all; for some picture it may still be too large."""
    match = SIZE.fullmatch(text)
    return match is not None and all(float(number) > 0 for number in match.groups() if number)


@dataclass(frozen=True)
class Look(Checked):
    """How a frame should look: which style, how much of it, at which working size."""

    style: str = option("mosaic", "A style's name, or a blend such as mosaic:0.7,great_wave:0.3.", metavar="STYLE")
    strength: float = option(1.0, "0 is the input, 1 is the style.", low=0, high=1)
    preserve_color: bool = option(False, "Luminance of the style, colours of the input.")
    work_size: str | None = option(
        None,
        "Style at this smaller size (720p, 640x360, 0.5x), scale back up and give back fine luminance detail.",
        metavar="SIZE",
        is_size=True,
    )


@dataclass(frozen=True)
class EngineOptions(Checked):
    """Where and how the network runs."""

    device: str = option("auto", "Where the network runs.", choices=("auto", "cpu", "gpu"))
    threads: int | None = option(None, "Threads of the CPU runtime; default: all cores.", low=1, high=256)


@dataclass(frozen=True)
class TranscodeOptions(Checked):
    """File to file: what part of the input, and how the output is encoded."""

    size: str | None = option(
        None, "Output size: 720p, 640x360 or 0.5x; default: the input's.", metavar="SIZE", is_size=True
    )
    start: float | None = option(None, "Begin at this second of the input.", low=0, high=_LONGEST, metavar="SECONDS")
    duration: float | None = option(None, "Stop after this many seconds.", low=0, high=_LONGEST, metavar="SECONDS")
    codec: str | None = option(
        None, "Video codec; default: what the container's players expect.", choices=("h264", "hevc", "av1", "vp9")
    )
    crf: int | None = option(None, "Constant quality, lower is better; default: the codec's.", low=0, high=63)
    preset: str | None = option(None, "Encoder preset, from ultrafast to veryslow (SVT-AV1: 0 to 13).")
    overwrite: bool = option(False, "Replace an existing output.")
    keep_partial: bool = option(False, "Of a truncated input, keep what could be read.")


@dataclass(frozen=True)
class ImageOptions(Checked):
    """Still pictures."""

    size: str | None = option(
        None, "Output size: 720p, 640x360 or 0.5x; default: the input's.", metavar="SIZE", is_size=True
    )
    overwrite: bool = option(False, "Replace an existing output.")
    memory: int = option(
        1024, "Memory budget of the network in MiB; beyond it a picture is styled in tiles.", low=64, high=1048576
    )


@dataclass(frozen=True)
class TrainOptions(Checked):
    """A training run. Several pictures and as many names train several styles at once."""

    scope: str = option(
        "style",
        "What is trained: the style's scales and shifts alone, or a trunk of its own.",
        choices=("style", "trunk"),
    )
    vgg_weights: str = option(
        "imagenet", "VGG-19 weights: `imagenet` (downloaded once), or an .npz file.", metavar="FILE"
    )
    content_credit: str | None = option(
        None, "What the photographs are, for the style file; default: their folders' names.", metavar="TEXT"
    )
    steps: int = option(3200, "Length of the run.", low=1, high=10_000_000)
    batch_size: int = option(4, "Crops in a batch.", low=1, high=4096)
    crop: int = option(176, "Side of a crop in pixels, a multiple of 8.", low=96, high=1024)
    learning_rate: float = option(1.8e-3, "Peak of the cosine schedule.", low=1e-7, high=1)
    content_weight: float = option(1.0, "Weight of the content loss.", low=0, high=1e6)
    temporal_weight: float = option(5.0, "Weight of the temporal loss.", low=0, high=1e6)
    precision: str = option("float32", "Arithmetic of the VGG network.", choices=("float32", "bfloat16", "float16"))
    keep_every: int = option(250, "Steps between checkpoints and previews.", low=1, high=1_000_000)


@dataclass(frozen=True)
class BenchOptions(Checked):
    """Measuring this machine."""

    rounds: int = option(5, "How often every stage takes its turn.", low=1, high=1000)
    frames: int = option(960, "Frames of the clip that is transcoded whole, decoded and encoded.", low=2, high=2400)
