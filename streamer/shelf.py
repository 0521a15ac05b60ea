"""The style library of a service: styles come and go while it runs, and a damaged file takes nothing away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from streamer.errors import BadStyle, UnknownStyle
from streamer.styles import Style, StyleLibrary
from streamer.trunk import DEFAULT_MODEL, Version, version_of

LOOK_EVERY = 0.5  # seconds; a new style is offered after two looks at most
_log = logging.getLogger(__name__)


class KeptLibrary(StyleLibrary):
    """A StyleLibrary that answers from memory; `refresh` looks at the folders.

    A style whose file has become damaged goes on as it was, one whose file is gone is forgotten. Of a damaged file a
    line is logged, at the second look that finds it so: at the first it may still be on its way into the folder.
    """

    def __init__(self, folders: Sequence[Path], trunk: Path | None = None, model: str = DEFAULT_MODEL) -> None:
        super().__init__(folders, trunk, model)
        self._kept: dict[str, Style] = {}
        self._doubtful: dict[str, Version] = {}
        self._told: dict[str, Version] = {}
        self._refreshing = threading.Lock()
        self.refresh()

    def names(self) -> list[str]:
        """Names of all styles that can be used, sorted."""
        return sorted(self._kept)

    def get(self, name: str) -> Style:
        """The style of that name. Raises UnknownStyle, naming the known and the nearest, or BadStyle."""
        kept = self._kept.get(name)
        return kept if kept is not None else super().get(name)

    def refresh(self) -> None:
        """Take in what is new in the folders. Never raises for what is found there."""
        with self._refreshing:
            fresh: dict[str, Style] = {}
            for name, (_, path) in self._found().items():
                style = self._read(name, path)
                if style is not None:
                    fresh[name] = style
            for name in sorted(fresh.keys() - self._kept.keys() if self._kept else ()):
                _log.info("style %s is new and offered", name)
            for name in sorted(self._kept.keys() - fresh.keys()):
                _log.info("style %s is gone", name)
            self._kept = fresh

    def _read(self, name: str, path: Path) -> Style | None:
        """The newest whole version of a style, which may be the one in memory."""
        version = version_of(path)
        try:
            style = super().get(name)
            self._check_trunk(style)
        except (BadStyle, UnknownStyle, OSError) as error:
            self._doubt(name, version, error)
            return self._kept.get(name)
        self._doubtful.pop(name, None)
        self._told.pop(name, None)
        return style

    def _check_trunk(self, style: Style) -> None:
        if style.trunk != self.trunk.checksum:
            raise BadStyle(f"Style {style.name} was made for another trunk ({style.trunk[:12]}).")

    def _doubt(self, name: str, version: Version, error: Exception) -> None:
        if self._doubtful.get(name) != version:
            self._doubtful[name] = version
        elif self._told.get(name) != version:
            self._told[name] = version
            instead = "; the one before it goes on" if name in self._kept else ""
            _log.warning("style %s is refused: %s%s", name, " ".join(str(error).split()).rstrip("."), instead)


class Watch:
    """Refreshes a library from a thread of its own until it is closed."""

    def __init__(self, library: KeptLibrary, every: float = LOOK_EVERY) -> None:
        self._library, self._every = library, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="styles", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._library.refresh()
            except Exception:  # noqa: BLE001  the folders are looked at again in a moment
                _log.exception("the style folders could not be looked at")
