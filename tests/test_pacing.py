"""Working sizes, the controller of levels and admission, with simulated devices and a clock that the tests turn."""

from __future__ import annotations

import itertools

import pytest

from streamer.pacing import LEVELS, Costs, Demand, Meter, Pacer, capacity, levels_of, work_size

HD, SD, TINY = (720, 1280), (360, 640), (64, 64)


class Device:
    """Simulates sessions of some frame rate on a device that takes so long a pixel."""

    def __init__(self, seconds_a_pixel: float, lowest: float = LEVELS[-1]) -> None:
        self.speed = seconds_a_pixel
        self.costs = Costs()
        self.pacer: Pacer[str] = Pacer(self.costs, lowest)
        self.now = 100.0
        self.history: list[dict[str, float]] = []

    def run(self, seconds: float, *demands: Demand[str], outside: float = 0.0) -> None:
        """outside: share of the device's time that others take."""
        for _ in range(round(seconds / 0.25)):
            self.now += 0.25
            busy = outside
            for each in demands:
                size = work_size(each.size, self.pacer.level(each.key))
                seconds_a_frame = self.speed * size[0] * size[1] / (1 - outside)
                self.costs.note(size, seconds_a_frame, self.now)
                busy += each.rate * seconds_a_frame
            self.pacer.decide(demands, max(0.0, 1 - 1 / max(busy, 1e-9)), self.now)
            self.history.append({each.key: self.pacer.level(each.key) for each in demands})

    def changes(self) -> int:
        """How often a level differed from a quarter of a second earlier."""
        pairs = itertools.pairwise(self.history)
        return sum(before[key] != after[key] for before, after in pairs for key in before.keys() & after.keys())


def a_frame(size: tuple[int, int], milliseconds: float) -> float:
    return milliseconds / 1000 / (size[0] * size[1])


class TestWorkSize:
    @pytest.mark.parametrize("size", [HD, SD, (359, 641), (640, 360), (1080, 1920), (97, 1000)])
    def test_levels_are_smaller_one_by_one_and_on_the_grid(self, size: tuple[int, int]) -> None:
        sizes = [work_size(size, level) for level in levels_of(size, 0.0)]
        assert sizes[0] == size
        for larger, smaller in itertools.pairwise(sizes):
            assert smaller[0] * smaller[1] < larger[0] * larger[1]
            assert all(side % 8 == 0 for side in smaller)
            assert smaller[0] / smaller[1] == pytest.approx(size[0] / size[1], rel=0.05)

    def test_a_tiny_frame_is_left_alone(self) -> None:
        assert levels_of(TINY, 0.0) == [1.0]
        assert work_size(TINY, 1 / 3) == TINY

    def test_no_frame_becomes_tiny(self) -> None:
        assert min(work_size((144, 256), levels_of((144, 256), 0.0)[-1])) >= 96

    def test_frames_of_about_one_size_meet_in_one(self) -> None:
        assert work_size((360, 640), 0.5) == work_size((359, 639), 0.5)

    def test_the_lowest_level_is_a_choice(self) -> None:
        assert levels_of(SD, 0.5) == [1.0, 0.75, 0.5]
        assert levels_of(SD, 1.0) == [1.0]
        assert levels_of(SD, 1 / 3) == list(LEVELS)


class TestCosts:
    def test_unknown_is_nothing(self) -> None:
        assert Costs().estimate(SD, 1.0) == 0.0

    def test_one_slow_run_is_not_believed(self) -> None:
        costs = Costs()
        for now, seconds in enumerate((0.5, 0.02, 0.02)):
            costs.note(SD, seconds, now)
        assert costs.estimate(SD, 3) == 0.02

    def test_other_sizes_are_reckoned_by_area(self) -> None:
        costs = Costs()
        costs.note(SD, 0.02, 1.0)
        assert costs.estimate(HD, 1.0) == pytest.approx(0.08)

    def test_what_is_fresh_counts_more_than_what_is_exact(self) -> None:
        costs = Costs()
        costs.note(HD, 0.3, 1.0)  # on a busy machine
        costs.note(SD, 0.02, 30.0)
        assert costs.estimate(HD, 30.0) == pytest.approx(0.08)

    def test_clients_cannot_fill_the_memory_with_sizes(self) -> None:
        costs = Costs()
        costs.note(SD, 0.02, 0.0)
        for i in range(1000):
            costs.note((100 + i, 100), 0.01, float(i))
        assert len(costs._known) <= 32


