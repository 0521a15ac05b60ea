"""A browser's loop with real peers over the network stack: pictures there and back, and every way to end."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time

import numpy as np
import pytest
from aiortc.rtp import is_rtcp

from streamer.bench.live.client import Far
from streamer.compiled import compiled_path
from streamer.errors import BadOffer, Overloaded, StaleEtag, UnknownStream, UnknownStyle, UnsupportedOffer
from streamer.rtc import RtcOptions
from streamer.runtime import LiteRTRuntime
from streamer.settings import LiveOptions, Look
from streamer.styles import StyleLibrary
from tests.rtc_service import LOOK, PATIENCE, Send, eventually, place, slack, through


def delays(end: Far) -> list[float]:
    drawn = dict(end.drawn)
    return [at - drawn[number] for number, at in end.received if number in drawn]


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_numbered_pictures_come_back_soon_and_in_order(codec) -> None:
    async def scenario() -> None:
        async with place() as here:
            end, peer = await here.meet("loop", codec=codec)
            assert re.search(rf"a=rtpmap:\d+ {codec}/90000", peer.answer_sdp, re.IGNORECASE)
            await eventually(lambda: len(end.received) >= 30)
            numbers = [number for number, _ in end.received]
            assert numbers == sorted(numbers) and len(set(numbers)) >= 25
            assert end.unreadable == 0
            assert np.median(delays(end)) < slack()
            figures = peer.figures()
            assert figures["fps_in"] > 0 and figures["fps_out"] > 0
            assert figures["frame"] == figures["work"] == [160, 96] and figures["lowered"] is False
            assert set(figures["ms"]) == {"decode", "queue", "style", "encode", "total"}
            assert figures["style"] == "mosaic" and figures["viewers"] == 1

    asyncio.run(scenario())


def test_the_network_paints_and_a_new_look_is_used_at_once() -> None:
    async def scenario() -> None:
        library = StyleLibrary.default()
        runtime = LiteRTRuntime(compiled_path(library.trunk, library.trunk_path.parent), 1)
        async with place(runtime=runtime) as here:
            end, peer = await here.meet("loop", look=Look("mosaic", strength=0))
            await eventually(lambda: len(end.received) >= 5)
            peer.change(Look("great_wave"))
            assert peer.look.style == "great_wave" and peer.figures()["style"] == "great_wave"
            with pytest.raises(UnknownStyle):
                peer.change(Look("nobody"))
            assert peer.look.style == "great_wave"
            seen = len(end.received) + end.unreadable
            await eventually(lambda: len(end.received) + end.unreadable >= seen + 5)
            assert peer.figures()["ms"]["style"] > 0

    asyncio.run(scenario())


def test_figures_come_on_the_data_channel() -> None:
    async def scenario() -> None:
        async with place() as here:
            end, told = here.far("loop"), []
            channel = end.connection.createDataChannel("figures")
            channel.on("message", lambda message: told.append(json.loads(message)))
            end.connection.createDataChannel("something else")
            peer = await here.service.loop(await end.offer(), LOOK)
            await end.connect(peer.answer_sdp)
            await eventually(lambda: len(told) >= 2)
            assert told[-1].keys() == peer.figures().keys()

    asyncio.run(scenario())


def test_candidates_may_come_later() -> None:
    async def scenario() -> None:
        async with place() as here:
            end = here.far("loop")
            offer = await end.offer()
            candidates = re.findall(r"a=candidate:.*\r\n", offer)
            bare = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", offer)
            peer = await here.service.loop(bare, LOOK)
            (ufrag, *_) = re.findall(r"a=ice-ufrag:(\S+)", offer)
            lines = f"a=ice-ufrag:{ufrag}\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n" + "".join(candidates)
            local = "a=candidate:9 1 udp 1 0b1c.local 50000 typ host\r\na=end-of-candidates\r\n"
            with pytest.raises(StaleEtag, match=peer.etag):
                await peer.trickle(lines, "another")
            with pytest.raises(UnsupportedOffer, match="restart"):
                await peer.trickle(lines, "*")
            with pytest.raises(UnsupportedOffer, match="restart"):
                await peer.trickle(lines.replace(ufrag, "other"), peer.etag)
            await peer.trickle(lines + local, peer.etag)
            with pytest.raises(BadOffer, match="32 candidates"):
                await peer.trickle(lines + local * 31)
            await end.connect(peer.answer_sdp)
            await eventually(lambda: end.received)

    asyncio.run(scenario())


def test_an_answer_names_no_servers_and_is_there_at_once() -> None:
    async def scenario() -> None:
        async with place() as here:
            end = here.far("loop")
            offer, began = await end.offer(), time.monotonic()
            peer = await here.service.loop(offer, LOOK)
            assert time.monotonic() - began < 3  # with a STUN server that does not answer it would be five seconds
            assert "typ srflx" not in peer.answer_sdp and len(peer.id) >= 32 and '"' not in peer.etag
            assert here.service.peer(peer.id) is peer
            with pytest.raises(UnknownStream, match="no session"):
                here.service.peer("guess")

    asyncio.run(scenario())


def test_an_offer_that_fails_takes_no_place() -> None:
    async def scenario() -> None:
        async with place() as here:
            offer = await here.far("loop").offer()
            for wrong, kind in (
                ("v=0\r\n", BadOffer),
                (offer.replace("H264", "H263"), UnsupportedOffer),
                (offer.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 x "), BadOffer),
            ):
                with pytest.raises(kind):
                    await here.service.loop(wrong, LOOK)
            with pytest.raises(UnknownStyle):
                await here.service.loop(offer, Look("nobody"))
            assert len(here.service) == 0 and here.live.sessions == 0

    asyncio.run(scenario())


def test_beyond_capacity_there_is_no_room_until_somebody_leaves() -> None:
    async def scenario() -> None:
        async with place(limits=LiveOptions(max_sessions=1)) as here:
            _, first = await here.meet("loop")
            offer = await here.far("loop").offer()
            with pytest.raises(Overloaded) as caught:
                await here.service.loop(offer, LOOK)
            assert caught.value.retry_after > 0
            await first.close()
            assert (await here.service.loop(offer, LOOK)).state in ("new", "connecting", "connected")

    asyncio.run(scenario())


def test_a_far_end_that_says_goodbye_is_gone_at_once() -> None:
    async def scenario() -> None:
        async with place() as here:
            end, peer = await here.meet("loop")
            await eventually(lambda: end.received)
            await end.close()
            assert await eventually(peer.closed.is_set) < 5
            assert len(here.service) == 0 and here.live.sessions == 0

    asyncio.run(scenario())


def test_a_handshake_that_nobody_finishes_is_given_up() -> None:
    async def scenario() -> None:
        async with place(RtcOptions(handshake_within=0.5)) as here:
            peer = await here.service.loop(await here.far("loop").offer(), LOOK)
            await eventually(peer.closed.is_set)
            assert "handshake" in peer.reason and here.live.sessions == 0

    asyncio.run(scenario())


def test_a_publisher_that_falls_silent_is_closed() -> None:
    async def scenario() -> None:
        async with place(RtcOptions(silent_close=1.0)) as here:
            end, peer = await here.meet("loop")
            await eventually(lambda: end.received)
            end.connection.getSenders()[0].replaceTrack(None)
            took = await eventually(peer.closed.is_set)
            assert "nothing was received" in peer.reason and took < 10 * slack()

    asyncio.run(scenario())


def test_the_last_picture_is_sent_on_while_none_come() -> None:
    async def scenario() -> None:
        async with place() as here:
            end, peer = await here.meet("loop")
            await eventually(lambda: len(end.received) > 5)
            end.connection.getSenders()[0].replaceTrack(None)
            before = len(end.received)
            await eventually(lambda: len(end.received) > before + 3 and len({n for n, _ in end.received[-3:]}) == 1)
            assert not peer.closing

    asyncio.run(scenario())


def test_pictures_that_cannot_be_decoded_bring_a_request_for_a_keyframe() -> None:
    async def scenario() -> None:
        async with place() as here:
            end, peer = await here.meet("loop")
            await eventually(lambda: len(end.received) > 5)
            asked, intake = end.keyframes_asked, peer.stream.intake
            intake._waits_for_key_since = time.monotonic()  # as after a loss that nobody told the far end of
            shown = peer.stream.figures()["fps_in"]
            await eventually(lambda: end.keyframes_asked > asked)
            seen = len(end.received)
            await eventually(lambda: len(end.received) > seen + 5)
            assert shown > 0

    asyncio.run(scenario())


def test_a_lost_packet_that_is_sent_again_is_not_missed() -> None:
    async def scenario() -> None:
        async with place() as here:
            end, peer = await here.meet("loop", size=(320, 192))
            await eventually(lambda: len(end.received) > 5)
            lost, count = 0, 0

            async def lossy(on: Send, data: bytes) -> None:
                nonlocal lost, count
                count += 1
                if count % 10 or is_rtcp(data):
                    await on(data)
                else:
                    lost += 1

            through(end, lossy)
            seen, given_up = len(end.received), peer.stream.intake._arrivals.lost
            await eventually(lambda: len(end.received) > seen + 60)
            assert lost >= 5 and peer.stream.intake._arrivals.lost - given_up < lost / 2

    asyncio.run(scenario())


def test_closing_is_bounded_and_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        tasks, threads = len(asyncio.all_tasks()), threading.active_count()
        async with place() as here:
            met = [await here.meet("loop") for _ in range(3)]
            await eventually(lambda: all(end.received for end, _ in met))
            began = time.monotonic()
            await here.service.close()
            assert time.monotonic() - began < PATIENCE
            assert all(peer.closed.is_set() and peer.reason == "the service is closing" for _, peer in met)
            with pytest.raises(Overloaded, match="closing"):
                await here.service.loop(await here.far("loop").offer(), LOOK)
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
        await eventually(lambda: threading.active_count() <= threads + 8)  # the loop's own executor stays

    asyncio.run(scenario())


def test_cancelling_whoever_closes_does_not_stop_the_closing() -> None:
    async def scenario() -> None:
        async with place() as here:
            _, peer = await here.meet("loop")
            task = asyncio.create_task(peer.close())
            await asyncio.sleep(0)
            task.cancel()
            await eventually(peer.closed.is_set)

    asyncio.run(scenario())
