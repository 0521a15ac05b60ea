"""Still pictures, file to file, of any size up to a gigapixel; beyond the memory budget they are styled in tiles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.engine import Engine
from streamer.errors import BadOption, Interrupted
from streamer.geometry import BORDER, STRIDE, resolve_size
from streamer.media.atomic import check_output, published
from streamer.media.naming import style_label
from streamer.media.notices import Notice
from streamer.media.picture_formats import FORMATS, check_fits, format_for, write_picture
from streamer.media.pictures import MAX_PIXELS, Picture, read_picture
from streamer.options import AUTO
from streamer.postprocess import preserve_color, restore
from streamer.runtime import Batch, bytes_per_pixel
from streamer.settings import ImageOptions, Look
from streamer.tiles import Span, Tile, plan_sample, plan_tiles, reach, settle

Frame = NDArray[np.uint8]
Float32 = NDArray[np.float32]
_MEBIBYTE = 1 << 20
_MAX_WINDOW = 1 << 23  # pixels: beyond, float32 sums over a whole tensor cost LiteRT more than 1/255
_STRIP = 256  # rows at a time, where a picture is worked on without the network
_USUAL_PASSES = 4  # over the tiles; only for showing progress


@dataclass(frozen=True)
class ImageProgress:
    """How far a picture is."""

    share: float  # 0 to 1, an estimate: how many passes it takes is known at the end
    tiles: int  # done in this pass
    total: int  # tiles of a pass
    passes: int  # finished passes over all tiles
    elapsed: float  # seconds


@dataclass(frozen=True)
class ImageReport:
    """What was done to a picture."""

    input: str
    output: str
    width: int
    height: int
    format: str
    tiles: int  # 1: styled whole
    passes: int  # over the tiles
    elapsed: float  # seconds
    notices: tuple[str, ...]


def default_image_output(source: Path, style: str) -> Path:
    """`in.jpg` in the style `mosaic` -> `in.mosaic.jpg` beside it; `.png` where that format cannot be written."""
    suffix = source.suffix if source.suffix.lower() in FORMATS else ".png"
    return source.with_name(f"{source.stem}.{style_label(style)}{suffix}")


def stylize_image(
    source: Path,
    output: Path,
    engine: Engine,
    look: Look,
    options: ImageOptions,
    *,
    progress: Callable[[ImageProgress], None] | None = None,
    notice: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> ImageReport:
    """Style the picture `source` into `output`, which appears only when it is whole.

    Raises BadMedia, BadOption, UnknownStyle, BadStyle or OutputError, and Interrupted when `stop` is set; then, and on
    any other error, nothing is left behind.
    """
    began = time.monotonic()
    notices: list[Notice] = []

    def tell(sentence: Notice) -> None:
        notices.append(sentence)
        if notice is not None:
            notice(sentence)

    modulation = engine.library.resolve(look.style, look.strength)
    form = format_for(output)
    check_output(output, str(source), overwrite=options.overwrite)
    picture = _resized(read_picture(source, tell), options.size)
    check_fits(form, *picture.image.size)
    painter = _Painter(engine, modulation, options.memory * _MEBIBYTE, progress, stop or threading.Event(), began)
    styled = _styled(picture.image, look, painter)
    painter.check_stop()
    with published(output, overwrite=options.overwrite) as temporary:
        write_picture(Picture(styled, picture.profile, picture.exif, picture.dpi), temporary, form, tell, shown=output)
        painter.check_stop()
    width, height = styled.size
    elapsed = time.monotonic() - began
    facts = {"width": width, "height": height, "tiles": painter.tiles, "passes": painter.passes}
    return ImageReport(str(source), str(output), format=form.name, elapsed=elapsed, notices=tuple(notices), **facts)


def _resized(picture: Picture, size: str | None) -> Picture:
    width, height = resolve_size(size, *picture.image.size, max_side=MAX_PIXELS)
    if width * height > MAX_PIXELS:
        raise BadOption(f"A picture may have at most {MAX_PIXELS:,} pixels; --size {size} gives {width}x{height}.")
    if (width, height) == picture.image.size:
        return picture
    image = picture.image.resize((width, height), Image.Resampling.LANCZOS)
    return Picture(image, picture.profile, picture.exif, picture.dpi)


def _styled(image: Image.Image, look: Look, painter: _Painter) -> Image.Image:
    """The picture in a look; its alpha untouched."""
    if look.strength == 0:
        return image
    size = painter.fitting(image.size) if look.work_size == AUTO else _asked(look.work_size, image.size)
    smaller = size[0] * size[1] < image.width * image.height
    small = _opaque(image).resize(size, Image.Resampling.BICUBIC) if smaller else image
    styled = painter.paint(small)
    if smaller or look.preserve_color:
        styled = _finished(styled, small, image, look)
    if image.mode == "RGBA":
        styled.putalpha(image.getchannel("A"))
    return styled


def _asked(work_size: str | None, size: tuple[int, int]) -> tuple[int, int]:
    return resolve_size(work_size, *size, max_side=MAX_PIXELS)


def _opaque(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _finished(styled: Image.Image, small: Image.Image, image: Image.Image, look: Look) -> Image.Image:
    """Back to the picture's size, with the detail and colours that it is to keep; strip by strip, to save memory."""
    result = styled if styled.size == image.size else Image.new("RGB", image.size)
    for top in range(0, image.height, _STRIP):
        box = (0, top, image.width, min(top + _STRIP, image.height))
        original = np.asarray(_opaque(image.crop(box)))
        frame = np.asarray(_enlarged(styled, image.size, box))
        if small.size != image.size:
            frame = restore(frame, np.asarray(_enlarged(small, image.size, box)), original)
        if look.preserve_color:
            frame = preserve_color(frame, original)
        result.paste(Image.fromarray(frame), box)
    return result


