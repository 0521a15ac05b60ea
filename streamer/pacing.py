"""How a service keeps pace: frames at a smaller working size under load, and no more sessions than it can serve.

Pure: everything here is told the time (seconds on any one clock), never waits and owns no thread.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Size = tuple[int, int]  # height, width in pixels
Key = TypeVar("Key", bound=Hashable)

# Shares of a frame's sides that a style may run at. Few, because a runtime keeps an interpreter for each size.
LEVELS = (1.0, 0.75, 0.5, 1 / 3)
GRID = 8  # pixels; work sizes are multiples of it, so that frames of about one size meet in one batch
SHORTEST_SIDE = 96  # pixels; no frame is brought below it: there a style is no longer itself

OVERLOAD_SHED = 0.05  # share of frames that newer ones replaced while they waited for the device
OVERLOAD_BUSY = 0.7  # of the device's time; below it, frames are replaced because they come in bursts
TARGET_BUSY = 0.75  # what lowering aims at, and what raising must stay within
CALM_SHED = 0.01
LOWER_AFTER = 0.5  # seconds of overload
RAISE_AFTER = 3.0  # seconds of calm; doubled, up to the next, when raising turned out to be too early
RAISE_AFTER_MOST = 60.0
TOO_EARLY = 10.0  # seconds; overload this soon after a raise was caused by it

SAMPLES = 9  # of the device's time for a size; their median does not mind the first, which allocates
SIZES_KEPT = 32  # clients choose sizes; only so many are remembered
FRESH = 10.0  # seconds; older measurements count only where there is nothing newer

OUTSIDE_CORE_SECONDS = 0.008  # what a 640x360 frame costs besides: VP8 both ways and RGB (4 ms), packets, threads
BUSY_DEVICE = 0.9  # share of a device that is its own, such as a GPU, to promise away


def work_size(size: Size, scale: float) -> Size:
    """What a frame of `size` is styled at: its sides times `scale`, on the grid; never larger, never tiny."""
    if scale >= 1 or min(size) * scale < min(SHORTEST_SIDE, *size):
        return size
    height, width = (max(GRID, round(side * scale / GRID) * GRID) for side in size)
    return min(height, size[0]), min(width, size[1])


def levels_of(size: Size, lowest: float) -> list[float]:
    """The levels that a frame of this size can have, from 1 down to `lowest`."""
    return [level for level in LEVELS if level == 1.0 or (level >= lowest - 1e-6 and work_size(size, level) != size)]


class Costs:
    """Device seconds a frame, by size, as they were measured."""

    def __init__(self) -> None:
        self._known: dict[Size, deque[tuple[float, float]]] = {}

    def note(self, size: Size, seconds: float, now: float) -> None:
        """A frame of this size took so long."""
        samples = self._known.pop(size, None) or deque(maxlen=SAMPLES)
        samples.append((now, seconds))
        self._known[size] = samples  # the last used at the end
        if len(self._known) > SIZES_KEPT:
            del self._known[next(iter(self._known))]

    def estimate(self, size: Size, now: float) -> float:
        """Seconds for a frame of a size: measured lately, else reckoned by area from the nearest size that was."""
        recent = {each: kept for each, kept in self._known.items() if kept[-1][0] >= now - FRESH}
        known = recent or self._known
        if not known:
            return 0.0
        pixels = size[0] * size[1]
        nearest = min(known, key=lambda each: (abs(math.log(each[0] * each[1] / pixels)), each))
        seconds = statistics.median(seconds for _, seconds in known[nearest])
        return seconds * pixels / (nearest[0] * nearest[1])


@dataclass(frozen=True)
class Demand(Generic[Key]):
    """What a session asks for: frames of a size (before any lowering), so many a second."""

    key: Key
    size: Size
    rate: float


class Pacer(Generic[Key]):
    """Each session's level. Lowers under load whoever costs the most; when it is calm raises whoever is the lowest."""

    def __init__(self, costs: Costs, lowest: float = LEVELS[-1]) -> None:
        self._costs = costs
        self._lowest = lowest
        self._levels: dict[Key, float] = {}
        self._since: dict[str, float] = {}  # since when it has been overload, or calm
        self._raise_after = RAISE_AFTER
        self._raised: float | None = None

    def level(self, key: Key) -> float:
        """The share of a frame's sides that this session is styled at now."""
        return self._levels.get(key, 1.0)

    def forget(self, key: Key) -> None:
        """The session has gone."""
        self._levels.pop(key, None)

    def decide(self, demands: Sequence[Demand[Key]], shed: float, now: float) -> None:
        """Look at the load, and change levels if it has been too high, or low enough, for long enough.

        shed: share of the last second's frames that were replaced while they waited for the device, 0 to 1.
        """
        busy = self.busy(demands, now)
        if self._lasts("overload", shed >= OVERLOAD_SHED and busy >= OVERLOAD_BUSY, LOWER_AFTER, now):
            self._lower(demands, now)
        raised = self._cheapest_raise(demands, now)
        fits = raised is not None and shed <= CALM_SHED and busy + raised[2] <= TARGET_BUSY
        if self._lasts("calm", fits, self._raise_after, now) and raised is not None:
            self._levels[raised[0]] = raised[1]
            self._raised = now

    def busy(self, demands: Sequence[Demand[Key]], now: float) -> float:
        """The share of its time that the device needs for these demands at their levels; above 1 it cannot do it."""
        return sum(self._load(each, self.level(each.key), now) for each in demands)

    def _load(self, demand: Demand[Key], level: float, now: float) -> float:
        return demand.rate * self._costs.estimate(work_size(demand.size, level), now)

    def _lasts(self, what: str, holds: bool, seconds: float, now: float) -> bool:
        """Whether something holds and has held for so long; it then has to last anew."""
        if not holds:
            self._since.pop(what, None)
            return False
        if now - self._since.setdefault(what, now) < seconds:
            return False
        del self._since[what]
        return True

    def _lower(self, demands: Sequence[Demand[Key]], now: float) -> None:
        """At least one step, and as many as the aim takes."""
        if self._raised is not None and now - self._raised < TOO_EARLY:
            self._raise_after = min(2 * self._raise_after, RAISE_AFTER_MOST)
        else:
            self._raise_after = RAISE_AFTER
        self._raised = None
        while step := self._dearest(demands, now):
            self._levels[step[0]] = step[1]
            if self.busy(demands, now) <= TARGET_BUSY:
                return

    def _dearest(self, demands: Sequence[Demand[Key]], now: float) -> tuple[Key, float] | None:
        """The session that costs the most of those that can go lower, and its next level."""
        steps = [(self._load(each, self.level(each.key), now), each.key, self._next(each, -1)) for each in demands]
        able = [(load, key, level) for load, key, level in steps if level is not None]
        if not able:
            return None
        _, key, level = max(able, key=lambda step: step[0])
        return key, level

    def _cheapest_raise(self, demands: Sequence[Demand[Key]], now: float) -> tuple[Key, float, float] | None:
        """Of the sessions at the lowest level the one to raise, its next level, and the load that this adds."""
        steps = []
        for each in demands:
            if (level := self._next(each, +1)) is not None:
                more = self._load(each, level, now) - self._load(each, self.level(each.key), now)
                steps.append((each.key, level, more))
        return min(steps, key=lambda step: (step[1], step[2])) if steps else None

    def _next(self, demand: Demand[Key], direction: int) -> float | None:
        """The level one below (-1) or above (+1) a session's, if there is one."""
        levels, current = levels_of(demand.size, self._lowest), self.level(demand.key)
        if direction < 0:
            return max((level for level in levels if level < current), default=None)
        return min((level for level in levels if level > current), default=None)


