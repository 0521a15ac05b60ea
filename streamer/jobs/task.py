"""What is told to the process that does a job, and what it tells back: lines of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from streamer.options import AUTO

UPLOAD = "upload"  # name of the input in a job's folder; messages show it, so it is a word and no path
STYLES = "styles"  # folder in a job's folder: the styles that its look needs, as they were when it was asked for
# The formats that a picture may be asked for in, by the suffix that writes it. None: the input's own.
PICTURES = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif", "tiff": ".tiff"}
VIDEOS = {"mp4": ".mp4", "webm": ".webm", "mkv": ".mkv"}
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".tiff": "image/tiff",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}


@dataclass(frozen=True)
class Task:
    """One upload to be styled. Paths other than the trunk's are relative to the job's folder."""

    kind: str  # "image" or "video"
    style: str
    strength: float
    preserve_color: bool
    trunk: str  # path of the trunk's file
    form: str | None  # a key of PICTURES or VIDEOS
    pixels: int  # most of a picture or frame
    seconds: float  # most of a video
    timeout: float  # seconds of processor time on each core, and of the clock
    memory: int  # bytes of data the process may have
    threads: int
    runtime: str = AUTO  # as --runtime has it; one of the CPU's

    def to_line(self) -> bytes:
        """As one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Task:
        """The inverse of `to_line`."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class Told:
    """A line from the process: how far it is, or, as its last, what it made or why it failed."""

    share: float | None = None  # 0 to 1, None while the end is unknown
    frames: int = 0
    result: str | None = None  # name of the file that it made
    error: str | None = None  # name of an error of streamer.errors, or of a surprise
    sentence: str = ""

    def to_line(self) -> bytes:
        """As one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Told:
        """The inverse of `to_line`. Raises ValueError or TypeError for what is no such line."""
        return cls(**json.loads(line))


def suffix_of(path: str) -> str:
    """`result.jpg` -> `.jpg`."""
    return Path(path).suffix.lower()
