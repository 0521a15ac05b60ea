"""Pictures to packets and back, the pool that does it, and what viewers may ask of an encoder."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from streamer.rtc.arrivals import is_keyframe
from streamer.rtc.decoding import Picture, VideoIntake
from streamer.rtc.encoding import MAX_BITRATE, MIN_BITRATE, VideoEncoder, wanted_bitrate
from streamer.rtc.ledger import Ledger, Rate
from streamer.rtc.outlet import Outlet, Painted
from streamer.rtc.relay import PacketTrack, Parcel
from streamer.rtc.strand import Strand
from tests import tiny
from tests.rtc_service import eventually

CODECS = ("h264", "vp8")


def packets_of(data: bytes, number: int) -> list[Any]:
    """One frame in two packets, as aiortc hands them over."""
    half = len(data) // 2
    return [
        SimpleNamespace(
            sequence_number=(2 * number + part) % 65_536,
            timestamp=number * 3000,
            marker=part,
            payload_type=100,
            ssrc=7,
            _data=[data[:half], data[half:]][part],
        )
        for part in (0, 1)
    ]


def decoded(codec: str, frames: list[bytes], lose: int | None = None) -> tuple[list[Picture], VideoIntake, list[bool]]:
    """What an intake makes of them; one packet of frame `lose` is lost for good."""
    seen: list[Picture] = []
    now = [50.0]
    with ThreadPoolExecutor(1) as pool:
        intake, asked = VideoIntake(pool, seen.append, clock=lambda: now[0]), []
        intake.codecs = {100: codec}
        for number, data in enumerate(frames):
            now[0] += 0.033
            for part, packet in enumerate(packets_of(data, number)):
                if (number, part) != (lose, 0):
                    asked.append(intake.take(packet))
            pool.submit(lambda: None).result()  # so that every picture is the newest when it is decoded
            pool.submit(lambda: None).result()
    return seen, intake, asked


def encoded(codec: str, count: int = 6, keys: tuple[int, ...] = ()) -> tuple[list[np.ndarray], list[bytes]]:
    encoder = VideoEncoder(codec)
    pictures = [np.roll(tiny.picture(96, 160), number, axis=1) for number in range(count)]
    packets = [encoder.encode(each, n * 3000, n in keys) for n, each in enumerate(pictures)]
    return pictures, [bytes(packet) for packet in packets if packet is not None]


@pytest.mark.parametrize("codec", CODECS)
def test_there_and_back_keeps_the_colours(codec: str) -> None:
    pictures, frames = encoded(codec)
    seen, intake, _ = decoded(codec, frames)
    assert len(seen) == len(frames) == 6 and intake.skipped == 0
    assert [picture.ticks for picture in seen] == [n * 3000 for n in range(6)]
    error = seen[-1].rgb.astype(int) - pictures[-1]
    assert np.abs(error).mean() < 6 and np.abs(error.mean(axis=(0, 1))).max() < 1.5


@pytest.mark.parametrize("codec", CODECS)
def test_after_a_loss_nothing_is_shown_until_the_next_keyframe(codec: str) -> None:
    _, frames = encoded(codec, 30, keys=(20,))
    seen, _, asked = decoded(codec, frames, lose=5)
    assert [picture.ticks // 3000 for picture in seen] == [*range(5), *range(20, 30)]
    assert any(asked)  # a keyframe is asked for when the packet is given up


@pytest.mark.parametrize("codec", CODECS)
def test_keyframes_come_when_asked_for_and_with_a_new_size(codec: str) -> None:
    encoder = VideoEncoder(codec)
    sizes = [(96, 160)] * 3 + [(97, 161)] + [(120, 200)] * 2
    keys = []
    for number, size in enumerate(sizes):
        packet = encoder.encode(tiny.picture(*size), number * 3000, keyframe=number == 2)
        assert packet is not None and packet.is_keyframe == is_keyframe(codec, bytes(packet))
        keys.append(packet.is_keyframe)
    assert keys == [True, False, True, False, True, False]  # an odd last row or column is left out


def test_timestamps_never_stand_still() -> None:
    encoder = VideoEncoder("vp8")
    ticks = [encoder.encode(tiny.picture(32, 32), at, keyframe=False) for at in (9000, 9000, 8000, 12_000)]
    assert [packet.pts for packet in ticks if packet] == [9000, 9001, 9002, 12_000]


def test_bitrates_are_fit_for_paint() -> None:
    assert 1e6 < wanted_bitrate(640, 360) < 2e6
    assert 4e6 < wanted_bitrate(1280, 720, limit=20_000_000) < 6e6
    assert wanted_bitrate(64, 64) == MIN_BITRATE and wanted_bitrate(3840, 2160, 10**9) == MAX_BITRATE
    assert wanted_bitrate(1280, 720, limit=700_000) == 700_000
    assert wanted_bitrate(1280, 720, limit=1) == MIN_BITRATE


@pytest.mark.parametrize("codec", CODECS)
def test_a_limit_makes_the_stream_smaller(codec: str) -> None:
    encoder, rng, sizes = VideoEncoder(codec), np.random.default_rng(0), []
    for number in range(60):
        if number == 30:
            encoder.limit = 300_000
        noise = rng.integers(0, 90, (360, 640, 3), dtype=np.uint8)
        packet = encoder.encode(tiny.picture(360, 640) // 2 + noise, number * 3000, keyframe=False)
        sizes.append(packet.size if packet else 0)
    assert sum(sizes[40:]) < 0.8 * sum(sizes[10:30])


def test_a_strand_keeps_order_is_bounded_and_survives_what_fails(caplog: pytest.LogCaptureFixture) -> None:
    gate, done = threading.Event(), list[int]()
    with ThreadPoolExecutor(4) as pool:
        strand = Strand(pool, 5)
        assert strand.put(lambda: gate.wait(20) and None)
        while len(strand):  # until it is running
            threading.Event().wait(0.001)
        assert strand.put(lambda: [][0])
        assert all(strand.put(partial(done.append, n)) for n in range(4))
        assert not strand.put(lambda: done.append(99))
        gate.set()
        while len(done) < 4:
            threading.Event().wait(0.001)
        strand.close()
        assert not strand.put(lambda: done.append(98))
    assert done == [0, 1, 2, 3]
    assert "the stream goes on" in caplog.text
    assert not Strand(pool, 1).put(lambda: None)  # the pool has gone


def painted(number: int) -> Painted:
    picture = tiny.picture(48, 64, number)
    return Painted(picture, Picture(picture, number * 3000, 0.0, 0.0), 0.0, 0.0)


def test_an_outlet_begins_with_a_keyframe_for_everybody_and_gives_few_of_them() -> None:
    async def scenario() -> None:
        now = [100.0]
        with ThreadPoolExecutor(1) as pool:
            outlet = Outlet("vp8", pool, Ledger(), clock=lambda: now[0])
            one = outlet.relay.join()

            async def next_is_key(number: int) -> bool:
                outlet.offer(painted(number))
                return bool((await asyncio.wait_for(one.recv(), 20)).is_keyframe)

            assert await next_is_key(0)
            assert not await next_is_key(1)
            two = outlet.relay.join()
            assert not await next_is_key(2)  # too soon after the last one
            now[0] += 0.31
            assert await next_is_key(3)
            assert (await asyncio.wait_for(two.recv(), 20)).is_keyframe
            for bitrate, limit in ((2_000_000, 2_000_000), (1_500_000, 1_500_000), (300_000, 1_500_000)):
                outlet.limit(bitrate, bitrate)  # the last one is far slower than most
                assert outlet._encoder.limit == limit
            outlet.limit(1_500_000, None)
            outlet.limit(300_000, None)
            assert outlet._encoder.limit == 2_000_000
            outlet.close()
            assert len(outlet.relay) == 0 and one.readyState == "ended"

    asyncio.run(scenario())


def test_a_still_stream_is_repeated_for_its_viewers() -> None:
    async def scenario() -> None:
        now = [100.0]
        with ThreadPoolExecutor(1) as pool:
            outlet = Outlet("vp8", pool, Ledger(), clock=lambda: now[0])
            outlet.offer(painted(0))
            track = outlet.relay.join()  # after the only picture
            await eventually(lambda: outlet._last is not None)
            outlet.tick(now[0])
            first = await asyncio.wait_for(track.recv(), 20)
            now[0] += 0.6
            outlet.tick(now[0])
            second = await asyncio.wait_for(track.recv(), 20)
            assert first.is_keyframe and not second.is_keyframe and (second.pts or 0) > (first.pts or 0)
            outlet.close()

    asyncio.run(scenario())


def test_a_viewer_that_falls_behind_begins_anew_at_a_keyframe() -> None:
    async def scenario() -> None:
        asked: list[bool] = []
        track = PacketTrack("video", lambda: asked.append(True))
        for number in range(200):
            track.put(Parcel(av.Packet(bytes([number])), is_key=number in (0, 150)))
        assert asked and track.dropped == 150
        assert bytes(await track.recv()) == bytes([150]) and track.sent == 1
        track.stop()
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.05)
        assert not waiting.done()  # it never raises, and is cancelled by whoever sends
        waiting.cancel()

    asyncio.run(scenario())


def test_rates_and_means() -> None:
    rate, ledger = Rate(), Ledger()
    for number in range(100):
        rate.note(number * 0.1)
    assert rate.rate(9.9) == pytest.approx(10, abs=0.5) and rate.rate(20) == 0 and rate.total == 100
    assert ledger.milliseconds()["style"] == 0
    for value in (0.01, 0.03):
        ledger.note("style", value)
    assert ledger.milliseconds()["style"] == 20.0 and ledger.times("style") == [0.01, 0.03]