@dataclass(frozen=True)
class Capacity:
    """What a machine was measured to do. Frames a second are those of the device alone."""

    frames_per_second: float  # at the size that was measured
    lowest_frames_per_second: float  # at the lowest working size
    sessions: int  # to take on


def capacity(full: float, lowest: float, *, session_fps: float, cores: int, shares_cores: bool) -> Capacity:
    """What can be promised. full, lowest: device seconds a frame, at full and at the lowest working size.

    cores: of the machine; decoding and encoding need them too. shares_cores: the device *is* these cores, so that a
    second of it is a second of them all.
    """
    if shares_cores:
        sessions = cores / (session_fps * (cores * lowest + OUTSIDE_CORE_SECONDS))
    else:
        sessions = min(BUSY_DEVICE / (session_fps * max(lowest, 1e-9)), cores / (session_fps * OUTSIDE_CORE_SECONDS))
    return Capacity(1 / max(full, 1e-9), 1 / max(lowest, 1e-9), max(1, int(sessions)))


class Meter:
    """How often something happens: events a second over the last `window` seconds."""

    def __init__(self, window: float = 2.0) -> None:
        self._window = window
        self._times: deque[float] = deque(maxlen=1024)

    def note(self, now: float) -> None:
        """It happened."""
        self._times.append(now)

    def count(self, now: float) -> int:
        """How often it happened in the window."""
        while self._times and self._times[0] <= now - self._window:
            self._times.popleft()
        return len(self._times)

    def rate(self, now: float) -> float:
        """Times a second; from the first time on, so that a new one is not underrated."""
        count = self.count(now)
        if count < 2:
            return 0.0
        return (count - 1) / max(now - self._times[0], 1e-3)
