"""Files that the tests of the demo bring."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from tests import tiny


def write_bomb(path: Path, side: int = 30_000) -> Path:
    """A PNG of one grey, `side` pixels square: a hundred kilobytes that would be gigabytes."""
    row = b"\0" + bytes((side + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row * 1000) for _ in range(side // 1000)) + packer.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def write_text(path: Path) -> Path:
    """A text that is called a picture, or a clip."""
    path.write_text("This is no picture.\n")
    return path


def write_photo(path: Path, width: int, height: int) -> Path:
    """A smooth photograph-like picture."""
    from PIL import Image

    Image.fromarray(tiny.picture(height, width)).save(path, quality=80)
    return path


def write_clip(path: Path, seconds: float, *, width: int = 96, height: int = 64, rate: int = 10) -> Path:
    """A clip of so many seconds."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = tiny.picture(height, width)
        for _ in range(round(seconds * rate)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path
