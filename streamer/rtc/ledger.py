"""Where a frame's time goes: decode, queue, style, encode, and the whole between received and sent."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamer.metrics import Metrics

STAGES = ("decode", "queue", "style", "encode", "total")
BEYOND = "beyond"  # the total without the style: what the service itself adds
_KEPT = 120  # frames that a figure is the mean of: some five seconds
_KEPT_BEYOND = 4000
_WINDOW = 2.0  # seconds that a rate is counted over


class Ledger:
    """One stream's times. Thread-safe."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        """metrics: told of every time, except those of `queue` and `style`, which the live engine tells them of."""
        self._metrics = metrics
        self._times: dict[str, deque[float]] = {stage: deque(maxlen=_KEPT) for stage in STAGES}
        self._times[BEYOND] = deque(maxlen=_KEPT_BEYOND)
        self._lock = threading.Lock()

    def note(self, stage: str, seconds: float) -> None:
        """A frame spent so long in a stage, one of STAGES."""
        with self._lock:
            self._times[stage].append(seconds)
        if self._metrics is not None and stage not in ("queue", "style", BEYOND):
            self._metrics.observe(stage, seconds)

    def times(self, stage: str) -> list[float]:
        """The last frames' seconds in a stage, oldest first."""
        with self._lock:
            return list(self._times[stage])

    def milliseconds(self) -> dict[str, float]:
        """Mean of the last frames, by stage; 0 where there were none."""
        with self._lock:
            return {
                stage: round(1000 * sum(times) / len(times), 1) if times else 0.0
                for stage, times in self._times.items()
                if stage != BEYOND
            }


class Rate:
    """Events a second, over the last two seconds. Thread-safe as far as a deque is."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=1000)
        self.total = 0

    def note(self, now: float) -> None:
        """It has happened."""
        self._at.append(now)
        self.total += 1

    def rate(self, now: float) -> float:
        """How often it happens."""
        return sum(at > now - _WINDOW for at in list(self._at)) / _WINDOW