class TestPacer:
    def test_without_load_nothing_is_lowered(self) -> None:
        device = Device(a_frame(SD, 20))
        device.run(30, Demand("a", SD, 24))
        assert device.changes() == 0
        assert device.pacer.level("a") == 1.0

    def test_under_load_it_is_lowered_within_a_second_and_then_keeps_pace(self) -> None:
        device = Device(a_frame(SD, 20))
        crowd = [Demand(key, SD, 24) for key in "abcd"]  # 1.9 times what the device can do
        device.run(1.5, *crowd)
        assert device.pacer.busy(crowd, device.now) <= 0.75
        assert all(level < 1 for level in device.history[-1].values())

    def test_it_recovers_when_the_load_falls(self) -> None:
        device = Device(a_frame(SD, 20))
        device.run(10, *(Demand(key, SD, 24) for key in "abcd"))
        device.pacer.forget("d")
        device.run(30, Demand("a", SD, 24))
        assert device.pacer.level("a") == 1.0

    def test_equals_are_lowered_alike(self) -> None:
        device = Device(a_frame(SD, 20))
        device.run(20, *(Demand(key, SD, 24) for key in "abcdef"))
        levels = sorted({LEVELS.index(level) for level in device.history[-1].values()})
        assert levels[-1] - levels[0] <= 1
        assert len({work_size(SD, LEVELS[level]) for level in levels}) <= 2  # a runtime keeps few sizes warm

    def test_the_dearest_is_lowered_first(self) -> None:
        device = Device(a_frame(HD, 30))
        demands = [Demand("large", HD, 30), Demand("small", SD, 30)]
        device.run(10, *demands)
        assert device.pacer.level("large") < 1.0
        assert device.pacer.level("small") == 1.0

    def test_a_steady_load_gets_a_steady_answer(self) -> None:
        """Just beyond what it can do at full size, so that every raise would be too early."""
        device = Device(a_frame(SD, 20))
        device.run(120, *(Demand(key, SD, 28) for key in "ab"))
        assert device.changes() <= 2

    def test_where_the_model_errs_it_tries_less_and_less_often(self) -> None:
        """The device does worse at full size than the area says: raising is tried ever more rarely."""
        device = Device(a_frame(SD, 20))
        demand = Demand("a", SD, 24)
        for _ in range(4 * 240):
            device.now += 0.25
            size = work_size(SD, device.pacer.level("a"))
            device.costs.note(size, 0.06 if size == SD else 0.012, device.now)
            shed = 0.3 if size == SD else 0.0
            device.pacer.decide([demand], shed, device.now)
            device.history.append({"a": device.pacer.level("a")})
        assert 2 <= device.changes() <= 16  # in four minutes; without patience it would be some 120

    def test_the_lowest_level_is_kept_to(self) -> None:
        device = Device(a_frame(SD, 200), lowest=0.5)
        device.run(30, *(Demand(key, SD, 24) for key in "ab"))
        assert set(device.history[-1].values()) == {0.5}

    def test_bursts_on_an_idle_device_are_not_overload(self) -> None:
        device = Device(a_frame(SD, 2))
        for _ in range(40):
            device.now += 0.25
            device.costs.note(SD, 0.002, device.now)
            device.pacer.decide([Demand("a", SD, 24)], 0.2, device.now)
        assert device.pacer.level("a") == 1.0

    def test_a_moment_of_overload_is_not_answered(self) -> None:
        device = Device(a_frame(SD, 20))
        crowd = [Demand(key, SD, 24) for key in "abcd"]
        device.run(0.25, *crowd)
        device.run(5, crowd[0])
        assert device.changes() == 0

    def test_a_device_that_others_use_is_lowered_too_and_recovers(self) -> None:
        device = Device(a_frame(SD, 20))
        device.run(5, Demand("a", SD, 24), outside=0.6)
        assert device.pacer.level("a") < 1.0
        device.run(40, Demand("a", SD, 24))
        assert device.pacer.level("a") == 1.0

    def test_who_has_gone_starts_anew(self) -> None:
        device = Device(a_frame(SD, 60))
        device.run(5, Demand("a", SD, 24))
        assert device.pacer.level("a") < 1.0
        device.pacer.forget("a")
        assert device.pacer.level("a") == 1.0


class TestCapacity:
    def test_a_processor_that_also_encodes(self) -> None:
        # Two cores; 4 ms of both a frame at the lowest size and 8 ms of one for the rest: 16 of 2000 ms a second.
        assert capacity(0.02, 0.004, session_fps=24, cores=2, shares_cores=True).sessions == 5

    def test_a_device_of_its_own_is_limited_by_itself_or_by_the_cores(self) -> None:
        slow = capacity(0.01, 0.005, session_fps=30, cores=64, shares_cores=False)
        assert slow.sessions == 6  # 0.9 * 200 frames a second
        fast = capacity(0.0005, 0.0002, session_fps=30, cores=16, shares_cores=False)
        assert fast.sessions == 66  # 16 cores, 8 ms a frame

    def test_one_session_is_always_admitted(self) -> None:
        assert capacity(10.0, 5.0, session_fps=24, cores=1, shares_cores=True).sessions == 1

    def test_frames_a_second_are_the_device_s(self) -> None:
        found = capacity(0.02, 0.005, session_fps=24, cores=2, shares_cores=True)
        assert (found.frames_per_second, found.lowest_frames_per_second) == (50, 200)


class TestMeter:
    def test_rate_is_that_of_the_last_seconds(self) -> None:
        meter = Meter(2.0)
        for i in range(100):
            meter.note(i / 25)
        assert meter.rate(99 / 25) == pytest.approx(25, rel=0.02)
        assert meter.rate(99 / 25 + 2.5) == 0.0

    def test_a_short_past_is_not_underrated(self) -> None:
        meter = Meter(2.0)
        for i in range(5):
            meter.note(10 + i / 10)
        assert meter.rate(10.5) == pytest.approx(8, rel=0.01)
        assert meter.count(10.5) == 5
