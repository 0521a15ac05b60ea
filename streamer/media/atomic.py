"""A file that appears under its name only when it is whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from streamer.errors import OutputError
from streamer.media.problems import is_url, unwritable

_MARK = ".partial"
_unfinished: set[Path] = set()  # temporary files of this process, for when it must leave at once


def check_output(output: Path, source: str | None = None, *, overwrite: bool = False) -> None:
    """Raise OutputError unless `output` may be written: its folder exists, it is not the input, it is not there yet."""
    folder = output.parent
    if not folder.is_dir():
        raise OutputError(f"There is no folder {str(folder)!r} to write {output.name!r} to.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"Cannot write {str(output)!r}: permission is denied in its folder.")
    if not output.exists():
        return
    if source is not None and not is_url(source) and os.path.exists(source) and os.path.samefile(source, output):
        raise OutputError(f"The output {str(output)!r} is the input itself; choose another name.")
    if not output.is_file():
        raise OutputError(f"The output {str(output)!r} is not a file.")
    if not overwrite:
        raise OutputError(f"{str(output)!r} exists already; --overwrite replaces it.")


@contextlib.contextmanager
def published(output: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name beside `output`; on a normal exit, the file there becomes `output`, else it is removed.

    The name is hidden and keeps the extension, which muxers go by. The bytes reach the disk before the name does.
    A killed process leaves only the temporary file, which a later run for the same output removes.
    Raises OutputError where the file cannot be made or the name has been taken meanwhile.
    """
    _remove_stale(output)
    temporary = output.with_name(f"{_prefix(output)}{secrets.token_hex(4)}{output.suffix}")
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    except OSError as error:
        raise unwritable(output, error) from error
    _unfinished.add(temporary)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # tells later runs that its owner lives
        yield temporary
        _publish(handle, temporary, output, overwrite)
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


def remove_unfinished() -> None:
    """Remove all that is not yet published, from any thread, because the process ends without another line."""
    for path in list(_unfinished):
        with contextlib.suppress(OSError):
            path.unlink()


def _publish(handle: int, temporary: Path, output: Path, overwrite: bool) -> None:
    try:
        os.fsync(handle)
        if overwrite:
            os.replace(temporary, output)
        else:
            _rename_without_clobbering(temporary, output)
        _sync_folder(output.parent)
    except FileExistsError as error:
        raise OutputError(f"{str(output)!r} appeared meanwhile; --overwrite replaces it.") from error
    except OSError as error:
        raise unwritable(output, error) from error


def _rename_without_clobbering(temporary: Path, output: Path) -> None:
    try:
        os.link(temporary, output)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: a check is the best there is
        if output.exists():
            raise FileExistsError(output) from None
        os.rename(temporary, output)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_stale(output: Path) -> None:
    """Remove what killed runs for this output left behind; a living run holds a lock on its file."""
    for path in output.parent.iterdir():
        if not (path.name.startswith(_prefix(output)) and path.suffix == output.suffix):
            continue
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _prefix(output: Path) -> str:
    return f".{output.stem[:50]}{_MARK}-"  # cut, so that a long name does not become one too long