def _enlarged(image: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    """The part in `box` of what the image would be at a larger size."""
    if image.size == size:
        return image.crop(box)
    ratio = image.height / size[1]
    # Samples around the box take part, so strips join without a seam.
    part = (0.0, box[1] * ratio, float(image.width), min(box[3] * ratio, image.height))
    return image.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BICUBIC, box=part)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


class _Painter:
    """Runs the network over one picture, whole or in tiles; counts for the report, tells progress, looks at `stop`."""

    def __init__(
        self,
        engine: Engine,
        modulation: Float32,
        budget: int,
        progress: Callable[[ImageProgress], None] | None,
        stop: threading.Event,
        began: float,
    ) -> None:
        self._engine, self._modulation = engine, modulation
        self._config = engine.library.trunk.config
        self._pixels = min(budget // bytes_per_pixel(self._config), _MAX_WINDOW)
        self._progress, self._stop, self._began = progress, stop, began
        self._work = self._work_expected = 0.0
        self.tiles, self.passes = 0, 0

    def check_stop(self) -> None:
        """Raise Interrupted when the user asked to stop."""
        if self._stop.is_set():
            raise Interrupted("Stopped before the end; nothing was written.")

    def fitting(self, size: tuple[int, int]) -> tuple[int, int]:
        """The largest (width, height) of that shape which needs no tiles; `size` itself where that does."""
        scale = 1.0
        while len(plan_tiles(*_scaled(size, scale)[::-1], self._pixels, reach(self._config))) > 1:
            scale *= 0.95
        return _scaled(size, scale)

    def paint(self, image: Image.Image) -> Image.Image:
        """The styled picture, RGB; the image's alpha is not looked at."""
        self.check_stop()
        tiles = plan_tiles(image.height, image.width, self._pixels, reach(self._config))
        self.tiles = len(tiles)
        if len(tiles) == 1:
            self.passes = 1
            return Image.fromarray(self._engine.stylize(np.array(_opaque(image)), self._modulation))
        return self._paint_tiles(image, tiles)

    def _paint_tiles(self, image: Image.Image, tiles: list[Tile]) -> Image.Image:
        widths = self._config.norm_widths()
        sample = plan_sample(image.height, image.width, tiles, reach(self._config), len(widths))
        numbers = {id(tile): number for number, tile in enumerate(tiles, start=1)}
        one_pass = sum(tile.window_area for tile in tiles)
        one_look = len(widths) * sum(tile.window_area for tile in sample)
        self._work_expected = _USUAL_PASSES * (one_pass + one_look)
        canvas = Image.new("RGB", image.size)

        def run(tile: Tile, given: Float32) -> Float32:
            self.check_stop()
            styled = self._engine.run(tile_batch(read_window(image, tile), self._modulation, given, tile))
            self._work += tile.window_area
            if number := numbers.get(id(tile)):  # not one of the sample
                place_core(canvas, styled.frames[0], tile)
                self._tell(number)
            return np.asarray(styled.own[0], np.float32)

        self.passes = settle(run, tiles, sample, widths)
        return canvas

    def _tell(self, done: int) -> None:
        if done == self.tiles:
            self.passes += 1
        if self._progress is not None:
            share = min(self._work / max(self._work_expected, 1.05 * self._work), 1.0)
            elapsed = time.monotonic() - self._began
            self._progress(ImageProgress(share, done, self.tiles, self.passes, elapsed))


def tile_batch(frame: Frame, modulation: Float32, given: Float32, tile: Tile) -> Batch:
    """One window (H, W, 3), normalised by given statistics (statistics_size,), its own measured in the core."""
    nothing, all_of_it = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    return Batch(frame[None], modulation[None], given[None], nothing, all_of_it, tile.margins)


def read_window(image: Image.Image, tile: Tile) -> Frame:
    """What a tile sees of the padded picture, (H, W, 3), without padding more than the tile."""
    top, bottom, above, below = _pixels(tile.rows.start, tile.rows.stop, image.height)
    left, right, before, after = _pixels(tile.columns.start, tile.columns.stop, image.width)
    inside = np.asarray(_opaque(image.crop((left, top, right, bottom))))
    padded = cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REFLECT_101)
    return np.asarray(padded, np.uint8)


def place_core(canvas: Image.Image, window: Frame, tile: Tile) -> None:
    """Put the core of a styled window (H, W, 3) where it belongs."""
    rows, top = _core(tile.rows, canvas.height)
    columns, left = _core(tile.columns, canvas.width)
    canvas.paste(Image.fromarray(np.ascontiguousarray(window[rows, columns])), (left, top))


def _pixels(start: int, stop: int, length: int) -> tuple[int, int, int, int]:
    """A span of the padded picture, in STRIDE, as pixels of the picture (from, to), and padding before and after."""
    first, last = start * STRIDE - BORDER, stop * STRIDE - BORDER
    inside = max(first, 0), min(last, length)
    return *inside, inside[0] - first, last - inside[1]


def _core(span: Span, length: int) -> tuple[slice, int]:
    """Which pixels of a window are its core's and not padding, and where in the picture they begin."""
    origin = span.start * STRIDE - BORDER
    first, last, _, _ = _pixels(span.first, span.last, length)
    return slice(first - origin, last - origin), first
