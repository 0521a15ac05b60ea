"""Whether the service is alive, and whether it takes new sessions. Pure but for the heartbeat that feeds it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future

BEAT = 0.5  # seconds


class Health:
    """Watches the event loop and the device by the time of their last sign of life.

    loop_limit: seconds that the event loop may be late. device_limit: seconds that the device may take for what it was
    asked before it is called stuck; a GPU that compiles for a new size takes some.
    """

    def __init__(
        self, loop_limit: float = 5.0, device_limit: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._loop_limit, self._device_limit, self._clock = loop_limit, device_limit, clock
        self._last_beat = clock()
        self._latest_delay = 0.0
        self._asked_since: float | None = None
        self.is_warm = False  # the machine has been measured
        self.is_draining = False  # on the way down

    def beat(self) -> None:
        """The event loop has come round."""
        now = self._clock()
        self._latest_delay = now - self._last_beat
        self._last_beat = now

    def asked(self) -> None:
        """The device was given something to do."""
        if self._asked_since is None:
            self._asked_since = self._clock()

    def answered(self) -> None:
        """The device has done it."""
        self._asked_since = None

    def trouble(self) -> str | None:
        """Why the process should be started anew, or None."""
        now = self._clock()
        late = max(now - self._last_beat, self._latest_delay)
        if late > self._loop_limit:
            return f"The event loop was stuck for {late:.1f} s."
        if self._asked_since is not None and now - self._asked_since > self._device_limit:
            return f"The device has been stuck for {now - self._asked_since:.0f} s."
        return None

    def unready(self) -> str | None:
        """Why new sessions should go elsewhere, or None."""
        if self.is_draining:
            return "The service is shutting down."
        if not self.is_warm:
            return "The service is warming up."
        return self.trouble()


async def keep_beating(health: Health, ask_device: Callable[[], Future[object]]) -> None:
    """Feed a Health until cancelled: one empty request at a time waits for the device, behind its work."""
    pending: Future[object] | None = None
    while True:
        if pending is not None and pending.done():
            health.answered()
            pending = None
        if pending is None:
            pending = ask_device()
            health.asked()
        await asyncio.sleep(BEAT)
        health.beat()
