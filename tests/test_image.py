"""Still pictures, file to file: pixels, what goes with them, names and progress."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from streamer.engine import Engine
from streamer.image import ImageProgress, ImageReport, default_image_output, stylize_image
from streamer.media.picture_colour import srgb_profile
from streamer.postprocess import preserve_color
from streamer.settings import ImageOptions, Look
from tests import tiny
from tests.picture_files import LOOK, UNTOUCHED, saved, styled, through

# Pixels


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 2), (61, 83)])
def test_any_size_is_styled_as_a_still(tiny_engine: Engine, tmp_path: Path, size: tuple[int, int]) -> None:
    frame = tiny.picture(*size)
    picture, report = through(tiny_engine, saved(frame, tmp_path / "in.png"))
    np.testing.assert_array_equal(np.asarray(picture), styled(tiny_engine, frame))
    assert (report.height, report.width) == size
    assert (report.format, report.tiles, report.notices) == ("PNG", 1, ())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_strength_zero_returns_the_pixels(tiny_engine: Engine, tmp_path: Path, suffix: str) -> None:
    frame = tiny.picture(37, 53)
    picture, _ = through(tiny_engine, saved(frame, tmp_path / f"in{suffix}"), UNTOUCHED)
    np.testing.assert_array_equal(np.asarray(picture), frame)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG", ".webp", ".avif"])
def test_lossy_formats_lose_little(tiny_engine: Engine, tmp_path: Path, suffix: str) -> None:
    frame = tiny.picture(64, 80)
    picture, _ = through(tiny_engine, saved(frame, tmp_path / "in.png"), UNTOUCHED, suffix)
    assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - frame).mean() < 2
    if suffix == ".jpg":
        assert picture.layer[0][1:3] == picture.layer[1][1:3], "4:4:4"  # type: ignore[attr-defined]


def test_colours_preserved_and_sizes(tiny_engine: Engine, tmp_path: Path) -> None:
    frame = tiny.picture(300, 70)
    source = saved(frame, tmp_path / "in.png")
    picture, _ = through(tiny_engine, source, Look("alpha", preserve_color=True))
    np.testing.assert_array_equal(np.asarray(picture), preserve_color(styled(tiny_engine, frame), frame))
    picture, report = through(tiny_engine, source, size="0.5x", overwrite=True)
    assert picture.size == (report.width, report.height) == (35, 150)
    small = np.asarray(Image.fromarray(frame).resize((35, 150), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(np.asarray(picture), styled(tiny_engine, small))


def test_a_smaller_working_size_gives_the_detail_back(tiny_engine: Engine, tmp_path: Path) -> None:
    """Strips are joined without a seam, and with a style that changes nothing, next to nothing changes."""
    frame = np.clip(
        tiny.picture(700, 90).astype(int) + np.random.default_rng(0).integers(-30, 30, (700, 90, 1)), 0, 255
    )
    source = saved(frame.astype(np.uint8), tmp_path / "in.png")
    picture, _ = through(tiny_engine, source, Look("alpha", strength=1e-9, work_size="0.5x"))
    assert picture.size == (90, 700)
    # The luminance comes back whole; what colour loses by halving is slight in so smooth a picture.
    change = np.asarray(picture.convert("L")).astype(int) - np.asarray(
        Image.fromarray(frame.astype(np.uint8)).convert("L")
    )
    inside = (frame.min(-1) > 40) & (frame.max(-1) < 215)
    assert np.abs(change[inside]).mean() < 1.0
    rows = np.abs(change).mean(1)
    assert rows[250:262].mean() < rows.mean() + 1.0, "no seam between strips"


# What goes with the pixels


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured_once(tiny_engine: Engine, tmp_path: Path, orientation: int) -> None:
    upright = tiny.picture(48, 80)
    turns = {2: 0, 3: 1, 4: 2, 5: 5, 6: 2 + 1, 7: 6, 8: 4}
    undo = [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM]
    undo += [
        Image.Transpose.ROTATE_90,
        Image.Transpose.ROTATE_270,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.TRANSVERSE,
    ]
    lying = Image.fromarray(upright)
    if orientation in turns:
        lying = lying.transpose(undo[turns[orientation]])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = orientation, "Someone"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] = lying.width
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] = "50mm"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    picture, _ = through(tiny_engine, saved(lying, tmp_path / "in.png", exif=exif), UNTOUCHED)
    np.testing.assert_array_equal(np.asarray(picture), upright)
    kept = picture.getexif()
    assert ExifTags.Base.Orientation not in kept
    assert kept[ExifTags.Base.Artist] == "Someone"
    details = kept.get_ifd(ExifTags.IFD.Exif)
    assert (details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.LensModel]) == (80, "50mm")
    assert kept.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_exif_profile_and_density_are_kept(tiny_engine: Engine, tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Copyright], exif[ExifTags.Base.Model] = "Us", "Camera"
    profile = srgb_profile()
    kept = {"exif": exif, "icc_profile": profile, "dpi": (300, 300)}
    picture, _ = through(tiny_engine, saved(tiny.picture(40, 60), tmp_path / f"in{suffix}", **kept))
    assert picture.size == (60, 40)
    assert picture.info["icc_profile"] == profile
    assert (picture.getexif()[ExifTags.Base.Copyright], picture.getexif()[ExifTags.Base.Model]) == ("Us", "Camera")
    if suffix not in (".webp", ".avif"):  # which have no place for it
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_tiff_keeps_its_words_and_not_its_layout(tiny_engine: Engine, tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270], tags[274], tags[700] = "A view", 3, b"<x:xmpmeta/>"
    frame = tiny.picture(40, 60)
    source = saved(frame, tmp_path / "in.tif", tiffinfo=tags)
    picture, _ = through(tiny_engine, source, UNTOUCHED)
    np.testing.assert_array_equal(np.asarray(picture), frame[::-1, ::-1])
    assert isinstance(picture, TiffImagePlugin.TiffImageFile)
    assert picture.tag_v2[270] == "A view"
    assert picture.tag_v2.get(274, 1) == 1
    assert 700 not in picture.tag_v2
    as_jpeg, _ = through_again(tiny_engine, source, ".jpg")
    assert set(as_jpeg.getexif()) <= {270, 282, 283, 296}


def through_again(engine: Engine, source: Path, suffix: str) -> tuple[Image.Image, ImageReport]:
    (source.parent / f"out{source.suffix}").unlink()
    return through(engine, source, UNTOUCHED, suffix)


def test_damaged_exif_costs_only_itself(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(
        tiny.picture(40, 60), tmp_path / "in.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f" + b"\xff" * 40
    )
    picture, _ = through(tiny_engine, source)
    assert picture.size == (60, 40)


def test_too_much_exif_is_left_out_and_said(tiny_engine: Engine, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "x" * 70_000
    source = saved(tiny.picture(40, 60), tmp_path / "in.png", exif=exif)
    picture, report = through(tiny_engine, source, suffix=".jpg")
    assert not picture.getexif()
    assert "65533" in report.notices[0]


# Names


def test_default_names() -> None:
    assert default_image_output(Path("a/in.jpg"), "mosaic") == Path("a/in.mosaic.jpg")
    assert default_image_output(Path("in.TIF"), "mosaic:0.7,great_wave:0.3") == Path("in.mosaic+great_wave.TIF")
    assert default_image_output(Path("in.jp2"), "mosaic") == Path("in.mosaic.png")


# Progress


def test_progress_rises_and_notices_are_told(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(tiny.picture(700, 900), tmp_path / "in.png")
    seen, told = list[ImageProgress](), list[str]()
    report = stylize_image(
        source,
        tmp_path / "out.gif",
        tiny_engine,
        LOOK,
        ImageOptions(memory=64),
        progress=seen.append,
        notice=told.append,
    )
    assert [now.share for now in seen] == sorted(now.share for now in seen)
    assert all(0 < now.share <= 1 for now in seen)
    assert (seen[-1].tiles, seen[-1].total, seen[-1].passes) == (report.tiles, report.tiles, report.passes)
    assert tuple(told) == report.notices != ()
