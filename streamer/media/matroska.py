"""The displayed size of a Matroska or WebM video, which PyAV has no way to hand to the muxer.

H.264 and HEVC carry their pixels' shape themselves; VP9 and AV1 leave it to the container. The muxer reserves some
empty bytes in front of its header, and the two missing numbers (10 to 18 bytes) are moved into it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_HEADER_BYTES = 1 << 20  # more than any header of ours has
_SEGMENT, _SEEK_HEAD, _VOID, _INFO, _TRACKS = 0x18538067, 0x114D9B74, 0xEC, 0x1549A966, 0x1654AE6B
_SEEK, _SEEK_ID, _SEEK_POSITION = 0x4DBB, 0x53AB, 0x53AC
_VOID_HEAD = 9  # bytes: its name, and a length of 8 bytes
_TRACK, _VIDEO, _DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0xAE, 0xE0, 0x54B0, 0x54BA, 0x54B2


@dataclass
class _Element:
    identity: int
    start: int  # in the header's bytes
    data: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.data)


def set_display_size(path: Path, width: int, height: int) -> bool:
    """Say in the finished file at `path` that its first video is to be shown at width x height.

    False, and the file untouched, if its header is not laid out as this muxer's are.
    """
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        patched = _patched(header, width, height)
        if patched is None:
            return False
        file.seek(0)
        file.write(patched)
    return True


def _patched(header: bytes, width: int, height: int) -> bytes | None:
    segment = next((element for element in _elements(header, 0) if element.identity == _SEGMENT), None)
    if segment is None:
        return None
    top = _elements(header, segment.start)[:4]
    if [element.identity for element in top] != [_SEEK_HEAD, _VOID, _INFO, _TRACKS]:
        return None
    seek_head, void, info, tracks = top
    grown = _with_display_size(tracks.data, width, height)
    if grown is None:
        return None
    new_tracks = _encoded(_TRACKS, grown)
    moved = len(new_tracks) - (tracks.end - info.end)  # so much earlier do Info and Tracks begin
    room = void.end - seek_head.end - moved - _VOID_HEAD
    if room < 0:
        return None
    return b"".join(
        (
            header[: seek_head.start],
            _with_positions_moved(seek_head.data, -moved),
            _encoded(_VOID, bytes(room), width=_VOID_HEAD - 1),
            header[void.end : info.end],
            new_tracks,
            header[tracks.end :],
        )
    )


def _with_display_size(tracks: bytes, width: int, height: int) -> bytes | None:
    """The content of Tracks with two numbers more in the first video track."""
    for track in _elements(tracks, 0):
        video = next((part for part in _elements(track.data, 0) if part.identity == _VIDEO), None)
        if track.identity != _TRACK or video is None:
            continue
        kept = [part for part in _elements(video.data, 0) if part.identity != _DISPLAY_UNIT]
        inner = b"".join(_encoded(part.identity, part.data) for part in kept)
        inner += _encoded(_DISPLAY_WIDTH, _number(width)) + _encoded(_DISPLAY_HEIGHT, _number(height))
        entry = _rebuilt(track.data, video, inner)
        return _rebuilt(tracks, track, entry)
    return None


def _rebuilt(data: bytes, changed: _Element, content: bytes) -> bytes:
    """The elements in `data`, one of them with another content."""
    parts = ((part, content if part.start == changed.start else part.data) for part in _elements(data, 0))
    return b"".join(_encoded(part.identity, inner) for part, inner in parts)


def _with_positions_moved(seek_head: bytes, by: int) -> bytes:
    """The content of SeekHead after Info and Tracks have moved; all lengths stay."""
    moved = bytearray(seek_head)
    for seek in _elements(seek_head, 0):
        parts = {part.identity: part for part in _elements(seek.data, 0)} if seek.identity == _SEEK else {}
        if _SEEK_ID not in parts or int.from_bytes(parts[_SEEK_ID].data) not in (_INFO, _TRACKS):
            continue
        position = parts[_SEEK_POSITION]
        start = seek.start + position.start
        number = int.from_bytes(position.data) + by
        moved[start : start + len(position.data)] = number.to_bytes(len(position.data))
    return bytes(moved)


def _elements(data: bytes, at: int) -> list[_Element]:
    """The elements that lie one after the other from `at` on; the last may be cut off."""
    found = []
    while at < len(data) and data[at]:
        identity_length = 9 - data[at].bit_length()
        identity = int.from_bytes(data[at : at + identity_length])
        at += identity_length
        if at >= len(data) or not data[at]:
            break
        length_bytes = 9 - data[at].bit_length()
        length = int.from_bytes(data[at : at + length_bytes]) & ((1 << 7 * length_bytes) - 1)
        at += length_bytes
        found.append(_Element(identity, at, data[at : at + length]))
        at += length
    return found


def _encoded(identity: int, data: bytes, width: int | None = None) -> bytes:
    """An element; the length of its length is as short as possible unless `width` is given."""
    if width is None:
        width = next(count for count in range(1, 9) if len(data) < (1 << 7 * count) - 1)
    return _number(identity) + (len(data) | 1 << 7 * width).to_bytes(width) + data


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))
