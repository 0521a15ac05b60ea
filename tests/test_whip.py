"""Publishing and watching with real peers over the network stack: one encode for all, sound in step, and every end."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCPeerConnection

from streamer.bench.live.client import Tone
from streamer.bench.live.numbers import read
from streamer.errors import BadOption, NameTaken, Overloaded, UnknownStream, UnsupportedOffer
from streamer.rtc import RtcOptions, inside
from streamer.rtc.arrivals import Arrivals
from streamer.rtc.decoding import Picture, VideoIntake
from streamer.rtc.sync import LegClock
from streamer.runtime import PassthroughRuntime
from streamer.settings import LiveOptions
from tests.rtc_service import LOOK, SMALL, Send, eventually, place, slack, through


def test_what_is_published_is_watched_encoded_once_for_all() -> None:
    async def scenario() -> None:
        async with place() as here:
            publisher, _ = await here.meet("publish")
            viewers = [(await here.meet("watch"))[0] for _ in range(3)]
            await eventually(lambda: all(len(viewer.received) > 20 for viewer in viewers))
            drawn = dict(publisher.drawn)
            for viewer in viewers:
                numbers = [number for number, _ in viewer.received]
                assert numbers == sorted(numbers) and set(numbers) <= set(drawn) and viewer.unreadable == 0
            value = here.metrics.registry.get_sample_value
            encoded = value("streamer_stage_seconds_count", {"stage": "encode"}) or 0
            assert 20 < encoded <= (value("streamer_frames_out_total") or 0)
            (stream,) = here.service.streams()
            assert stream["name"] == "room" and stream["viewers"] == 3

    asyncio.run(scenario())


def test_viewers_with_different_codecs_get_an_encoder_each_which_ends_with_the_last_of_them() -> None:
    async def scenario() -> None:
        async with place() as here:
            _, published = await here.meet("publish")
            one, _ = await here.meet("watch", codec="vp8")
            two, watched = await here.meet("watch", codec="h264")
            await eventually(lambda: len(one.received) > 5 and len(two.received) > 5)
            assert set(published.stream._outlets) == {"vp8", "h264"}
            await watched.close()
            assert set(published.stream._outlets) == {"vp8"}

    asyncio.run(scenario())


def test_a_late_viewer_gets_a_picture_soon_without_asking() -> None:
    async def scenario() -> None:
        async with place() as here:
            first = (await here.meet("publish"), await here.meet("watch"))
            await eventually(lambda: len(first[1][0].received) > 30)
            late, _ = await here.meet("watch")
            assert await eventually(lambda: late.received) < 5

    asyncio.run(scenario())


def test_a_name_is_taken_until_its_publisher_has_gone_and_its_viewers_go_with_it() -> None:
    async def scenario() -> None:
        async with place() as here:
            _, published = await here.meet("publish")
            offer = await here.far("publish").offer()
            with pytest.raises(NameTaken, match="room"):
                await here.service.publish("room", offer, LOOK)
            assert here.live.sessions == 1
            _, watched = await here.meet("watch")
            await published.close()
            await eventually(watched.closed.is_set)
            assert watched.reason == "its publisher has gone" and len(here.service) == 0
            assert here.service.streams() == [] and here.live.sessions == 0
            await here.service.publish("room", offer, LOOK)

    asyncio.run(scenario())


def test_a_name_is_free_again_after_an_offer_that_failed() -> None:
    async def scenario() -> None:
        async with place() as here:
            offer = await here.far("publish").offer()
            with pytest.raises(UnsupportedOffer):
                await here.service.publish("room", offer.replace("H264", "H263"), LOOK)
            await here.service.publish("room", offer, LOOK)

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "ä"])
def test_names_are_plain(name) -> None:
    async def scenario() -> None:
        async with place() as here:
            with pytest.raises(BadOption, match="1 to 64"):
                await here.service.publish(name, await here.far("publish").offer(), LOOK)

    asyncio.run(scenario())


def test_what_nobody_publishes_cannot_be_watched_and_places_are_counted() -> None:
    async def scenario() -> None:
        async with place(RtcOptions(max_viewers=1)) as here:
            offer = await here.far("watch").offer()
            with pytest.raises(UnknownStream, match="nowhere"):
                await here.service.watch("nowhere", offer)
            await here.meet("publish")
            with pytest.raises(UnsupportedOffer, match="received from the server"):
                await here.service.watch("room", await here.far("publish").offer())
            await here.meet("watch")
            with pytest.raises(Overloaded, match="places are taken"):
                await here.service.watch("room", offer)

    asyncio.run(scenario())


def test_a_viewer_that_tells_nothing_is_closed_and_costs_its_publisher_nothing() -> None:
    async def scenario() -> None:
        async with place(RtcOptions(deaf_close=1.0)) as here:
            _, published = await here.meet("publish")
            viewer, watched = await here.meet("watch")
            await eventually(lambda: viewer.received)

            async def silent(on: Send, data: bytes) -> None:
                pass

            through(viewer, silent)
            await eventually(watched.closed.is_set)
            assert "nobody has said" in watched.reason and not published.closing

    asyncio.run(scenario())


class Marks(Tone):
    """Opus packets that carry their number; remembers when each was recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[float] = []

    async def recv(self) -> av.Packet[Any]:
        packet = await super().recv()
        self.recorded.append(time.monotonic())
        marked = av.Packet(b"\xf8" + len(self.recorded).to_bytes(4, "big"))
        marked.pts, marked.time_base = packet.pts, Fraction(1, 48_000)
        return marked


