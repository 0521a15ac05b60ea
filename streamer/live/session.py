"""One live session: frames are offered, prepared, styled in a batch with others', finished and handed back.

Preparing (a cut? a smaller size? less noise), finishing (detail and colours given back) and the hand-over happen on a
thread of the session's own, so neither the device nor anybody else waits for them; a consumer that blocks stalls
itself alone.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from streamer import postprocess
from streamer.denoise import TemporalDenoiser
from streamer.engine import Frame, StreamState
from streamer.geometry import lowered_size
from streamer.live.frames import (
    Done,
    Float32,
    Offered,
    Ready,
    SessionFigures,
    StyledFrame,
    Turn,
    View,
    is_frame,
)
from streamer.pacing import Meter, Size, work_size
from streamer.scenes import CutDetector
from streamer.settings import Look

if TYPE_CHECKING:
    from streamer.metrics import Metrics

log = logging.getLogger(__name__)
UNFINISHED = 2  # frames that may wait for a consumer who is late for a moment; then the newest win
SMOOTHED = 0.1  # what a frame's own latency weighs in the figures


class Desk(Protocol):
    """What a session needs of the engine behind it. Everything may be called from any thread."""

    metrics: Metrics | None

    @property
    def statistics_size(self) -> int:
        """How many numbers the network needs to remember a stream."""
        ...

    def clock(self) -> float:
        """Seconds."""
        ...

    def view(self, look: Look) -> View:
        """Look a look up. Raises UnknownStyle, BadStyle or BadOption."""
        ...

    def scale(self, session: LiveSession) -> float:
        """The share of its sides that the session's frames are to be styled at."""
        ...

    def submit(self, session: LiveSession, ready: Ready) -> bool:
        """Have a frame wait for the device; returns whether it replaces one."""
        ...

    def leave(self, session: LiveSession) -> None:
        """The session has ended."""
        ...


