"""What all tabs share: the styles, the engine once it is needed, the visitors' folder, the limits, one device queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streamer.engine import Engine
from streamer.errors import BadMedia, StreamerError
from streamer.live import LiveEngine
from streamer.shelf import KeptLibrary
from streamer.styles import THUMBNAILS, Style
from streamer.thumbnails import SAMPLE
from web.demo.limits import Limits
from web.demo.scratch import Scratch
from web.demo.task import Stops

# Of every event that works on the device: they wait in one queue, and the page shows a visitor's place in it.
ON_DEVICE: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": 1}
# Of every event that only the page itself uses: neither the list of endpoints nor a client knows it.
OF_PAGE: dict[str, Any] = {"api_visibility": "private"}
# Of those that answer at once: not queued behind the device.
AT_ONCE: dict[str, Any] = OF_PAGE | {"queue": False, "show_progress": "hidden"}


# What comes with us to be tried: drawn by `samples/`.
_HERE = Path(__file__).parent
OURS = (_HERE.parent / "live" / "sample.jpg", SAMPLE)  # a harbour, a portrait
OUR_CLIP = _HERE / "sample.mp4"
OUR_PAINTINGS = (_HERE / "mosaic.jpg", _HERE / "woodcut.jpg")


@dataclass
class Shelf:
    """Components that show which styles there are, and what fills them anew."""

    fresh: Callable[[], Any]
    shown_in: list[Any]


@dataclass
class Parts:
    """One page's parts. Whoever builds it closes it; an engine that it was lent stays open."""

    limits: Limits
    library: KeptLibrary
    scratch: Scratch
    open_engine: Callable[[], Engine]
    open_live: Callable[[Engine], LiveEngine]
    live_url: str | None = None  # of the live page, where there is one
    training: bool = False  # whether visitors may train styles
    vgg_weights: str = "imagenet"  # as `streamer train` and `streamer paint` take them
    content: tuple[Path, ...] = ()  # folders of photographs that styles are learnt from; none: the public set
    owns_engine: bool = True
    page: Any = None  # the Blocks, while its tabs are built
    tab: Any = None  # the one that is being built
    on_leave: list[Callable[[str | None], Any]] = field(default_factory=list)  # called with a visitor who has left
    stops: Stops = field(default_factory=Stops)
    shelves: list[Shelf] = field(default_factory=list)
    # Called when all tabs are there, with what fills the lists of styles anew after an event.
    when_built: list[Callable[[Callable[[Any], None]], None]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _engine: Engine | None = None
    _live: LiveEngine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def engine(self) -> Engine:
        """The engine, opened when it is first asked for. Raises BadStyle or MissingDependency."""
        with self._lock:
            if self._engine is None:
                self._engine = self.open_engine()
            return self._engine

    @property
    def live(self) -> LiveEngine:
        """The live engine on it, opened when it is first asked for."""
        with self._lock:
            if self._live is None:
                self._live = self.open_live(self.engine)
            return self._live

    def styles(self) -> list[Style]:
        """All styles that can be used, by name."""
        return [self.library.get(name) for name in self.library.names()]

    def default_style(self) -> str:
        """The style that a visitor finds chosen. Raises StreamerError where there is none at all."""
        names = self.library.names()
        if not names:
            raise StreamerError("There are no styles: the library is empty.")
        return "mosaic" if "mosaic" in names else names[0]

    def thumbnail(self, style: Style) -> Path:
        """A small picture of a style; that of the sample without any where a style has none."""
        found = [folder / THUMBNAILS / f"{style.name}.jpg" for folder in reversed(self.library.folders)]
        return self.scratch.keep_copy(next((path for path in found if path.is_file()), SAMPLE))

    def uploaded(self, path: str | None, what: str = "picture") -> Path:
        """A visitor's file. Raises BadMedia when there is none, or when it is none of the page's own."""
        if not path:
            raise BadMedia(f"There is no {what} yet: choose one first.")
        file = Path(path)
        if not self.scratch.has(file) or not file.is_file():
            raise BadMedia(f"The {what} is no longer here: choose it again.")
        return file

    def close(self) -> None:
        """End what is under way, and the engines that were opened, unless they were lent."""
        self.stops.close()
        with self._lock:
            live, engine = self._live, self._engine
            self._live = self._engine = None
        if self.owns_engine:
            for each in (live, engine):
                if each is not None:
                    each.close()
