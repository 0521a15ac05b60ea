"""Long work behind a page: on a thread, to be looked at and stopped; it ends when its visitor leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
TICK = 0.2  # seconds between looks
PATIENCE = 20.0  # seconds for work that was asked to stop


class StopEvent(threading.Event):
    """Asks work to stop, and knows the thread that does it."""

    worker: threading.Thread | None = None


class Task(Generic[T]):
    """`work`, called on a thread with the event that asks it to stop. Use it as a context manager.

    Leaving the block asks it to stop and waits. A handler that yields inside the block is closed by Gradio when its
    visitor leaves, so nothing goes on for nobody.
    """

    def __init__(self, work: Callable[[threading.Event], T], stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="task", daemon=True)

    def __enter__(self) -> Self:
        if isinstance(self.stop, StopEvent):
            self.stop.worker = self._thread
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self._thread.join(PATIENCE)

    def ticks(self, every: float = TICK) -> Iterator[None]:
        """Come back every so many seconds until the work is done, at once then."""
        while self._thread.is_alive():
            self._thread.join(every)
            if self._thread.is_alive():
                yield

    def result(self) -> T:
        """What the work returned, waited for. Raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._work(self.stop))
        except BaseException as error:  # noqa: BLE001  it is raised again where the result is asked for
            self._error = error


class Stops:
    """The stop events of what is under way, by visitor and by what it is: what a page's Stop button sets."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], StopEvent] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: str | None, what: str) -> threading.Event:
        """An event for new work; the visitor's work of that kind before it is asked to stop."""
        fresh = StopEvent()
        with self._lock:
            before = self._events.pop((visitor or "", what), None)
            self._events[visitor or "", what] = fresh
        if before is not None and visitor:
            before.set()
        return fresh

    def end(self, visitor: str | None, what: str, event: threading.Event) -> None:
        """The work of that event is over."""
        with self._lock:
            if self._events.get((visitor or "", what)) is event:
                del self._events[visitor or "", what]

    def stop(self, visitor: str | None, what: str | None = None) -> bool:
        """Ask a visitor's work of that kind, or all of it, to stop; returns whether there was any."""
        with self._lock:
            found = [
                event for (who, kind), event in self._events.items() if who == (visitor or "") and what in (None, kind)
            ]
        for event in found:
            event.set()
        return bool(found)

    def close(self) -> None:
        """Ask all work to stop, and wait for it: a framework that computes while Python ends would bring it down."""
        with self._lock:
            events = list(self._events.values())
        for event in events:
            event.set()
        for event in events:
            if event.worker is not None:
                event.worker.join(PATIENCE)
