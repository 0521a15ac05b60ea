"""Still pictures: what is refused, in which words, and that nothing is left behind."""

from __future__ import annotations

import os
import resource
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.engine import Engine
from streamer.errors import BadMedia, BadOption, Interrupted, OutputError, UnknownStyle
from streamer.image import ImageProgress, stylize_image
from streamer.settings import ImageOptions, Look
from tests import tiny
from tests.picture_files import LOOK, UNTOUCHED, check_sentence, saved

# Refusals


def header_only(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT"))


def jpeg_cut_short() -> bytes:
    import io

    file = io.BytesIO()
    Image.fromarray(tiny.picture(200, 300)).save(file, "JPEG")
    return file.getvalue()[: file.tell() // 2]


BAD = {
    "empty": (b"", "empty"),
    "text": (b"This is a letter, not a picture. " * 9, "not a picture"),
    "cut": (jpeg_cut_short(), "cut short"),
    "hollow": (header_only(20, 30), "cut short"),
    "unknown": (b"\x00\x00\x00\x20ftypavif" + bytes(64), "cut short|not a picture"),
    "huge": (header_only(40_000, 30_000), r"1,000,000,000 pixels; .* has 1,200,000,000 \(40000x30000\)"),
    "huger": (header_only(2_000_000_000, 2_000_000_000), "1,000,000,000 pixels"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_refused_in_a_sentence(tiny_engine: Engine, tmp_path: Path, what: str) -> None:
    data, says = BAD[what]
    source = tmp_path / "in.jpg"
    source.write_bytes(data)
    with pytest.raises(BadMedia, match=says) as caught:
        stylize_image(source, tmp_path / "out.png", tiny_engine, LOOK, ImageOptions())
    check_sentence(caught.value, tmp_path, "in.jpg")


@pytest.mark.parametrize(
    ("output", "look", "options", "kind", "says"),
    [
        ("out.png", Look("alfa"), {}, UnknownStyle, "Did you mean alpha"),
        ("out.xyz", LOOK, {}, BadOption, r"\.jpg, .*received 'out.xyz'"),
        ("out", LOOK, {}, BadOption, "must end in"),
        ("no/out.png", LOOK, {}, OutputError, "no folder"),
        ("in.png", LOOK, {"overwrite": True}, OutputError, "input itself"),
        ("there.png", LOOK, {}, OutputError, "--overwrite"),
        ("out.webp", LOOK, {"size": "16384x2"}, BadOption, "16383 .* 16384x2"),
        ("out.png", LOOK, {"size": "40000x40000"}, BadOption, "1,000,000,000"),
        ("out.png", LOOK, {"size": "big"}, BadOption, "'big'"),
    ],
)
def test_what_cannot_be_asked(
    tiny_engine: Engine, tmp_path: Path, output: str, look: Look, options: dict[str, object], kind: type, says: str
) -> None:
    source = saved(tiny.picture(20, 30), tmp_path / "in.png")
    (tmp_path / "there.png").write_bytes(b"mine")
    with pytest.raises(kind, match=says) as caught:
        stylize_image(source, tmp_path / output, tiny_engine, look, ImageOptions(**options))
    check_sentence(caught.value, tmp_path, "in.png", "there.png")
    assert (tmp_path / "there.png").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["missing.png", ""])
def test_what_is_no_file(tiny_engine: Engine, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadMedia, match="no file" if name else "is a directory; a picture is needed") as caught:
        stylize_image(tmp_path / name, tmp_path / "out.png", tiny_engine, LOOK, ImageOptions())
    check_sentence(caught.value, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(tiny.picture(20, 30), tmp_path / "in.png")
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="permission is denied"):
        stylize_image(source, tmp_path / "out" / "out.png", tiny_engine, LOOK, ImageOptions())


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond 10 kB; a limit of the process fails writes as a full disk does, parts of them too.

    Around one call only: what the tests themselves print may go to a file that is longer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp", ".gif", ".avif"])
def test_a_full_disk_leaves_nothing(tiny_engine: Engine, tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    source, folder = tmp_path_factory.mktemp("source") / "in.png", tmp_path_factory.mktemp("full")
    saved(np.random.default_rng(0).integers(0, 256, (100, 120, 3), np.uint8), source)
    with pytest.raises(OutputError, match="Cannot write") as caught, full_disk():
        stylize_image(source, folder / f"out{suffix}", tiny_engine, UNTOUCHED, ImageOptions())
    check_sentence(caught.value, folder)


# Stopping


def test_a_stop_between_tiles_leaves_nothing(tiny_engine: Engine, tmp_path: Path) -> None:
    source = saved(tiny.picture(700, 900), tmp_path / "in.png")
    stop, seen = threading.Event(), list[ImageProgress]()

    def progress(now: ImageProgress) -> None:
        seen.append(now)
        if len(seen) == 2:
            stop.set()

    options = ImageOptions(memory=64)
    with pytest.raises(Interrupted) as caught:
        stylize_image(source, tmp_path / "out.png", tiny_engine, LOOK, options, progress=progress, stop=stop)
    check_sentence(caught.value, tmp_path, "in.png")
    assert len(seen) == 2
    stop.set()
    with pytest.raises(Interrupted):
        stylize_image(source, tmp_path / "out.png", tiny_engine, LOOK, ImageOptions(), stop=stop)
