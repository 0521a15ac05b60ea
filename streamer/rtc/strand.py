"""One stream's work on a pool that all streams share: in order, one piece at a time, never more than a few waiting."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

log = logging.getLogger(__name__)
Work = Callable[[], None]


class Strand:
    """Runs what it is given on `pool`, one after another. bound: how much may wait. Thread-safe."""

    def __init__(self, pool: Executor, bound: int) -> None:
        self._pool = pool
        self._bound = bound
        self._waiting: deque[Work] = deque()
        self._lock = threading.Lock()
        self._is_running = False
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: Work) -> bool:
        """Queue work; False when too much is waiting already, or after `close`."""
        with self._lock:
            if self._is_closed or len(self._waiting) >= self._bound:
                return False
            self._waiting.append(work)
            if self._is_running:
                return True
            self._is_running = True
        return self._submit()

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._waiting.clear()

    def close(self) -> None:
        """Forget what waits and take nothing more. What is running at this moment runs to its end."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()

    def _submit(self) -> bool:
        try:
            self._pool.submit(self._run_one)
        except RuntimeError:  # the pool is shut down
            self.close()
            return False
        return True

    def _run_one(self) -> None:
        """One piece a turn, so that streams take turns on the pool."""
        with self._lock:
            work = self._waiting.popleft() if self._waiting else None
        if work is not None:
            try:
                work()
            except Exception:
                log.exception("a piece of a stream's work failed; the stream goes on")
        with self._lock:
            if not self._waiting:
                self._is_running = False
                return
        self._submit()