class Ears:
    """A viewer that lays sound and picture on the sender's clock, as a browser does to play them in step."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pictures: dict[int | None, int] = {}  # number -> timestamp
        self.sounds: dict[int, int] = {}
        self.video, self.audio = LegClock(90_000), LegClock(48_000)
        self.intake = VideoIntake(pool, self._see, on_arrival=self.video.arrived)
        self._arrivals = Arrivals(0.06, whole_packets=True)

    def open(self, connection: RTCPeerConnection) -> None:
        for transceiver in connection.getTransceivers():
            if transceiver.kind == "video":
                self.intake.codecs = inside.payload_codecs(transceiver)
                inside.tap_receiver(transceiver.receiver, self.intake.take, self.video.reported)
            else:
                inside.tap_receiver(transceiver.receiver, self._hear, self.audio.reported)

    def _see(self, picture: Picture) -> None:
        self.pictures[read(picture.rgb)] = picture.ticks

    def _hear(self, packet: Any) -> bool:
        for sound in self._arrivals.add(packet):
            self.audio.arrived(sound.ticks, sound.arrived)
            self.sounds[int.from_bytes(sound.data[1:], "big")] = sound.ticks
        return False


def test_sound_is_kept_untouched_and_stays_in_step_with_a_picture_that_takes_long() -> None:
    async def scenario() -> None:
        slow = PassthroughRuntime(0.2 / (SMALL[0] * SMALL[1] / 1e6))  # a fifth of a second a picture
        with ThreadPoolExecutor(2) as pool:
            async with place(runtime=slow, limits=LiveOptions(max_sessions=9, lowest_scale=1)) as here:
                publisher, marks = here.far("publish", fps=4), Marks()
                publisher.connection.getSenders()[1].replaceTrack(marks)
                peer = await here.service.publish("room", await publisher.offer(), LOOK)
                await publisher.connect(peer.answer_sdp)
                await eventually(lambda: peer.stream.ledger.times("style"))
                viewer, ears = here.far("watch"), Ears(pool)
                viewer.connection.addTransceiver("audio", "recvonly")
                watched = await here.service.watch("room", await viewer.offer())
                ears.open(viewer.connection)
                await viewer.connect(watched.answer_sdp)
                await eventually(lambda: ears.video.has_report and ears.audio.has_report and len(ears.pictures) > 16)
                drawn = dict(publisher.drawn)
                late_picture = [ears.video.stated(ears.pictures[n]) - drawn[n] for n in ears.pictures if n in drawn]
                late_sound = [ears.audio.stated(t) - marks.recorded[n - 1] for n, t in ears.sounds.items() if n]
                assert abs(np.median(late_picture[4:]) - np.median(late_sound[50:])) < 0.06 * slack()
                assert np.median(peer.stream.ledger.times("total")) > 0.2

    asyncio.run(scenario())
