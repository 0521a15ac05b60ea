"""What a visitor may ask for. A page that is shared with strangers gives each of them less."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from streamer.errors import BadMedia, BadOption
from streamer.media.limits import Limits as VideoLimits
from streamer.service_settings import DemoOptions

# What Pillow may open at all: of a stranger's file only what cameras, phones and editors make today.
PICTURES = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "MPO")
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on what comes in and on what is kept."""

    upload: int  # bytes of a file
    pixels: int  # of a picture or of a clip's frame
    seconds: float  # of a clip
    webcam: float | None  # seconds of a webcam at a stretch, after which the next in the queue has a turn; None: any
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
            waiting=24 if shared else 64,
            keep=options.keep_results,
            disk=max(4 * upload, 2048 if shared else 8192) * _MEBIBYTE,
            painting=512 if shared else 1024,
            is_shared=shared,
        )

    @property
    def video(self) -> VideoLimits:
        """What `streamer.transcode` is to hold a clip to."""
        return VideoLimits(pixels=self.pixels, seconds=self.seconds)

    def check_picture(self, path: Path) -> tuple[int, int]:
        """Width and height that a picture file announces. Raises BadMedia before any of it is decoded."""
        self._check_size(path)
        try:
            with Image.open(path, formats=PICTURES) as image:
                width, height = image.size
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise BadMedia(f"{path.name} is not a picture that can be read; taken are {known_pictures()}.") from error
        except Image.DecompressionBombError as error:
            raise BadMedia(f"{path.name} is too large: a picture may have {self.megapixels}.") from error
        if width * height > self.pixels:
            raise BadMedia(f"A picture may have {self.megapixels}; {path.name} has {width * height / 1e6:.1f} million.")
        return width, height

    def check_clip(self, path: Path) -> None:
        """Raise BadMedia unless a clip's file may be looked into at all; `video` bounds what is found there."""
        self._check_size(path)

    def check_trim(self, start: float, seconds: float) -> None:
        """Raise BadOption for a part of a clip that is none, or longer than may be styled."""
        if start < 0 or seconds <= 0:
            asked = f"{start:g} to {start + seconds:g} s"
            raise BadOption(f"The part of a clip must begin at 0 s or later and end after it began; received {asked}.")
        if seconds > self.seconds:
            raise BadOption(f"A clip may be at most {self.seconds:g} s long; this part is {seconds:.1f} s.")

    @property
    def megapixels(self) -> str:
        """For people."""
        return f"at most {self.pixels / 1e6:g} million pixels"

    def _check_size(self, path: Path) -> None:
        size = path.stat().st_size
        if size > self.upload:
            most = self.upload / _MEBIBYTE
            raise BadMedia(f"A file may have at most {most:g} MiB; {path.name} has {size / _MEBIBYTE:.1f}.")


def known_pictures() -> str:
    """The formats that are taken, for people."""
    return ", ".join(name for name in PICTURES if name != "MPO")


def free_bytes(folder: Path) -> int:
    """Room that is left where a folder lies."""
    return shutil.disk_usage(folder).free
