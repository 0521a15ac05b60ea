"""Where a page's uploads and results lie: one private folder, bounded in age and size, gone when the page is."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_OURS = "ours"  # within the folder: what is never deleted
PREFIX = "streamer-demo-"
LOOK_EVERY = 20.0  # seconds between looks for what is to be deleted
UNDER_WAY = 60.0  # seconds for which a file is spared for its size: somebody is about to fetch it
LONGEST_WORK = 6 * 3600.0  # seconds for which an empty folder is spared: a result may be written at the very end
_log = logging.getLogger(__name__)


class Scratch:
    """A folder that only we may enter; its files go after `keep` seconds, the oldest first beyond `disk` bytes.

    Gradio puts uploads and its copies of results there too (`GRADIO_TEMP_DIR`). Close it.
    """

    def __init__(
        self, keep: float, disk: int, *, every: float = LOOK_EVERY, clock: Callable[[], float] = time.time
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._keep, self._disk, self._every, self._clock = keep, disk, every, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="scratch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def place(self, name: str) -> Path:
        """Where a result of that name may be written: a folder of its own that nobody can guess."""
        folder = self.folder / "results" / secrets.token_urlsafe(16)
        folder.mkdir(parents=True, mode=0o700)
        return folder / name

    def own(self, name: str) -> Path:
        """Where a file of ours of that name may be written, which stays."""
        (self.folder / _OURS).mkdir(parents=True, exist_ok=True)
        return self.folder / _OURS / name

    def keep_copy(self, source: Path) -> Path:
        """A copy of a file that comes with us, which stays: pages show files of this folder alone."""
        copy = (
            self.folder
            / _OURS
            / f"{zlib.crc32(str(source.parent).encode()):08x}-{source.stat().st_mtime_ns:x}"
            / source.name
        )
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        return copy

    def has(self, path: Path) -> bool:
        """Whether a file is one of ours, links followed."""
        return path.resolve().is_relative_to(self.folder.resolve())

    def purge(self) -> int:
        """Delete what is too old, then the oldest of what is too much; returns how many files went."""
        now = self._clock()
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        gone = 0
        for changed, size, path in files:
            is_over = total > self._disk and now - changed > UNDER_WAY
            if now - changed > self._keep or is_over:
                path.unlink(missing_ok=True)
                total -= size
                gone += 1
        self._remove_empty(now)
        return gone

    def close(self) -> None:
        """Delete all of it."""
        self._stop.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _work(self) -> None:
        while not self._stop.wait(self._every):
            try:
                if gone := self.purge():
                    _log.info("%d files of visitors deleted", gone)
            except OSError:
                _log.exception("the visitors' files could not be looked at")

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When each was last written, its size, and where it is."""
        for folder, inner, names in os.walk(self.folder):
            if Path(folder) == self.folder and _OURS in inner:
                inner.remove(_OURS)
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    facts = path.lstat()
                    yield facts.st_mtime, facts.st_size, path

    def _remove_empty(self, now: float) -> None:
        """Folders without files, but for those of work that may still be under way."""
        for folder, _, _ in os.walk(self.folder, topdown=False):
            path = Path(folder)
            with contextlib.suppress(OSError):  # not empty, or gone already
                if path != self.folder and now - path.stat().st_mtime > LONGEST_WORK:
                    path.rmdir()
