"""Still pictures out: which formats there are, what each can hold, and how a picture becomes a file of one."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from PIL import ExifTags, Image, features

from streamer.errors import BadOption
from streamer.media.notices import Notice, Tell
from streamer.media.picture_colour import in_srgb
from streamer.media.pictures import Picture
from streamer.media.problems import unwritable

_CLASSIC_TIFF = 4_000_000_000  # bytes of pixels: the format's own limit is 4 GiB


@dataclass(frozen=True)
class PictureFormat:
    """One way to write a picture: Pillow's name, its limit, what it holds beside colours, and how well it is coded."""

    name: str
    max_side: int  # pixels
    alpha: bool = True
    profile: bool = True
    exif_limit: int = 1 << 31  # bytes; 0 for none at all
    options: dict[str, Any] = field(default_factory=dict)


_JPEG = PictureFormat("JPEG", 65500, alpha=False, exif_limit=65533, options={"quality": 95, "subsampling": "4:4:4"})
# Uncompressed: by way of libtiff, which compression needs, Pillow cannot write the directories of EXIF data.
_TIFF = PictureFormat("TIFF", 1 << 30, options={"compression": None})
FORMATS = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": PictureFormat("PNG", 1 << 30),
    ".webp": PictureFormat("WEBP", 16383, options={"quality": 95, "exact": True}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": PictureFormat("BMP", 1 << 30, alpha=False, profile=False, exif_limit=0),
    ".gif": PictureFormat("GIF", 65535, profile=False, exif_limit=0),
    ".avif": PictureFormat("AVIF", 65535, options={"quality": 90, "subsampling": "4:4:4"}),
}


def format_for(output: Path) -> PictureFormat:
    """The format that an output's extension asks for; raises BadOption, listing the known, for any other."""
    suffix = output.suffix.lower()
    found = FORMATS.get(suffix)
    if found is None:
        raise BadOption(f"The output's name must end in one of {', '.join(FORMATS)}; received {output.name!r}.")
    if found.name in ("AVIF", "WEBP") and not features.check(found.name.lower()):
        raise BadOption(f"This installation's Pillow cannot write {suffix} files; .png always works.")
    return found


def check_fits(form: PictureFormat, width: int, height: int) -> None:
    """Raise BadOption when a format cannot hold pictures of this size."""
    if max(width, height) > form.max_side:
        raise BadOption(
            f"A {form.name} picture can have at most {form.max_side} pixels a side; this one is {width}x{height}: "
            "choose .png or --size."
        )


def write_picture(picture: Picture, path: Path, form: PictureFormat, tell: Tell, *, shown: Path) -> None:
    """Write a picture to `path`; messages speak of `shown`. Raises OutputError."""
    image, extras = _fitted(picture, form, tell)
    try:
        with path.open("r+b") as file:
            image.save(cast(IO[bytes], _Plain(file)), form.name, **form.options, **extras)
    except (OSError, ValueError, struct.error, OverflowError, MemoryError) as error:
        raise unwritable(shown, error) from error


class _Plain:
    """A file without a descriptor: given one, Pillow's encoders do not notice that a full disk took only a part."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write: Callable[[bytes], int] = file.write
        self.flush, self.seek, self.tell = file.flush, file.seek, file.tell


def _fitted(picture: Picture, form: PictureFormat, tell: Tell) -> tuple[Image.Image, dict[str, Any]]:
    """The pixels as the format can hold them, and the arguments for what goes with them."""
    image, extras = picture.image, dict[str, Any]()
    if picture.profile and form.profile:
        extras["icc_profile"] = picture.profile
    elif picture.profile:
        image = in_srgb(image, picture.profile) or image
        tell(Notice(f"{form.name} holds no colour profile; the colours were converted to sRGB.", "detail"))
    if image.mode == "RGBA" and not form.alpha:
        tell(Notice(f"{form.name} holds no transparency; the picture was laid on white."))
        image = _on_white(image)
    if form.name == "GIF":
        tell(Notice("A GIF holds 256 colours and transparent or not; the picture was reduced to that."))
    if form.name == "TIFF":
        extras["big_tiff"] = image.width * image.height * len(image.mode) > _CLASSIC_TIFF
    if picture.dpi:
        extras["dpi"] = picture.dpi
    if exif := _exif_bytes(picture, form, tell):
        extras["exif"] = exif
    # What the reader left in `info` describes the input: nothing of it may reach the output unasked.
    image.info = {}
    return image, extras


def _on_white(image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _exif_bytes(picture: Picture, form: PictureFormat, tell: Tell) -> bytes | None:
    if picture.exif is None or not form.exif_limit:
        return None
    if ExifTags.IFD.Exif in picture.exif:
        details = picture.exif.get_ifd(ExifTags.IFD.Exif)
        sides = {ExifTags.Base.ExifImageWidth: picture.image.width, ExifTags.Base.ExifImageHeight: picture.image.height}
        details.update({tag: side for tag, side in sides.items() if tag in details})
    data = picture.exif.tobytes()
    if len(data) > form.exif_limit:
        tell(Notice(f"{form.name} holds {form.exif_limit} bytes of EXIF data; there are {len(data)}: left out."))
        return None
    return data
