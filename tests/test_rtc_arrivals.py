"""RTP packets put in order and cut into frames; sound held back for its picture. Clocks are passed in."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from streamer.rtc.arrivals import Arrivals, Encoded, Unwrapper, is_keyframe
from streamer.rtc.sync import LegClock, Step


@dataclass
class Packet:
    sequence_number: int
    timestamp: int
    marker: int
    _data: bytes
    payload_type: int = 96
    ssrc: int = 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def frames_of(
    count: int, packets: int = 3, first: int = 65_530, ticks: int = 2**32 - 9000, marked: bool = True
) -> list[Packet]:
    """`count` frames of some packets each, across the ends of both counters."""
    return [
        Packet(
            (first + number * packets + part) % 65_536,
            (ticks + number * 3000) % 2**32,
            int(marked and part == packets - 1),
            bytes([number, part]),
        )
        for number in range(count)
        for part in range(packets)
    ]


def fed(arrivals: Arrivals, packets: list[Packet]) -> list[Encoded]:
    return [frame for packet in packets for frame in arrivals.add(packet)]


def whole(number: int, packets: int = 3) -> bytes:
    return b"".join(bytes([number, part]) for part in range(packets))


def test_a_frame_comes_out_with_its_last_packet_and_not_with_the_next_one() -> None:
    arrivals = Arrivals(0.2, clock=Clock())
    first = frames_of(1)
    assert fed(arrivals, first[:2]) == []
    (frame,) = arrivals.add(first[2])
    assert frame.data == whole(0) and frame.arrived == 100.0 and frame.payload_type == 96


def test_a_sender_without_markers_is_understood_by_its_timestamps() -> None:
    frames = fed(Arrivals(0.2, clock=Clock()), frames_of(4, marked=False))
    assert [frame.data for frame in frames] == [whole(0), whole(1), whole(2)]


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_and_doubled_packets_come_out_in_order_across_both_counters_ends(seed) -> None:
    packets = frames_of(30)
    rng = random.Random(seed)
    shuffled = sorted(packets[1:], key=lambda packet: packets.index(packet) + rng.uniform(0, 6))
    frames = fed(Arrivals(0.2, clock=Clock()), [packets[0], *shuffled, *packets[:5]])
    assert [frame.data for frame in frames] == [whole(number) for number in range(30)]
    assert [frame.ticks - frames[0].ticks for frame in frames] == [3000 * number for number in range(30)]


def test_a_packet_that_never_comes_is_waited_for_and_then_done_without() -> None:
    clock, packets = Clock(), frames_of(10)
    arrivals = Arrivals(0.2, clock=clock)
    del packets[7]  # of the third frame
    assert [frame.data for frame in fed(arrivals, packets[:12])] == [whole(0), whole(1)]
    clock.now += 0.21
    frames = fed(arrivals, packets[12:])
    assert [frame.data for frame in frames] == [whole(number) for number in range(3, 10)]
    assert arrivals.lost == 1


def test_a_retransmission_in_time_loses_nothing() -> None:
    clock, packets = Clock(), frames_of(5)
    arrivals = Arrivals(0.2, clock=clock)
    missing = packets.pop(4)
    assert len(fed(arrivals, packets)) == 1
    clock.now += 0.19
    assert [frame.data for frame in arrivals.add(missing)] == [whole(number) for number in range(1, 5)]
    assert arrivals.lost == 0


def test_an_unfinished_frame_is_not_a_gap() -> None:
    clock = Clock()
    arrivals = Arrivals(0.2, clock=clock)
    first = frames_of(1)
    fed(arrivals, first[:1])
    clock.now += 60
    assert fed(arrivals, first[1:])[0].data == whole(0)
    assert arrivals.lost == 0


def test_a_sender_that_begins_anew_is_followed() -> None:
    arrivals = Arrivals(0.2, clock=Clock())
    fed(arrivals, frames_of(5, first=100))
    assert len(fed(arrivals, frames_of(5, first=30_000))) == 5


def test_sound_goes_on_after_a_short_wait_and_keeps_no_backlog() -> None:
    clock = Clock()
    arrivals = Arrivals(0.06, whole_packets=True, clock=clock)
    heard: list[Encoded] = []
    for number in range(105):
        clock.now += 0.02
        if number % 10 == 5:
            continue  # lost
        heard += arrivals.add(Packet(number, number * 960, 0, bytes([number])))
    assert [frame.data[0] for frame in heard] == [n for n in range(105) if n % 10 != 5]
    assert arrivals.lost == 10
    assert max(frame.arrived - 100.02 - 0.02 * frame.data[0] for frame in heard) <= 0.101


@pytest.mark.parametrize(("bits", "values", "true"), [(8, [250, 255, 3, 1, 200], [250, 255, 259, 257, 200])])
def test_counters_are_unwrapped_both_ways(bits, values, true) -> None:
    unwrap = Unwrapper(bits)
    assert [unwrap(value) for value in values] == true


def test_keyframes_are_known_by_their_first_bytes() -> None:
    assert is_keyframe("vp8", b"\x10rest") and not is_keyframe("vp8", b"\x11rest") and not is_keyframe("vp8", b"")
    parameter_set, slice_of_one, slice_between = b"\x00\x00\x00\x01\x67a", b"\x00\x00\x01\x65b", b"\x00\x00\x01\x41c"
    assert is_keyframe("h264", parameter_set + slice_of_one)
    assert not is_keyframe("h264", slice_between + slice_between)
    assert not is_keyframe("h264", b"\x00\x00\x01")


def test_sound_waits_as_long_as_the_picture_is_painted() -> None:
    video, audio = LegClock(90_000), LegClock(48_000)
    step = Step(video, audio)
    for number in range(200):  # both legs begin at different timestamps; the network is late now and then
        captured = 50.0 + number * 0.02
        audio.arrived(777 + number * 960, captured + 0.01)
        if number % 2 == 0:
            video.arrived(123_456 + number * 1800, captured + 0.01 + (0.05 if number % 6 == 0 else 0))
            step.picture_sent(123_456 + number * 1800, captured + 0.15)
    captured = 50.0 + 200 * 0.02
    assert step.due(777 + 200 * 960) == pytest.approx(captured + 0.15, abs=0.001)


def test_sound_that_arrives_later_than_its_picture_is_moved_by_what_the_publisher_reports() -> None:
    video, audio = LegClock(90_000), LegClock(48_000)
    step = Step(video, audio)
    for number in range(100):
        captured = 50.0 + number * 0.02
        video.arrived(number * 1800, captured + 0.01)
        audio.arrived(number * 960, captured + 0.09)  # an audio encoder with a long look ahead
        step.picture_sent(number * 1800, captured + 0.11)
    assert step.due(0) == pytest.approx(50.0 + 0.19, abs=0.001)
    video.reported(1000.0, 0)
    audio.reported(1000.0, 0)
    assert step.due(0) == pytest.approx(50.0 + 0.11, abs=0.001)


def test_a_nonsensical_report_is_not_believed() -> None:
    video, audio = LegClock(90_000), LegClock(48_000)
    step = Step(video, audio)
    video.arrived(0, 50.0)
    audio.arrived(0, 50.0)
    step.picture_sent(0, 50.1)
    video.reported(1000.0, 0)
    audio.reported(5000.0, 0)
    assert step.due(0) == pytest.approx(50.1, abs=0.001)


def test_sound_without_any_picture_is_not_held_back() -> None:
    audio = LegClock(48_000)
    audio.arrived(960, 50.0)
    assert Step(LegClock(90_000), audio).due(960) == pytest.approx(50.0)
