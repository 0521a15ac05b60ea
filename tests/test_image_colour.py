"""Still pictures: transparency, modes and colour profiles."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from streamer.engine import Engine
from streamer.errors import BadMedia
from streamer.media.picture_colour import srgb_profile
from streamer.settings import Look
from tests import tiny
from tests.picture_files import UNTOUCHED, saved, styled, through

# Transparency and modes


def test_alpha_is_untouched_and_styled_under(tiny_engine: Engine, tmp_path: Path) -> None:
    frame = np.dstack([tiny.picture(50, 70), tiny.picture(50, 70, seed=5)[..., 0]])
    source = saved(frame, tmp_path / "in.png")
    picture, _ = through(tiny_engine, source)
    np.testing.assert_array_equal(np.asarray(picture)[..., 3], frame[..., 3])
    np.testing.assert_array_equal(
        np.asarray(picture)[..., :3], styled(tiny_engine, np.ascontiguousarray(frame[..., :3]))
    )
    for look in (Look("alpha", work_size="0.5x"), Look("alpha", preserve_color=True), UNTOUCHED):
        picture, _ = through(tiny_engine, source, look, overwrite=True)
        np.testing.assert_array_equal(np.asarray(picture)[..., 3], frame[..., 3])
    np.testing.assert_array_equal(np.asarray(picture), frame)


def palette(frame: np.ndarray) -> Image.Image:
    return Image.fromarray(frame).quantize(16)


@pytest.mark.parametrize("suffix", [".png", ".gif"])
def test_palettes_keep_their_transparency(tiny_engine: Engine, tmp_path: Path, suffix: str) -> None:
    picture = palette(tiny.picture(50, 70))
    clear = np.asarray(picture) == 3
    out, report = through(tiny_engine, saved(picture, tmp_path / f"in{suffix}", transparency=3))
    np.testing.assert_array_equal(np.asarray(out.convert("RGBA"))[..., 3] == 0, clear)
    assert 0 < clear.sum() < clear.size
    assert any("256 colours" in notice for notice in report.notices) == (suffix == ".gif")


def test_a_gif_of_few_colours_keeps_them(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(palette(tiny.picture(50, 70)), tmp_path / "in.gif")
    picture, _ = through(tiny_engine, source, UNTOUCHED)
    with Image.open(source) as before:
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.asarray(before.convert("RGB")))


def test_a_clear_colour_becomes_alpha(tiny_engine: Engine, tmp_path: Path) -> None:
    frame = tiny.picture(30, 40)
    frame[:9, :9] = (1, 2, 3)
    picture, _ = through(tiny_engine, saved(frame, tmp_path / "in.png", transparency=(1, 2, 3)), UNTOUCHED)
    np.testing.assert_array_equal(np.asarray(picture)[..., 3] == 0, (frame == (1, 2, 3)).all(-1))
    np.testing.assert_array_equal(np.asarray(picture)[..., :3], frame)


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_formats_without_alpha_are_laid_on_white(tiny_engine: Engine, tmp_path: Path, suffix: str) -> None:
    frame = np.zeros((40, 40, 4), np.uint8)
    frame[:, 20:, 3] = 255
    picture, report = through(tiny_engine, saved(frame, tmp_path / "in.png"), UNTOUCHED, suffix)
    assert np.asarray(picture.convert("RGB"))[5, 5].min() > 250 > 5 > np.asarray(picture.convert("RGB"))[5, 35].max()
    assert any("white" in notice for notice in report.notices)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "LAB"])
def test_every_mode_becomes_rgb(tiny_engine: Engine, tmp_path: Path, mode: str) -> None:
    frame = Image.fromarray(tiny.picture(30, 40))
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        source = ImageCms.applyTransform(frame, ImageCms.buildTransform(srgb, lab, "RGB", "LAB")) or frame
    else:
        source = frame.convert(mode)
    # Pillow 12.3 cannot read the uncompressed YCbCr that it writes; 13 can.
    file = saved(source, tmp_path / "in.tif", **({"compression": "tiff_lzw"} if mode == "YCbCr" else {}))
    picture, _ = through(tiny_engine, file, UNTOUCHED, ".png")
    want = source.convert("RGBA" if mode == "LA" else "RGB")
    assert picture.mode == want.mode
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(want)).max() <= (2 if mode in ("YCbCr", "LAB") else 0)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_are_rounded_to_8(tiny_engine: Engine, tmp_path: Path, suffix: str) -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    picture, report = through(tiny_engine, saved(Image.fromarray(values), tmp_path / f"in{suffix}"), UNTOUCHED)
    want = np.round(values / 257).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(picture), np.dstack([want] * 3))
    assert "16 bits" in report.notices[0]


def test_32_bits_are_refused(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(Image.fromarray(np.zeros((8, 8), np.float32)), tmp_path / "in.tif")
    with pytest.raises(BadMedia, match="8 or 16 bits"):
        through(tiny_engine, source)


def grey_profile() -> bytes:
    """The smallest ICC profile of grey: gamma 1.0, so that applying it shows."""
    white = struct.pack(">8s3i", b"XYZ \0\0\0\0", 63190, 65536, 54061)
    curve = struct.pack(">8sIH2x", b"curv\0\0\0\0", 1, 256)
    text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"g\0" + bytes(80)
    text += bytes(-len(text) % 4)
    tags, at = b"", 128 + 4 + 3 * 12
    for name, data in ((b"desc", text), (b"wtpt", white), (b"kTRC", curve)):
        tags += struct.pack(">4sII", name, at, len(data))
        at += len(data)
    header = struct.pack(">I4sI4s4s4s", at, b"none", 0x02400000, b"mntr", b"GRAY", b"XYZ ").ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 3) + tags + text + white + curve


@pytest.mark.parametrize("alpha", [False, True])
def test_a_profile_of_grey_is_applied(tiny_engine: Engine, tmp_path: Path, alpha: bool) -> None:
    grey = Image.fromarray(np.full((20, 30), 55, np.uint8))
    if alpha:
        grey.putalpha(Image.fromarray(tiny.picture(20, 30)[..., 0]))
    picture, report = through(tiny_engine, saved(grey, tmp_path / "in.png", icc_profile=grey_profile()), UNTOUCHED)
    pixels = np.asarray(picture)
    np.testing.assert_allclose(pixels[..., :3], 128, atol=2)  # linear 55/255 is 128 in sRGB
    assert pixels.shape[-1] == (4 if alpha else 3)
    if alpha:
        np.testing.assert_array_equal(pixels[..., 3], np.asarray(grey)[..., 1])
    assert picture.info["icc_profile"][16:20] == b"RGB "
    assert not report.notices


def test_a_profile_of_cmyk_never_reaches_rgb_pixels(tiny_engine: Engine, tmp_path: Path) -> None:
    broken = srgb_profile().replace(b"RGB XYZ ", b"CMYKXYZ ")  # no such thing in the standard library: one that fails
    cmyk = Image.fromarray(tiny.picture(20, 30)).convert("CMYK")
    picture, report = through(tiny_engine, saved(cmyk, tmp_path / "in.jpg", icc_profile=broken), UNTOUCHED, ".png")
    assert "icc_profile" not in picture.info
    assert picture.mode == "RGB"
    assert "does not fit" in report.notices[0]


def test_a_format_without_profiles_gets_srgb(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(tiny.picture(20, 30), tmp_path / "in.png", icc_profile=srgb_profile())
    picture, report = through(tiny_engine, source, UNTOUCHED, ".bmp")
    assert np.abs(np.asarray(picture).astype(int) - tiny.picture(20, 30)).max() <= 1
    assert any("sRGB" in notice for notice in report.notices)


def test_of_several_pictures_the_first_is_styled(tiny_engine: Engine, tmp_path: Path) -> None:
    first, second = (Image.fromarray(tiny.picture(20, 30, seed)) for seed in (1, 2))
    first.save(tmp_path / "in.webp", save_all=True, append_images=[second], lossless=True)
    picture, report = through(tiny_engine, tmp_path / "in.webp", UNTOUCHED, ".png")
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), tiny.picture(20, 30, 1))
    assert "only the first" in report.notices[0]
