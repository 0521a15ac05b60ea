"""`streamer demo` as a process of its own, with the shipped network, and files that its tests bring."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import tiny
from tests.browser import wait_for

START_SECONDS = 90.0


class Demo:
    """The page, on a free port; `log` is all that it has said."""

    def __init__(self, library: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMER_", "GRADIO_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamer", "demo", "--port", "0", *options],
            env=kept | {"STREAMER_LIBRARY": str(library), "PYTHONUNBUFFERED": "1"} | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = str(wait_for(self._url, START_SECONDS, "the demo to say where it is", lambda: self.log))
        except BaseException:
            self.stop()
            raise

    @property
    def log(self) -> str:
        return "".join(self._said)

    @property
    def pid(self) -> int:
        return self._process.pid

    def get(self, path: str, **more: Any) -> httpx.Response:
        return httpx.get(self.url + path.lstrip("/"), timeout=30, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return httpx.post(self.url + path.lstrip("/"), timeout=60, **more)

    def stop(self) -> int:
        """End it, and return its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(5)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._said.append(line)

    def _url(self) -> str | None:
        if self._process.poll() is not None:
            pytest.fail(f"the demo ended at once:\n{self.log}")
        match = re.search(r"is at (http://\S+)", self.log)
        return match[1] if match else None


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
