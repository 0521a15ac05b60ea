"""How far a painting is, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Timing:
    """Counts steps over all sizes, each as dear as its pixels.

    The first step of a size builds its graph, so only the ones after it say how fast steps are.
    """

    def __init__(self, sizes: Sequence[tuple[int, float]], clock: Callable[[], float]) -> None:
        """sizes: for each size its number of steps, and what a step costs beside the others."""
        self._sizes, self._clock = sizes, clock
        self._whole = sum(steps * cost for steps, cost in sizes)
        self._began = clock()
        self._done = 0.0  # of the whole
        self._first: float | None = None  # when the present size had made its first step
        self._rate: float | None = None  # seconds for a cost of 1

    def begin(self, level: int) -> None:
        """A size begins; those before it are done, though they may have needed fewer steps."""
        self._first = None
        self._done = sum(steps * cost for steps, cost in self._sizes[:level])

    def note(self, level: int, step: int) -> None:
        """A step was made, the `step`th of this size."""
        now, cost = self._clock(), self._sizes[level][1]
        self._done += cost
        if self._first is None:
            self._first = now
        else:
            self._rate = (now - self._first) / (step - 1) / cost

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self._done / self._whole)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    @property
    def left(self) -> float | None:
        """Seconds that are left at the present rate; None while there is none."""
        return None if self._rate is None else max(0.0, self._whole - self._done) * self._rate
