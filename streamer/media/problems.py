"""What the media libraries raise, as one sentence for a user."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import av.error

from streamer.errors import BadMedia, OutputError

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_FILE_URL = re.compile(r"file:(?://(?:localhost)?)?(/.*)", re.IGNORECASE | re.DOTALL)
_DISK_FULL = {errno.ENOSPC: "no space is left on the disk", errno.EDQUOT: "the disk quota is used up"}
_TOO_BIG = {errno.EFBIG: "the file would be larger than the file system or a limit allows"}
_REFUSED = {errno.EACCES: "permission is denied", errno.EROFS: "the file system is read-only"}
_REASONS = _DISK_FULL | _TOO_BIG | _REFUSED


def is_url(source: str) -> bool:
    """Whether `source` names a protocol (http://, rtsp://, ...) rather than a file."""
    return _URL.match(source) is not None


def without_file_url(source: str) -> str:
    """The path that a `file:` URL means; anything else as it is. An input goes through here once, where it enters."""
    match = _FILE_URL.fullmatch(source)
    return unquote(match[1]) if match else source


def shown(source: str) -> str:
    """`source` as it may be printed: a URL loses its password, since messages end up in logs."""
    if not is_url(source):
        return source
    parts = urlsplit(source)
    if parts.password is None:
        return source
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.split(':')[0]}:***@{host}"))


def check_file(source: str, wanted: str = "a video file or a URL") -> None:
    """Raise BadMedia for a file that cannot be media whatever it holds: missing, a directory, empty, unreadable."""
    path = Path(source)
    try:
        if not path.exists():
            raise BadMedia(f"There is no file {source!r}.")
        if path.is_dir():
            raise BadMedia(f"{source!r} is a directory; {wanted} is needed.")
        if path.is_file() and path.stat().st_size == 0:
            raise BadMedia(f"{source!r} is empty (0 bytes).")
        if path.is_file():
            path.open("rb").close()
    except OSError as error:
        raise BadMedia(f"Cannot read {source!r}: {_reason(error)}.") from error


def unreadable(source: str, error: Exception) -> BadMedia:
    """The sentence for an error while opening or reading `source`."""
    name = repr(shown(source))
    if isinstance(error, av.error.ExitError):  # what an expired timeout is called down there
        return BadMedia(f"{name} sent nothing for too long; the connection was given up.")
    if isinstance(error, av.error.InvalidDataError):
        return BadMedia(f"{name} is not a video that can be read: it is damaged, cut short or not media at all.")
    return BadMedia(f"Cannot read {name}: {_reason(error)}.")


def unwritable(path: Path, error: Exception) -> OutputError:
    """The sentence for an error while writing `path`."""
    return OutputError(f"Cannot write {str(path)!r}: {_reason(error)}.")


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in _REASONS:
        return _REASONS[number]
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.rstrip(".")[:1].lower() + text.rstrip(".")[1:]
