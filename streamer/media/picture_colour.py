"""Every mode in which a picture file stores its pixels, as 8-bit RGB or RGBA; profiles that are not of RGB applied."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from streamer.errors import BadMedia
from streamer.media.notices import Notice, Tell

_RGB = b"RGB "  # as an ICC header spells it
_MODES_OF = {b"GRAY": ("1", "L", "LA", "La"), b"CMYK": ("CMYK",), b"Lab ": ("LAB",)}
_DEEP = ("I", "F")


def to_rgb(image: Image.Image, tell: Tell) -> tuple[Image.Image, bytes | None]:
    """RGB pixels (RGBA where there is transparency) and the ICC profile that they are in, if any.

    A profile of RGB is kept with its pixels as they are; one of grey, CMYK or Lab is applied, and the pixels are sRGB.
    Raises BadMedia for samples of 32 bits.
    """
    profile = image.info.get("icc_profile") or None
    if image.mode in _DEEP:
        raise BadMedia(f"A picture's samples must have 8 or 16 bits; these have 32 (mode {image.mode}).")
    if image.mode.startswith("I;16"):
        tell(Notice("The picture's 16 bits a sample become 8.", "detail"))
        image = _from_16_bits(image)
    space = profile[16:20] if profile else _RGB
    if profile and space != _RGB:
        if image.mode in _MODES_OF.get(space, ()) and (applied := in_srgb(image, profile)):
            return applied, srgb_profile()
        tell(Notice(f"The picture's colour profile does not fit its pixels (mode {image.mode}); it was left out."))
        profile = None
    elif image.mode in ("CMYK", "LAB", "YCbCr"):
        profile = None  # of other colours than these pixels have
    return _plainly(image), profile


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture's colours as sRGB, its alpha untouched; None when the profile cannot be used."""
    alpha = image.convert("LA" if image.mode == "La" else image.mode).getchannel("A") if _has_alpha(image) else None
    colours = image.convert("L") if profile[16:20] == b"GRAY" else image
    if colours.mode == "RGBA":
        colours = colours.convert("RGB")
    try:
        target = ImageCms.createProfile("sRGB")
        result = ImageCms.profileToProfile(colours, io.BytesIO(profile), target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if result is None:
        return None
    if alpha is not None:
        result.putalpha(alpha)
    return result


def srgb_profile() -> bytes:
    """The ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "RGBA", "RGBa", "PA")


def _plainly(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    target = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == target else image.convert(target)


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8, rounded (Pillow would cut everything beyond 255); with alpha where it had any."""
    values = np.asarray(image, np.uint16)
    grey = Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey
