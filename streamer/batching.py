"""Which frames make the next batch: a policy that is told the time, never waits and owns no thread.

Every session has one place, and the newest frame in it wins. A batch starts when the device is free: it is led by the
session that has gone unserved the longest and filled with others of the same size, again the longest unserved first.
So no session waits for more than one turn of each of the others, whatever the sizes. A batch also has a deadline: no
more frames than the device is expected to finish within `longest`, because everybody waits for the last of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Size = tuple[int, int]  # height, width in pixels
Key = TypeVar("Key", bound=Hashable)

LONGEST_BATCH = 0.05  # seconds; a frame interval at 20 frames a second


@dataclass
class _Place:
    """One session's: when it was last served, and the size of the frame that waits in it, if one does."""

    served: float
    size: Size | None = None


class Batcher(Generic[Key]):
    """One place a session; times are seconds on any one clock."""

    def __init__(self, limit: int, longest: float = LONGEST_BATCH) -> None:
        """limit: most frames in a batch. longest: seconds that a batch of more than one frame should last at most."""
        self._limit = limit
        self._longest = longest
        self._places: dict[Key, _Place] = {}

    def join(self, key: Key, now: float) -> None:
        """Give a session its place, behind everybody who waits."""
        self._places[key] = _Place(now)

    def leave(self, key: Key) -> bool:
        """Take a session's place away; returns whether a frame waited in it."""
        place = self._places.pop(key, None)
        return place is not None and place.size is not None

    def put(self, key: Key, size: Size) -> bool:
        """A frame of this size waits from now on; returns whether it replaces one. Raises KeyError for a stranger."""
        place = self._places[key]
        replaced, place.size = place.size is not None, size
        return replaced

    @property
    def waiting(self) -> int:
        """Frames that wait, at most one a session."""
        return sum(place.size is not None for place in self._places.values())

    def take(self, now: float, seconds_a_frame: Callable[[Size], float] = lambda size: 0.0) -> list[Key]:
        """The sessions whose frames make the batch that starts now, all of one size; empty when none waits.

        seconds_a_frame: what the device is expected to need for a frame of a size; 0 for unknown.
        """
        waiting = [(place.served, key, place.size) for key, place in self._places.items() if place.size]
        if not waiting:
            return []
        waiting.sort(key=lambda item: item[0])
        size = waiting[0][2]
        chosen = [key for _, key, other in waiting if other == size][: self._fitting(seconds_a_frame(size))]
        for key in chosen:
            self._places[key] = _Place(now)
        return chosen

    def _fitting(self, seconds: float) -> int:
        return self._limit if seconds <= 0 else max(1, min(self._limit, int(self._longest / seconds)))
