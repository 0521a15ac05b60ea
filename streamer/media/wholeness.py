"""Whether a file is as long as its own structure says: a download or a recording that broke off is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_EBML_HEADER, _EBML_SEGMENT = 0x1A45DFA3, 0x18538067
_MOST_BOXES = 100_000  # a file of smaller pieces than any real one is not walked to its end


def is_missing_bytes(path: Path, formats: set[str]) -> bool | None:
    """True if the outermost boxes of an MP4, Matroska or AVI file reach beyond its end; None for other formats."""
    walk = next((walk for name, walk in _WALKS.items() if name in formats), None)
    if walk is None:
        return None
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            return walk(file, size)
    except OSError:
        return None


def _mp4(file: BinaryIO, size: int) -> bool:
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return len(head) > 0
        length = int.from_bytes(head[:4])
        if length == 1:  # the length did not fit and follows
            length = int.from_bytes(head[8:16])
        if length == 0:  # to the end of the file
            return False
        at += max(length, 8)
        if at >= size:
            return at > size
    return False


def _matroska(file: BinaryIO, size: int) -> bool:
    while True:
        identity, _ = _ebml_number(file, keep_marker=True)
        length, unknown = _ebml_number(file, keep_marker=False)
        if unknown or identity not in (_EBML_HEADER, _EBML_SEGMENT):  # live recordings do not know their length
            return False
        if file.tell() + length > size:
            return True
        if identity == _EBML_SEGMENT:
            return False
        file.seek(length, os.SEEK_CUR)


def _ebml_number(file: BinaryIO, *, keep_marker: bool) -> tuple[int, bool]:
    """A number whose first bits tell its length, and whether it is the one that means unknown."""
    first = (file.read(1) or b"\0")[0]
    extra = 8 - first.bit_length()
    bits = 7 * (extra + 1)
    number = int.from_bytes(bytes([first]) + file.read(extra))
    value = number & ((1 << bits) - 1)
    return number if keep_marker else value, value == (1 << bits) - 1


def _avi(file: BinaryIO, size: int) -> bool:
    head = file.read(8)
    return head[:4] == b"RIFF" and 8 + int.from_bytes(head[4:], "little") > size


_WALKS = {"mov": _mp4, "matroska": _matroska, "avi": _avi}
