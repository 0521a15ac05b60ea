"""A bounded queue between two threads that either end can stop."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Stopped(Exception):
    """The queue was stopped; whoever meets it on the way out should leave too."""


class Channel(Generic[Item]):
    """First in, first out, and never more in it than `limit`, by weight; one writer, one reader."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._items: deque[tuple[Item, float]] = deque()
        self._weight = 0.0
        self._ended = False
        self._stopped = False
        self._changed = threading.Condition()

    def put(self, item: Item, weight: float = 1.0, timeout: float | None = None) -> bool:
        """Append, waiting for room; False if there was none in `timeout` seconds. Raises Stopped."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, timeout):
                return False
            self._check()
            self._items.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            return True

    def get(self, timeout: float | None = None) -> Item | None:
        """The next item, waiting for one; None at the end, or if none came in `timeout` seconds. Raises Stopped."""
        with self._changed:
            self._changed.wait_for(self._has_news, timeout)
            self._check()
            if not self._items:
                return None
            item, weight = self._items.popleft()
            self._weight -= weight
            self._changed.notify_all()
            return item

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left and nothing will come."""
        with self._changed:
            return self._ended and not self._items

    def end(self) -> None:
        """Say that nothing more will be put."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Let go of everything: both ends raise Stopped from now on."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._stopped or not self._items or self._weight < self._limit

    def _has_news(self) -> bool:
        return self._stopped or self._ended or bool(self._items)

    def _check(self) -> None:
        if self._stopped:
            raise Stopped
