"""Live sessions on real engines: who gets which frame back, and what is remembered in between."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from streamer.engine import SMOOTHING_SECONDS, Engine, stream_batch
from streamer.errors import Overloaded, UnknownStyle
from streamer.keras_runtime import KerasRuntime
from streamer.live import LiveEngine, LiveSession, StyledFrame
from streamer.metrics import Metrics
from streamer.pacing import Capacity
from streamer.runtime import Batch, PassthroughRuntime, Styled
from streamer.settings import LiveOptions, Look
from streamer.styles import StyleLibrary
from tests import tiny

SIZE = (48, 80)
PATIENCE = 20.0  # seconds; only a failing test waits so long


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.002)


class Inbox:
    """Collects what comes back."""

    def __init__(self) -> None:
        self.frames: queue.Queue[StyledFrame] = queue.Queue()

    def __call__(self, frame: StyledFrame) -> None:
        self.frames.put(frame)

    def get(self) -> StyledFrame:
        return self.frames.get(timeout=PATIENCE)

    def tags(self) -> list[Any]:
        return [self.frames.get_nowait().tag for _ in range(self.frames.qsize())]


class Gated(PassthroughRuntime):
    """A runtime that waits at a gate and notes every batch; around another one, or none."""

    def __init__(self, inner: Any = None, batch_size: int = 1) -> None:
        super().__init__(batch_size=batch_size)
        self.open = threading.Event()
        self.open.set()
        self.batches: list[Batch] = []
        self._inner = inner

    def run(self, batch: Batch) -> Styled:
        assert self.open.wait(PATIENCE)
        self.batches.append(batch)
        return self._inner.run(batch) if self._inner else super().run(batch)


@pytest.fixture
def live(tiny_engine: Engine) -> Iterator[LiveEngine]:
    with LiveEngine(tiny_engine) as live:
        yield live


def ask(session: LiveSession, inbox: Inbox, frame: np.ndarray, at: float, tag: Any = None) -> StyledFrame:
    assert session.offer(frame, at, tag)
    return inbox.get()


def moving(count: int, seed: int = 0) -> list[np.ndarray]:
    """One scene under light that changes by more than noise does."""
    picture = tiny.picture(*SIZE, seed).astype(int)
    return [np.clip(picture + 6 * i, 0, 255).astype(np.uint8) for i in range(count)]


LOOKS = [
    Look("alpha"),
    Look("alpha:0.5,beta:0.5", strength=0.7),
    Look("beta", preserve_color=True),
    Look("gamma", work_size="0.5x"),
    Look("gamma", work_size="2x", preserve_color=True),
    Look("beta", strength=0.0, preserve_color=True),
]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_session_styles_as_a_file_does(live: LiveEngine, tiny_engine: Engine, look: Look) -> None:
    """Statistics, cuts, work size and colours: to the bit what the same frames become in a transcode."""
    frames = [*moving(4), *(255 - frame for frame in moving(3, seed=5))]
    times = [0.0, 0.04, 0.08, 0.5, 0.54, 0.58, 3.0]
    inbox = Inbox()
    session = live.open(look, on_frame=inbox)
    stream = tiny_engine.stream(look)
    for frame, at in zip(frames, times, strict=True):
        (expected,) = stream([frame], [at])
        np.testing.assert_array_equal(ask(session, inbox, frame, at).frame, expected)


def test_what_is_offered_comes_back_with_its_tag_and_its_times(live: LiveEngine) -> None:
    inbox, tag = Inbox(), object()
    session = live.open(Look("alpha", work_size="0.5x"), on_frame=inbox)
    styled = ask(session, inbox, tiny.picture(*SIZE), 0.0, tag)
    assert styled.tag is tag
    assert styled.frame.shape == (*SIZE, 3)
    assert styled.size == (24, 40)
    assert 0 <= styled.queued < PATIENCE
    assert 0 < styled.styled < PATIENCE
    figures = session.figures()
    assert (figures.frame, figures.work) == ((80, 48), (40, 24))
    assert not figures.lowered
    assert figures.style_ms > 0


def test_the_newest_frame_wins() -> None:
    runtime, inbox = Gated(), Inbox()
    with passthrough(runtime) as live:
        session = live.open(Look("alpha"), on_frame=inbox)
        runtime.open.clear()
        for i, frame in enumerate(moving(6)):
            session.offer(frame, i / 24, i)
            seen(live, session, i + 1)
            assert live.waiting <= 1
        runtime.open.set()
        assert [inbox.get().tag, inbox.get().tag] == [0, 5]
        assert session.figures().dropped == 4
        assert inbox.tags() == []


def seen(live: LiveEngine, session: LiveSession, count: int) -> None:
    """Wait until each of so many frames is on the device, waits for it or was dropped."""
    eventually(lambda: session.figures().dropped + live.waiting + (live.busy_seconds > 0) == count)


def passthrough(runtime: PassthroughRuntime, **options: Any) -> PassthroughLive:
    return PassthroughLive(runtime, **options)


class PassthroughLive:
    """A live engine on a runtime, and the engine under it, opened and closed together."""

    library: StyleLibrary

    def __init__(self, runtime: Any, **options: Any) -> None:
        self._engine = Engine(self.library, runtime=runtime)
        self._live = LiveEngine(self._engine, **options)

    def __enter__(self) -> LiveEngine:
        return self._live

    def __exit__(self, *error: object) -> None:
        self._live.close()
        self._engine.close()


@pytest.fixture(autouse=True)
def library(tiny_library: StyleLibrary) -> None:
    PassthroughLive.library = tiny_library


def test_a_dropped_frame_only_makes_the_time_longer(tiny_library: StyleLibrary) -> None:
    plain, other = Engine(tiny_library), Engine(tiny_library)
    runtime, inbox = Gated(other._runtime), Inbox()
    with plain, passthrough(runtime) as live:
        session = live.open(Look("alpha"), on_frame=inbox)
        stream = plain.stream(Look("alpha"))
        frames = moving(4)
        runtime.open.clear()
        for i, frame in enumerate(frames):
            session.offer(frame, i / 10, i)
            seen(live, session, i + 1)
        runtime.open.set()
        for i in (0, 3):
            np.testing.assert_array_equal(inbox.get().frame, stream([frames[i]], [i / 10])[0])


def test_a_cut_at_a_dropped_frame_still_starts_anew() -> None:
    runtime, inbox = Gated(), Inbox()
    with passthrough(runtime) as live:
        session = live.open(Look("alpha"), on_frame=inbox)
        runtime.open.clear()
        scene, other = moving(4), [255 - frame for frame in moving(4, seed=9)]
        for i, frame in enumerate([scene[0], scene[1], other[2], other[3]]):
            session.offer(frame, i / 24, i)
            seen(live, session, i + 1)
        runtime.open.set()
        assert [inbox.get().tag, inbox.get().tag] == [0, 3]
    assert [float(batch.carry[0, 0]) for batch in runtime.batches] == [0.0, 0.0]


def test_another_style_goes_on_from_where_the_stream_was(live: LiveEngine, tiny_engine: Engine) -> None:
    first, second = moving(2)
    inbox = Inbox()
    session = live.open(Look("alpha"), on_frame=inbox)
    ask(session, inbox, first, 0.0)
    session.change(Look("beta", strength=0.8))
    assert session.look == Look("beta", strength=0.8)
    styled = ask(session, inbox, second, 0.1)

    library, nothing = tiny_engine.library, np.zeros(tiny_engine.library.trunk.config.statistics_size, np.float32)
    used = tiny_engine.run(stream_batch(first[None], library.resolve("alpha"), nothing, [0.0])).used[0]
    expected = tiny_engine.run(
        stream_batch(second[None], library.resolve("beta", 0.8), used, [np.exp(-0.1 / SMOOTHING_SECONDS)])
    )
    np.testing.assert_array_equal(styled.frame, expected.frames[0])


def test_an_unknown_style_is_refused_and_the_old_one_stays(live: LiveEngine) -> None:
    with pytest.raises(UnknownStyle, match="nobody"):
        live.open(Look("nobody"), on_frame=Inbox())
    assert live.sessions == 0
    session = live.open(Look("alpha"), on_frame=Inbox())
    with pytest.raises(UnknownStyle, match="nobody"):
        session.change(Look("nobody"))
    assert session.look == Look("alpha")


def test_sessions_of_different_looks_share_a_batch_and_not_their_state(tiny_library: StyleLibrary) -> None:
    looks = [Look("alpha"), Look("beta", strength=0.5), Look("alpha:1,gamma:2", preserve_color=True)]
    runtime = Gated(KerasRuntime(tiny_library.trunk, precision="float32", batch_size=4), batch_size=4)
    alone = Engine(tiny_library, runtime=KerasRuntime(tiny_library.trunk, precision="float32", batch_size=1))
    with alone, passthrough(runtime) as live:
        inboxes = [Inbox() for _ in looks]
        sessions = [live.open(look, on_frame=inbox) for look, inbox in zip(looks, inboxes, strict=True)]
        streams = [alone.stream(look) for look in looks]
        blocker = live.open(Look("alpha"), on_frame=Inbox())
        live.warm_up([SIZE])
        runtime.batches.clear()
        for step in range(3):
            runtime.open.clear()
            blocker.offer(tiny.picture(32, 32), step / 10)
            eventually(lambda: live.busy_seconds > 0)
            frames = [moving(3, seed=i)[step] for i in range(len(looks))]
            for session, frame in zip(sessions, frames, strict=True):
                session.offer(frame, step / 10)
            eventually(lambda: live.waiting == len(looks))
            runtime.open.set()
            for inbox, stream, frame in zip(inboxes, streams, frames, strict=True):
                expected = stream([frame], [step / 10])[0]
                assert np.abs(inbox.get().frame.astype(int) - expected).max() <= 1
    assert [len(batch.frames) for batch in runtime.batches] == [1, 3] * 3


class Picky(PassthroughRuntime):
    """Breaks at dark frames."""

    def run(self, batch: Batch) -> Styled:
        if min(frame.mean() for frame in batch.frames) < 1:
            raise RuntimeError("too dark")
        return super().run(batch)


def test_a_frame_that_breaks_the_device_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    runtime = Gated(Picky(), batch_size=4)
    good, bad, waiting = Inbox(), Inbox(), Inbox()
    with passthrough(runtime) as live:
        victim, culprit, blocker = (live.open(Look("alpha"), on_frame=box) for box in (good, bad, waiting))
        runtime.open.clear()
        blocker.offer(moving(1)[0], 0.0)
        eventually(lambda: live.busy_seconds > 0)
        victim.offer(moving(1)[0], 0.0, "light")
        culprit.offer(np.zeros((*SIZE, 3), np.uint8), 0.0, "dark")
        eventually(lambda: live.waiting == 2)
        with caplog.at_level(logging.ERROR):
            runtime.open.set()
            assert good.get().tag == "light"
            eventually(lambda: culprit.figures().dropped == 1)
        assert "too dark" in caplog.text
        assert ask(culprit, bad, moving(1)[0], 0.1, "light again").tag == "light again"


def test_a_consumer_that_raises_costs_itself_one_frame(caplog: pytest.LogCaptureFixture) -> None:
    calls: queue.Queue[Any] = queue.Queue()

    def consumer(frame: StyledFrame) -> None:
        calls.put(frame.tag)
        raise ValueError("not today")

    with caplog.at_level(logging.ERROR), passthrough(PassthroughRuntime()) as live:
        session = live.open(Look("alpha"), on_frame=consumer)
        for i in range(3):
            session.offer(moving(1)[0], i / 24, i)
            assert calls.get(timeout=PATIENCE) == i
    assert caplog.text.count("A live session lost a frame") == 1  # told once


def test_a_consumer_that_blocks_stalls_itself_alone() -> None:
    stuck, release, inbox = threading.Event(), threading.Event(), Inbox()

    def consumer(frame: StyledFrame) -> None:
        stuck.set()
        release.wait(PATIENCE)

    with passthrough(PassthroughRuntime()) as live:
        blocked, well = live.open(Look("alpha"), on_frame=consumer), live.open(Look("beta"), on_frame=inbox)
        blocked.offer(moving(1)[0], 0.0)
        assert stuck.wait(PATIENCE)
        for i in range(50):
            assert blocked.offer(moving(1)[0], i / 24)
            assert ask(well, inbox, moving(1)[0], i / 24, i).tag == i
        assert blocked.figures().dropped >= 48
        began = time.monotonic()
        live.close(within=0.2)
        assert time.monotonic() - began < 5
        release.set()


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
        None,
    ],
    ids=["grey", "alpha", "float", "empty", "none"],
)
def test_what_is_no_frame_is_refused(live: LiveEngine, frame: Any) -> None:
    inbox = Inbox()
    session = live.open(Look("alpha"), on_frame=inbox)
    assert session.offer(frame, 0.0) is False
    assert session.figures().dropped == 1
    assert ask(session, inbox, tiny.picture(*SIZE), 0.1, "good").tag == "good"


def test_a_work_size_that_no_frame_can_have_costs_its_session_only(live: LiveEngine) -> None:
    session = live.open(Look("alpha", work_size="100000x"), on_frame=Inbox())
    session.offer(tiny.picture(*SIZE), 0.0)
    eventually(lambda: session.figures().dropped == 1)
    inbox = Inbox()
    assert ask(live.open(Look("alpha"), on_frame=inbox), inbox, tiny.picture(*SIZE), 0.0, 1).tag == 1


@pytest.mark.parametrize("size", [(1, 1), (9, 7), (359, 641), (33, 200)])
def test_any_size_works_and_may_change(live: LiveEngine, size: tuple[int, int]) -> None:
    inbox = Inbox()
    session = live.open(Look("alpha"), on_frame=inbox)
    ask(session, inbox, tiny.picture(*SIZE), 0.0)
    assert ask(session, inbox, np.full((*size, 3), 99, np.uint8), 0.1).frame.shape == (*size, 3)


def test_beyond_its_capacity_a_session_is_refused_until_one_closes(tiny_engine: Engine) -> None:
    metrics = Metrics()
    with LiveEngine(tiny_engine, metrics=metrics, options=LiveOptions(max_sessions=2)) as live:
        first, _ = (live.open(Look("alpha"), on_frame=Inbox()) for _ in range(2))
        with pytest.raises(Overloaded, match="2 sessions") as refused:
            live.open(Look("alpha"), on_frame=Inbox())
        assert refused.value.retry_after > 0
        assert b"streamer_sessions_refused_total 1.0" in metrics.render()[0]
        first.close()
        assert b"streamer_sessions 1.0" in metrics.render()[0]
        live.open(Look("alpha"), on_frame=Inbox())
    with pytest.raises(Overloaded, match="closing"):
        live.open(Look("alpha"), on_frame=Inbox())


def test_capacity_is_measured(tiny_engine: Engine) -> None:
    with LiveEngine(tiny_engine) as live:
        unmeasured = live.capacity
        assert unmeasured is None
        live.warm_up([(120, 200), (48, 80)])
        assert isinstance(live.capacity, Capacity)
        assert live.most_sessions == live.capacity.sessions >= 1
        assert live.capacity.frames_per_second > 1
    slow = PassthroughRuntime(seconds_a_megapixel=1.0)
    with passthrough(slow, options=LiveOptions(session_fps=10, lowest_scale=0.5)) as live:
        live.warm_up([(200, 400)])
        assert live.capacity
        assert live.capacity.frames_per_second == pytest.approx(12.5, rel=0.2)
        assert live.capacity.lowest_frames_per_second == pytest.approx(48, rel=0.2)


def test_a_closed_session_is_quiet_and_its_thread_ends(live: LiveEngine) -> None:
    before = threading.active_count()
    for _ in range(30):
        inbox = Inbox()
        session = live.open(Look("alpha"), on_frame=inbox)
        session.offer(tiny.picture(*SIZE), 0.0)
        session.close()
        session.close()
        assert session.offer(tiny.picture(*SIZE), 0.1) is False
        assert session.join(PATIENCE)
    assert live.sessions == 0
    assert threading.active_count() <= before


def test_a_session_may_close_itself(live: LiveEngine) -> None:
    closed = threading.Event()

    def consumer(frame: StyledFrame) -> None:
        session.close()
        closed.set()

    session = live.open(Look("alpha"), on_frame=consumer)
    session.offer(tiny.picture(*SIZE), 0.0)
    assert closed.wait(PATIENCE)
    assert session.join(PATIENCE)
    assert live.sessions == 0


def test_closing_the_engine_first_stops_nothing_else(tiny_library: StyleLibrary) -> None:
    engine = Engine(tiny_library, runtime=PassthroughRuntime())
    live = LiveEngine(engine)
    session = live.open(Look("alpha"), on_frame=Inbox())
    engine.close()
    assert session.offer(tiny.picture(*SIZE), 0.0)
    began = time.monotonic()
    live.close()
    assert time.monotonic() - began < 5


def test_the_engine_still_does_other_work_in_between(tiny_engine: Engine, live: LiveEngine) -> None:
    stop = threading.Event()
    sessions = [live.open(Look("alpha"), on_frame=Inbox()) for _ in range(2)]

    def feed() -> None:
        while not stop.is_set():
            for session in sessions:
                session.offer(tiny.picture(*SIZE), time.monotonic())

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        for _ in range(5):
            tiny_engine.stylize(tiny.picture(*SIZE), tiny_engine.library.resolve("beta"))
    finally:
        stop.set()
        feeder.join()


def test_under_load_frames_get_smaller_and_recover() -> None:
    """On a clock that runs five times as fast, so that the device, which takes 40 ms a frame, is five times as fast."""
    haste = 5.0
    metrics = Metrics()
    runtime = PassthroughRuntime(seconds_a_megapixel=0.04 / haste / (0.36 * 0.64))

    def clock() -> float:
        return haste * time.monotonic()

    frame = tiny.picture(360, 640)
    inbox, tick = Inbox(), threading.Event()
    with passthrough(runtime, clock=clock, metrics=metrics) as live:
        sessions = [live.open(Look("alpha"), on_frame=inbox) for _ in range(2)]

        def feed(fps: float, until: Callable[[], bool]) -> None:
            deadline = time.monotonic() + PATIENCE
            while not until():
                assert time.monotonic() < deadline
                for session in sessions:
                    session.offer(frame, clock())
                tick.wait(1 / fps / haste)

        feed(25, until=lambda: all(session.work_scale < 1 for session in sessions))
        feed(25, until=lambda: sessions[0].figures().lowered)
        assert sessions[0].figures().work < (640, 360)
        assert b"streamer_sessions_lowered 2.0" in metrics.render()[0]
        feed(2, until=lambda: all(session.work_scale == 1 for session in sessions))
    sizes = {styled.size for styled in inbox.frames.queue}
    assert (360, 640) in sizes and len(sizes) > 1
    assert all(styled.frame.shape == (360, 640, 3) for styled in inbox.frames.queue)


def test_what_is_counted_adds_up() -> None:
    metrics, inbox = Metrics(), Inbox()
    with passthrough(PassthroughRuntime(), metrics=metrics) as live:
        session = live.open(Look("alpha"), on_frame=inbox)
        for i in range(5):
            ask(session, inbox, moving(1)[0], i / 24)
        session.offer(np.zeros((4, 4), np.uint8), 1.0)
    text = metrics.render()[0].decode()
    for line in (
        "streamer_frames_in_total 6.0",
        "streamer_frames_out_total 5.0",
        'streamer_frames_dropped_total{reason="refused"} 1.0',
        "streamer_batch_size_count 5.0",
        'streamer_stage_seconds_count{stage="queue"} 5.0',
        'streamer_stage_seconds_count{stage="style"} 5.0',
    ):
        assert line in text
