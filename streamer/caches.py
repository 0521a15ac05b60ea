"""What is kept between runs because it can be made again: never an error when it is damaged or cannot be written."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from streamer.files import write_atomically

_DIGEST = 32  # bytes in front of what is kept


def cache_folder() -> Path:
    """XDG_CACHE_HOME/streamer, or ~/.cache/streamer; for a user who has no home one that cannot be written."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "streamer"
    except RuntimeError:
        return Path("/nonexistent/.cache/streamer")


def kept(name: str) -> bytes | None:
    """What was kept under a name; None when there is nothing, or when it is not what was kept."""
    try:
        data = (cache_folder() / name).read_bytes()
    except OSError:
        return None
    digest, content = data[:_DIGEST], data[_DIGEST:]
    return content if hashlib.sha256(content).digest() == digest else None


def keep(name: str, content: bytes) -> None:
    """Keep something under a name, with its SHA-256 in front, if that is possible."""
    with contextlib.suppress(OSError):
        cache_folder().mkdir(parents=True, exist_ok=True)
        write_atomically(cache_folder() / name, hashlib.sha256(content).digest() + content)