class LiveSession:
    """Offer frames from any thread; styled ones come to `on_frame` on the session's thread. Close it.

    Statistics travel from frame to frame as in a file: dropped frames only make the time between two longer, a new
    look goes on from where the old one was, a cut starts anew.
    """

    def __init__(self, desk: Desk, look: Look, on_frame: Callable[[StyledFrame], None]) -> None:
        """Raises UnknownStyle, BadStyle or BadOption for a look that there is not."""
        self._desk = desk
        self._view = desk.view(look)
        self._on_frame = on_frame
        self._cuts = CutDetector()
        self._denoiser = TemporalDenoiser()
        self._cut_pending = False
        self._state = StreamState(np.zeros(desk.statistics_size, np.float32))  # the device thread's alone
        self._changed = threading.Condition()
        self._offered: Offered | None = None
        self._done: deque[Done] = deque()
        self._closed = False
        self._arrivals, self._returns = Meter(), Meter()
        self._dropped, self._failures = 0, 0
        self._queued = self._styled = 0.0
        self._frame: Size = (0, 0)
        self._asked: Size = (0, 0)
        self._worked: Size = (0, 0)
        self._thread = threading.Thread(target=self._work, name="session", daemon=True)
        self._thread.start()

    # What people do with it.

    @property
    def look(self) -> Look:
        """How its frames are styled."""
        return self._view.look

    @property
    def work_scale(self) -> float:
        """The share of its sides that its frames are styled at, below 1 when the service has to keep pace."""
        return self._desk.scale(self)

    def offer(self, frame: Frame, time: float, tag: Any = None) -> bool:
        """A frame (H, W, 3) shown at `time` in seconds, not to be written to any more; `tag` comes back with it.

        Never blocks. It replaces one that still waits. Returns False when the session is closed or this is no frame.
        """
        now = self._desk.clock()
        sound = is_frame(frame)
        with self._changed:
            if self._closed:
                return False
            self._arrivals.note(now)
            replaced, self._offered = self._offered, Offered(frame, time, tag, now) if sound else self._offered
            self._changed.notify()
        if self._desk.metrics:
            self._desk.metrics.frames_in.inc()
        if not sound:
            self._drop("refused")
        elif replaced is not None:
            self._drop("replaced")
        return sound

    def change(self, look: Look) -> None:
        """Style frames so from the next on. Raises UnknownStyle, BadStyle or BadOption, and the old look stays."""
        self._view = self._desk.view(look)

    def figures(self) -> SessionFigures:
        """How it is doing."""
        now = self._desk.clock()
        with self._changed:
            return SessionFigures(
                fps_in=round(self._arrivals.rate(now), 1),
                fps_out=round(self._returns.rate(now), 1),
                dropped=self._dropped,
                queue_ms=round(1000 * self._queued, 1),
                style_ms=round(1000 * self._styled, 1),
                frame=(self._frame[1], self._frame[0]),
                work=(self._worked[1], self._worked[0]),
                lowered=self._worked != self._asked,
            )

    def close(self) -> None:
        """End it at once. A frame that is just being handed over may still come."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._offered = None
            self._done.clear()
            self._changed.notify()
        self._desk.leave(self)

    def join(self, timeout: float) -> bool:
        """Wait until its thread has ended; returns whether it has. At once when called by that thread itself."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # What the engine does with it.

    def demand(self, now: float) -> tuple[Size, float]:
        """The size that its look asks for, and frames a second that are offered."""
        with self._changed:
            return self._asked, self._arrivals.rate(now)

    def begin(self, ready: Ready) -> Turn:
        """On the device thread, when a frame's turn has come."""
        keep = self._state.carry(ready.offered.time, cut=ready.cut)
        return Turn(ready, self._view, self._state.used, keep)

    def end(self, done: Done, used: Float32) -> None:
        """On the device thread: what became of the frame, and the statistics it used."""
        self._state.used = used
        with self._changed:
            if self._closed:
                return
            self._done.append(done)
            missed = self._done.popleft() if len(self._done) > UNFINISHED else None
            self._changed.notify()
        if missed:  # the consumer is slower than the device
            self._drop("replaced")

    def fail(self, error: BaseException) -> None:
        """A frame could not be styled. Told once a session: what fails once tends to fail at every frame."""
        self._failures += 1
        if self._failures == 1:
            log.error("A live session lost a frame; later losses are only counted.", exc_info=error)
        self._drop("failed")

    # Its own thread.

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                if isinstance(task, Done):
                    self._finish(task)
                else:
                    self._prepare(task)
            except Exception as error:  # noqa: BLE001 - a frame, or a consumer, of any kind of badness costs itself only
                self.fail(error)

    def _next(self) -> Offered | Done | None:
        """What is to be done next, waiting for it; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._done or self._offered)
            if self._closed:
                return None
            if self._done:
                return self._done.popleft()
            offered, self._offered = self._offered, None
            return offered

    def _prepare(self, offered: Offered) -> None:
        look, frame = self._view.look, offered.frame
        height, width = frame.shape[:2]
        wide, high = lowered_size(look.work_size, width, height)
        asked = (high, wide)
        size = asked if look.strength == 0 else work_size(asked, self._desk.scale(self))
        with self._changed:
            self._frame, self._asked, self._worked = (height, width), asked, size
        small = postprocess.shrink(frame, (size[1], size[0]))
        cut = self._cuts.is_cut(small) or self._cut_pending
        self._cut_pending = cut and look.strength == 0
        if look.strength == 0:
            self._hand_over(offered, frame, self._desk.clock(), size)
            return
        quiet = self._denoiser(small, cut=cut)
        if self._desk.submit(self, Ready(offered, quiet, cut)):
            self._drop("replaced")

    def _finish(self, done: Done) -> None:
        frame, keep = done.ready.offered.frame, done.look.preserve_color
        styled = postprocess.finish(done.styled, done.ready.small, frame, preserve=keep)
        self._hand_over(done.ready.offered, styled, done.began, done.ready.size)

    def _hand_over(self, offered: Offered, frame: Frame, began: float, size: Size) -> None:
        now = self._desk.clock()
        queued, styled = began - offered.at, now - began
        with self._changed:
            if self._closed:
                return
            weight = SMOOTHED if self._returns.rate(now) else 1.0
            self._returns.note(now)
            self._queued += weight * (queued - self._queued)
            self._styled += weight * (styled - self._styled)
        if self._desk.metrics:
            self._desk.metrics.frames_out.inc()
            self._desk.metrics.observe("queue", queued)
            self._desk.metrics.observe("style", styled)
        self._on_frame(StyledFrame(frame, offered.tag, queued, styled, size))

    def _drop(self, reason: str) -> None:
        with self._changed:
            self._dropped += 1
        if self._desk.metrics:
            self._desk.metrics.drop(reason)
