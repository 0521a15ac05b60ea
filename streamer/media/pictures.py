"""Still pictures in: a file that Pillow reads becomes upright 8-bit RGB or RGBA pixels and what goes with them."""

from __future__ import annotations

import math
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from streamer.errors import BadMedia
from streamer.media.notices import Notice, Tell
from streamer.media.picture_colour import to_rgb
from streamer.media.problems import check_file

MAX_PIXELS = 1_000_000_000  # one gigapixel: 4 GB in memory, and again for the result
READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")  # the rest of Pillow's readers are less looked after
# What Pillow's readers raise on damaged files; each format has its own habit.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_PILLOW_LIMIT = threading.Lock()
# Tags that say how the pixels of a TIFF file lie, not what they show; the profile travels on its own.
_LAYOUT_TAGS = frozenset(
    (*range(254, 267), 273, 274, *range(277, 282), 284, *range(288, 293), 301, *range(317, 349), *range(512, 533))
).union((700, 33723, 34377, 34675))  # XMP, IPTC and Photoshop blocks describe the input's pixels too; the profile


@dataclass(frozen=True)
class Picture:
    """Upright pixels, RGB or RGBA, 8 bits each, and what the file said of them."""

    image: Image.Image
    profile: bytes | None = None  # ICC, of an RGB colour space
    exif: Image.Exif | None = None  # without orientation and thumbnail
    dpi: tuple[float, float] | None = None


def read_picture(source: Path, tell: Tell) -> Picture:
    """Read a picture file and put it upright. Raises BadMedia, from the header alone when it is beyond MAX_PIXELS."""
    check_file(str(source), "a picture")
    with warnings.catch_warnings(record=True) as doubts:  # Pillow's, of what it found odd in the file
        warnings.simplefilter("always")
        picture = _read(source, tell)
    for doubt in dict.fromkeys(_said(each.message) for each in doubts):
        tell(Notice(f"Of {str(source)!r}: {doubt}.", "detail"))
    return picture


def _read(source: Path, tell: Tell) -> Picture:
    with _opened(source) as image:
        _check_size(source, image)
        _tell_of_frames(source, image, tell)
        try:
            image.load()
        except (*_DAMAGED, MemoryError) as error:
            raise BadMedia(f"{str(source)!r} is damaged or cut short: {_said(error)}.") from error
        exif = _upright(source, image, tell)
        dpi = _density(image.info.get("dpi"))
        try:
            pixels, profile = to_rgb(image, tell)
        except _DAMAGED as error:
            raise BadMedia(f"The colours of {str(source)!r} cannot be read: {_said(error)}.") from error
        # A copy is a plain picture: an opened one would tell a writer about the file it came from.
        return Picture(image.copy() if pixels is image else pixels, profile, exif, dpi)


def _opened(source: Path) -> Image.Image:
    try:
        with _PILLOW_LIMIT:
            # Only the header is read here. Pillow's own limit warns of ours, or of far less, before we could say it.
            Image.MAX_IMAGE_PIXELS = None
            try:
                return Image.open(source, formats=READABLE)
            finally:
                Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    except UnidentifiedImageError as error:
        known = ", ".join(READABLE)
        raise BadMedia(f"{str(source)!r} is not a picture that can be read; readable are {known}.") from error
    except _DAMAGED as error:
        raise BadMedia(f"{str(source)!r} is damaged or cut short: {_said(error)}.") from error


def _check_size(source: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        size = f"{width * height:,} ({width}x{height})"
        raise BadMedia(f"A picture may have at most {MAX_PIXELS:,} pixels; {str(source)!r} has {size}.")


def _tell_of_frames(source: Path, image: Image.Image, tell: Tell) -> None:
    try:
        # The further pictures of a phone's JPEG are previews and depth maps of the same one.
        several = image.format != "MPO" and getattr(image, "is_animated", False)
    except _DAMAGED:
        return  # the first frame may be whole, and if not its loading says so
    if several:
        tell(Notice(f"{str(source)!r} holds several pictures; only the first is styled."))


def _upright(source: Path, image: Image.Image, tell: Tell) -> Image.Exif | None:
    """Turn the pixels as the EXIF orientation says, and return what else the EXIF data says."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
        exif = image.getexif()
        for tag in _LAYOUT_TAGS & set(exif):
            del exif[tag]
        for tag in {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo} & set(exif):
            exif.get_ifd(tag)  # now: later the file is closed
        exif.tobytes()  # what cannot be written again is damaged
    except _DAMAGED:
        tell(Notice(f"The EXIF data of {str(source)!r} is damaged; it was left out."))
        return None
    return exif if len(exif) else None


def _density(value: object) -> tuple[float, float] | None:
    try:
        across, down = (float(number) for number in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if all(math.isfinite(number) and number > 0 for number in (across, down)) else None


def _said(error: BaseException | str) -> str:
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text[:1].lower() + text[1:]
