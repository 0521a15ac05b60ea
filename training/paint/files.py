"""What `streamer paint` calls: from two picture files to a painted one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.media.atomic import check_output, published
from streamer.media.notices import Tell
from streamer.media.picture_colour import in_srgb
from streamer.media.picture_formats import check_fits, format_for, write_picture
from streamer.media.pictures import Picture, read_picture
from streamer.training_settings import PaintOptions
from training.data import check_structure
from training.download import VGG_IN_WORDS, fetching
from training.paint.painting import Moment, check_style, paint, plan_sizes
from training.vgg import load_weights

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class PaintReport:
    """What was painted."""

    content: str
    style: str
    output: str
    width: int
    height: int
    whole: bool  # whether it was painted to the end
    steps: int  # over all sizes
    losses: dict[str, float]  # at the last step
    elapsed: float  # seconds, without reading and writing


def paint_file(
    content: Path,
    style: Path,
    output: Path,
    options: PaintOptions,
    *,
    report: Callable[[Moment], None],
    doing: Callable[[str, float], None],
    notice: Tell,
    stop: threading.Event,
) -> PaintReport:
    """Paint the photograph `content` in the style of the picture `style` into `output`, which appears when it is whole.

    report: called after every step; doing: of downloads, in words, and how much is done; notice: of the files.
    stop: when it is set, what is painted so far is written; it is Interrupted only before the first step.
    The output keeps what the photograph's file says, but is in sRGB. Raises BadOption, BadMedia or OutputError.
    """
    form = format_for(output)
    for source in (content, style):
        check_output(output, str(source), overwrite=options.overwrite)
    picture = read_picture(content, notice)
    pixels = opaque(picture)
    height, width = plan_sizes(pixels.shape[0], pixels.shape[1], options.long_side)[-1]
    check_fits(form, width, height)
    strokes = read_style(style, notice)
    vgg = load_weights(options.vgg_weights, fetching(doing, VGG_IN_WORDS))
    painting = paint(pixels, strokes, vgg, options, report=report, stop=stop)
    image = Image.fromarray(painting.picture)
    if picture.image.mode == "RGBA":
        image.putalpha(picture.image.getchannel("A").resize(image.size, Image.Resampling.BOX))
    with published(output, overwrite=options.overwrite) as temporary:
        write_picture(Picture(image, None, picture.exif), temporary, form, notice, shown=output)
    files = (str(content), str(style), str(output))
    return PaintReport(*files, width, height, painting.whole, painting.steps, painting.losses, painting.elapsed)


def read_style(path: Path, tell: Tell) -> Pixels:
    """A style picture (H, W, 3), transparency laid on white. Raises BadMedia, also for one of a single colour."""
    picture = read_picture(path, tell)
    if picture.image.mode == "RGBA":
        flat = Image.new("RGB", picture.image.size, "white")
        flat.paste(picture.image, mask=picture.image.getchannel("A"))
        picture = Picture(flat, picture.profile)
    pixels = opaque(picture)
    check_structure(pixels, path)
    check_style(pixels)
    return pixels


def opaque(picture: Picture) -> Pixels:
    """The colours of a picture in sRGB, (H, W, 3), whatever its transparency."""
    image = picture.image.convert("RGB")
    if picture.profile:
        image = in_srgb(image, picture.profile) or image
    return np.asarray(image, np.uint8)
