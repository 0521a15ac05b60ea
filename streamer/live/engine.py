"""The live engine: batches of many sessions' frames on the engine's device thread, newest first, in step with time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from streamer.batching import Batcher
from streamer.engine import Engine
from streamer.errors import Overloaded
from streamer.live.frames import Ready, StyledFrame, Turn, View, side_by_side
from streamer.live.session import LiveSession
from streamer.pacing import Capacity, Costs, Demand, Meter, Pacer, Size, capacity, levels_of, work_size
from streamer.runtime import Runtime
from streamer.settings import LiveOptions, Look, cores

if TYPE_CHECKING:
    from streamer.metrics import Metrics

log = logging.getLogger(__name__)
PACE_EVERY = 0.25  # seconds between looks at the load
RETRY_AFTER = 5.0  # seconds; what somebody who finds no room is asked to wait
CLOSE_WITHIN = 5.0  # seconds
DEFAULT_SIZES: tuple[Size, ...] = ((360, 640),)
UNMEASURED = 10_000  # sessions; before the machine was measured, only `max_sessions` limits them


class LiveEngine:
    """Styles the frames of many sessions on one engine. Close it before the engine, or use it as a context manager.

    It has no thread of its own: a turn on the device thread takes whatever frames wait, styles them and queues the
    next turn behind whatever else the device was asked for meanwhile.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        options: LiveOptions | None = None,
    ) -> None:
        """clock: seconds."""
        self.clock = clock
        self.metrics = metrics
        self.capacity: Capacity | None = None  # until `warm_up` has measured it
        self._engine = engine
        self._options = options or LiveOptions()
        self._lock = threading.Condition()
        self._sessions: dict[LiveSession, Ready | None] = {}
        self._batcher: Batcher[LiveSession] = Batcher(engine.batch_size)
        self._costs = Costs()
        self._pacer: Pacer[LiveSession] = Pacer(self._costs, self._options.lowest_scale)
        self._arrived, self._shed = Meter(1.0), Meter(1.0)
        self._paced = clock()
        self._turning = False
        self._batch_began: float | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What people do with it.

    def warm_up(self, sizes: Sequence[Size] = DEFAULT_SIZES) -> None:
        """Run every size (height, width), lowered ones included, once; sets `capacity`, which is that of the first."""
        lowest = self._options.lowest_scale
        for size in reversed(sizes):  # what is wanted first comes last: a runtime keeps what it has used lately
            for level in reversed(levels_of(size, lowest)):
                smaller = work_size(size, level)
                seconds = self._engine.seconds_a_frame(smaller, self.clock)
                with self._lock:
                    self._costs.note(smaller, seconds, self.clock())
        now = self.clock()
        self.capacity = capacity(
            self._costs.estimate(sizes[0], now),
            self._costs.estimate(work_size(sizes[0], levels_of(sizes[0], lowest)[-1]), now),
            session_fps=self._options.session_fps,
            cores=cores(),
            shares_cores=self._engine.batch_size == 1,
        )
        self._tell_sessions()

    def open(self, look: Look, *, on_frame: Callable[[StyledFrame], None]) -> LiveSession:
        """A new session; `on_frame` is called on a thread of the session's and should return soon.

        Raises Overloaded when there is no room, UnknownStyle, BadStyle or BadOption for the look.
        """
        session = LiveSession(self, look, on_frame)
        with self._lock:
            admitted = not self._closed and len(self._sessions) < self.most_sessions
            if admitted:
                self._sessions[session] = None
                self._batcher.join(session, self.clock())
        if not admitted:
            session.close()
            raise self._overloaded()
        self._tell_sessions()
        return session

    @property
    def sessions(self) -> int:
        """How many there are."""
        return len(self._sessions)

    @property
    def most_sessions(self) -> int:
        """How many are admitted."""
        if self._options.max_sessions is not None:
            return self._options.max_sessions
        return self.capacity.sessions if self.capacity else UNMEASURED

    @property
    def waiting(self) -> int:
        """Frames that wait for the device, at most one a session."""
        with self._lock:
            return self._batcher.waiting

    @property
    def busy_seconds(self) -> float:
        """How long the batch on the device has been running; 0 between batches. Many seconds mean that it is stuck."""
        began = self._batch_began
        return 0.0 if began is None else max(0.0, self.clock() - began)

    def close(self, within: float = CLOSE_WITHIN) -> None:
        """End all sessions and wait for what is under way, so many seconds at most."""
        deadline = time.monotonic() + within
        with self._lock:
            self._closed = True
            sessions = list(self._sessions)
        for session in sessions:
            session.close()
        with self._lock:
            idle = self._lock.wait_for(lambda: not self._turning, within)
        stuck = [each for each in sessions if not each.join(max(0.0, deadline - time.monotonic()))]
        if stuck or not idle:
            log.warning("Live styling ended; %d sessions and %d batches did not in time.", len(stuck), not idle)

    # What sessions ask for.

    @property
    def statistics_size(self) -> int:
        """How many numbers the network needs to remember a stream."""
        return self._engine.library.trunk.config.statistics_size

    def view(self, look: Look) -> View:
        """A look and its modulation. Raises UnknownStyle, BadStyle or BadOption."""
        return View(look, self._engine.library.resolve(look.style, look.strength))

    def scale(self, session: LiveSession) -> float:
        """The share of its sides that the session's frames are to be styled at."""
        with self._lock:
            return self._pacer.level(session)

    def submit(self, session: LiveSession, ready: Ready) -> bool:
        """Have a frame wait for the device; returns whether it replaces one."""
        now = self.clock()
        with self._lock:
            if session not in self._sessions:
                return False
            missed = self._sessions[session]
            self._sessions[session] = ready.after(missed) if missed else ready
            self._batcher.put(session, ready.size)
            self._arrived.note(now)
            if missed:
                self._shed.note(now)
            start, self._turning = not self._turning, True
        if start:
            self._queue_turn()
        return missed is not None

    def leave(self, session: LiveSession) -> None:
        """The session has ended."""
        with self._lock:
            self._sessions.pop(session, None)
            self._batcher.leave(session)
            self._pacer.forget(session)
        self._tell_sessions()

    # Turns, one batch each, on the device thread.

    def _queue_turn(self) -> None:
        try:
            self._engine.on_device(self._turn)
        except RuntimeError:  # the engine was closed first
            with self._lock:
                self._turning = False
                self._lock.notify_all()

    def _turn(self, runtime: Runtime) -> None:
        """Style one batch, if any frame waits, and queue the next turn."""
        taken = self._take()
        if not taken:
            return
        try:
            self._serve(runtime, [(session, session.begin(ready)) for session, ready in taken])
            self._pace()
        except Exception:
            log.exception("A turn of live styling failed.")
        finally:
            self._batch_began = None
            self._queue_turn()

    def _take(self) -> list[tuple[LiveSession, Ready]]:
        """The frames of the next batch; without any, turns end until a frame comes."""
        with self._lock:
            now = self.clock()
            keys = [] if self._closed else self._batcher.take(now, lambda size: self._costs.estimate(size, now))
            taken = [(session, ready) for session in keys if (ready := self._sessions[session])]
            self._sessions.update(dict.fromkeys(keys))
            if not taken:
                self._turning = False
                self._lock.notify_all()
            return taken

    def _serve(self, runtime: Runtime, turns: Sequence[tuple[LiveSession, Turn]]) -> None:
        """Style a batch; if that fails, each frame alone, so that a bad one takes no other with it."""
        self._batch_began = began = self.clock()
        try:
            styled = runtime.run(side_by_side([turn for _, turn in turns]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            if len(turns) == 1:
                turns[0][0].fail(error)
                return
            for each in turns:
                self._serve(runtime, [each])
            return
        took = self.clock() - began
        with self._lock:
            self._costs.note(turns[0][1].ready.size, took / len(turns), began + took)
        for (session, turn), frame, used in zip(turns, styled.frames, styled.used, strict=True):
            session.end(turn.done(frame, began), used)
        if self.metrics:
            self.metrics.batch_size.observe(len(turns))
            self.metrics.device_seconds.inc(took)

    def _pace(self) -> None:
        """Look at the load now and then."""
        now = self.clock()
        if now - self._paced < PACE_EVERY:
            return
        self._paced = now
        with self._lock:
            demands = [Demand(session, *session.demand(now)) for session in self._sessions]
            shed = self._shed.count(now) / max(1, self._arrived.count(now))
            self._pacer.decide([each for each in demands if each.rate], shed, now)
            lowered = sum(self._pacer.level(session) < 1 for session in self._sessions)
        if self.metrics:
            self.metrics.lowered.set(lowered)

    # What is told.

    def _overloaded(self) -> Overloaded:
        if self._closed:
            return Overloaded("The service is closing.", RETRY_AFTER)
        if self.metrics:
            self.metrics.refused.inc()
        count = self.most_sessions
        return Overloaded(
            f"This machine keeps up with {count} session{'s' * (count > 1)} at once, and as many are being served; "
            f"try again in {RETRY_AFTER:g} seconds.",
            RETRY_AFTER,
        )

    def _tell_sessions(self) -> None:
        if self.metrics:
            self.metrics.sessions.set(len(self._sessions))
            self.metrics.capacity.set(self.most_sessions)
