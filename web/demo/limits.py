"""What a visitor may ask for. A page that is shared with strangers gives each of them less."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image

from streamer.errors import BadMedia, BadOption
from streamer.media.limits import Limits as VideoLimits
from streamer.media.pictures import MAX_PIXELS, READABLE
from streamer.service_settings import DemoOptions

_LONGEST = 6 * 3600.0  # seconds of a file of which a part is painted
_SLACK = 0.1  # seconds: the last frame's
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on what comes in and on what is kept."""

    upload: int  # bytes of a file
    pixels: int  # of a picture or of a clip's frame
    seconds: float  # of a clip
    webcam: float | None  # seconds of a webcam at a stretch, after which the next in the queue has a turn; None: any
    webcams: int  # at the same time
    waiting: int  # visitors' wishes that may wait for the device
    keep: float  # seconds after which uploads and results are deleted
    disk: int  # bytes of uploads and results that are kept; the oldest go first
    painting: int  # longest side in pixels of what is painted slowly
    is_shared: bool

    @classmethod
    def of(cls, options: DemoOptions) -> Limits:
        """The limits that were asked for, or else those that suit how public the page is."""
        shared = options.is_shared
        upload = options.max_upload or (64 if shared else 512)
        return cls(
            upload=upload * _MEBIBYTE,
            pixels=round((options.max_megapixels or (25 if shared else 50)) * 1e6),
            seconds=options.max_duration or (60 if shared else 600),
            webcam=60 if shared else None,
            webcams=4 if shared else 16,
            waiting=24 if shared else 64,
            keep=options.keep_results,
            disk=max(4 * upload, 2048 if shared else 8192) * _MEBIBYTE,
            painting=512 if shared else 1024,
            is_shared=shared,
        )

    @property
    def video(self) -> VideoLimits:
        """What `streamer.transcode` is to hold a file to, of which it paints a part of at most `seconds`."""
        return VideoLimits(pixels=self.pixels, seconds=_LONGEST)

    def check_picture(self, path: Path) -> tuple[int, int]:
        """Width and height that a picture file announces. Raises BadMedia before any of it is decoded."""
        self.check_file(path)
        width, height = announced_size(path, READABLE, path.name)
        if width * height > self.pixels:
            raise BadMedia(f"A picture may have {self.megapixels}; {path.name} has {width * height / 1e6:.1f} million.")
        return width, height

    def check_part(self, start: float, seconds: float | None, whole: float | None) -> None:
        """Raise BadOption for a part of a clip that is none, or longer than may be painted.

        seconds: how long the part is, None for the rest; whole: how long the clip says that it is.
        """
        if start < 0 or (seconds is not None and seconds <= 0):
            raise BadOption("The part of a clip must begin at 0 s or later and be longer than 0 s.")
        if whole is not None and start >= whole:
            raise BadOption(f"The clip ends at {whole:.1f} s; the part cannot begin at {start:g} s.")
        rest = max((whole or 0.0) - start, 0.0)
        length = rest if seconds is None else min(seconds, rest) if whole else seconds
        if length > self.seconds + _SLACK:
            raise BadOption(
                f"A clip may be at most {self.seconds:g} s long, and this is {length:.1f} s: choose a shorter part."
            )

    @property
    def megapixels(self) -> str:
        """For people."""
        return f"at most {self.pixels / 1e6:g} million pixels"

    def check_file(self, path: Path) -> None:
        """Raise BadMedia for a file that is too large."""
        size = path.stat().st_size
        if size > self.upload:
            most = self.upload / _MEBIBYTE
            raise BadMedia(f"A file may have at most {most:g} MiB; {path.name} has {size / _MEBIBYTE:.1f}.")


def announced_size(file: Path | IO[bytes], formats: tuple[str, ...], name: str) -> tuple[int, int]:
    """Width and height as a picture's header says them, of which nothing is decoded: a small file may mean a huge one.

    Raises BadMedia, speaking of `name`, for what is no picture in one of Pillow's `formats`.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # as `streamer.media` sets it: Pillow's own refuses before we could say why
    try:
        with Image.open(file, formats=formats) as image:
            return image.size
    except Image.DecompressionBombError as error:
        raise BadMedia(f"{name} is too large: it has more than {MAX_PIXELS:,} pixels.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise BadMedia(f"{name} is not a picture that can be read; taken are {', '.join(formats)}.") from error
