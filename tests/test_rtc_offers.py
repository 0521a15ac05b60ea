"""Offers and fragments from strangers: what is answered, what is refused, and that nothing else can come of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from streamer.errors import BadOffer, UnsupportedOffer
from streamer.rtc import inside
from streamer.rtc.fragments import read_fragment
from streamer.rtc.offers import MAX_BYTES, Offer, read_offer, usable

HOST = "1 1 udp 2130706431 192.0.2.7 50000 typ host"


def offer_text(kinds: tuple[str, ...] = ("video", "audio"), direction: str = "sendrecv", channel: bool = True) -> str:
    """What aiortc's own far end offers."""

    async def made() -> str:
        from aiortc import RTCConfiguration, RTCPeerConnection

        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in kinds:
            connection.addTransceiver(kind, direction)
        if channel:
            connection.createDataChannel("figures")
        inside.offer_loopback(connection)
        await connection.setLocalDescription(await connection.createOffer())
        text = str(connection.localDescription.sdp)
        await connection.close()
        return text

    return asyncio.run(made())


@pytest.fixture(scope="module")
def offer() -> str:
    return offer_text()


def test_an_offer_is_understood(offer) -> None:
    found = read_offer(offer, receives=True, sends=True)
    assert found.media == {"video": "0", "audio": "1", "application": "2"} and found.primary == "0"
    assert f"a=ice-ufrag:{found.ufrag}" in offer
    assert "end-of-candidates" not in found.text  # aioice would give up before the far end's own checks arrive


def test_candidates_of_no_use_are_left_out(offer) -> None:
    extra = (
        "a=candidate:1 1 udp 2130706431 3f2c9c7e-1.local 50000 typ host\r\n"
        "a=candidate:2 1 tcp 2130706431 192.0.2.8 9 typ host tcptype active\r\n"
        "a=candidate:3 1 udp 2130706431 192.0.2.9 50001 typ host\r\n"
    )
    found = read_offer(offer.replace("a=candidate", extra + "a=candidate", 1), receives=True, sends=True)
    assert ".local" not in found.text and "tcptype" not in found.text and "192.0.2.9" in found.text


def test_a_direction_that_is_missing_is_the_usual_one(offer) -> None:
    bare = "\r\n".join(line for line in offer.splitlines() if line != "a=sendrecv") + "\r\n"
    assert read_offer(bare, receives=True, sends=True).text.count("a=sendrecv") == 3
    session_wide = bare.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n")
    assert read_offer(session_wide, receives=True, sends=False).text.count("a=sendonly") == 4
    with pytest.raises(UnsupportedOffer, match="received from the server"):
        read_offer(session_wide, receives=True, sends=True)


def without(offer: str, start: str) -> str:
    return "\r\n".join(line for line in offer.splitlines() if not line.startswith(start)) + "\r\n"


REFUSED: dict[str, tuple[Callable[[str], str], type[BadOffer], str]] = {
    "no video": (lambda text: offer_text(("audio",)), UnsupportedOffer, "no video"),
    "two videos": (lambda text: offer_text(("video", "video"), channel=False), UnsupportedOffer, "one video"),
    "two audios": (lambda text: offer_text(("video", "audio", "audio"), channel=False), UnsupportedOffer, "one audio"),
    "four lines": (lambda text: offer_text(("video", "audio", "audio")), UnsupportedOffer, "3 media lines; received 4"),
    "unknown kind": (lambda text: text.replace("m=audio", "m=text"), UnsupportedOffer, "'text'"),
    "not bundled": (lambda text: without(text, "a=group:BUNDLE"), UnsupportedOffer, "bundled"),
    "half bundled": (lambda text: text.replace("BUNDLE 0 1 2", "BUNDLE 0 1"), UnsupportedOffer, "bundled"),
    "no mid": (lambda text: without(text, "a=mid:1"), BadOffer, "mid of its own"),
    "same mids": (lambda text: text.replace("a=mid:1", "a=mid:0"), BadOffer, "mid of its own"),
    "no fingerprint": (lambda text: without(text, "a=fingerprint"), BadOffer, "fingerprint"),
    "no setup": (lambda text: without(text, "a=setup"), BadOffer, "setup"),
    "bad setup": (lambda text: text.replace("a=setup:actpass", "a=setup:maybe"), BadOffer, "cannot|can be read"),
    "no password": (lambda text: without(text, "a=ice-pwd"), BadOffer, "ICE user name or password"),
    "no mux": (lambda text: without(text, "a=rtcp-mux"), UnsupportedOffer, "rtcp-mux"),
    "no sctp port": (lambda text: without(text, "a=sctp-port"), UnsupportedOffer, "sctp-port"),
    "not SDP": (lambda text: "hello", UnsupportedOffer, "no video"),
    "bad media line": (lambda text: text.replace("m=video", "m=video x"), BadOffer, "can be read"),
    "fmtp of nothing": (lambda text: text.replace("a=fmtp:", "a=fmtp:1"), BadOffer, "can be read"),
    "bad candidate": (lambda text: text.replace("a=candidate:", "a=candidate:x y "), BadOffer, "no ICE candidate"),
    "too large": (lambda text: text + "a=x:" + "y" * MAX_BYTES, BadOffer, f"{MAX_BYTES} bytes"),
    "candidates": (lambda text: text + f"a=candidate:{HOST}\r\n" * 33, BadOffer, "32 candidates; received"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_with_a_sentence(offer, case) -> None:
    change, kind, words = REFUSED[case]
    with pytest.raises(BadOffer, match=words) as caught:
        read_offer(change(offer), receives=True, sends=True)
    assert type(caught.value) is kind and str(caught.value).endswith(".")


def test_publishers_must_send_and_viewers_receive() -> None:
    with pytest.raises(UnsupportedOffer, match="sent to the server"):
        read_offer(offer_text(direction="recvonly"), receives=True, sends=False)
    with pytest.raises(UnsupportedOffer, match="received from the server"):
        read_offer(offer_text(direction="sendonly"), receives=False, sends=True)


@pytest.mark.parametrize(
    ("candidate", "is_usable"),
    [
        (HOST, True),
        ("1 1 UDP 1 2001:db8::1 50000 typ srflx raddr 0.0.0.0 rport 0", True),
        ("1 2 udp 1 192.0.2.7 50000 typ host", False),
        ("1 1 tcp 1 192.0.2.7 50000 typ host", False),
        ("1 1 udp 1 some.local 50000 typ host", False),
        ("1 1 udp 1 example.org 50000 typ host", False),
        ("1 1 udp 1 224.0.0.1 50000 typ host", False),
        ("1 1 udp 1 0.0.0.0 50000 typ host", False),
    ],
)
def test_only_udp_to_an_address_is_tried(candidate, is_usable) -> None:
    assert usable(candidate) is is_usable


@pytest.mark.parametrize("candidate", ["", "1 1 udp 1 192.0.2.7", "1 x udp 1 192.0.2.7 5 typ host", HOST + "0" * 99])
def test_what_is_no_candidate_is_refused(candidate) -> None:
    if candidate.startswith(HOST):
        assert usable(candidate)  # an odd type is the far end's affair
        return
    with pytest.raises(BadOffer, match="no ICE candidate"):
        usable(candidate)


def fragment(offer: Offer, ufrag: str | None = None, candidates: tuple[str, ...] = (HOST,), end: bool = False) -> str:
    lines = [f"a=ice-ufrag:{ufrag or offer.ufrag}", "a=ice-pwd:0123456789012345678901", "m=video 9 RTP/AVP 0"]
    lines += ["a=mid:0"] + [f"a=candidate:{each}" for each in candidates] + ["a=end-of-candidates"] * end
    return "\r\n".join(lines) + "\r\n"


def test_a_fragment_is_understood(offer) -> None:
    found = read_offer(offer, receives=True, sends=True)
    read = read_fragment(fragment(found, candidates=(HOST, HOST.replace("192.0.2.7", "x.local"))), found)
    assert read.candidates == (HOST,) and read.offered == 2
    assert read_fragment(fragment(found, candidates=(), end=True), found).candidates == ()


def test_a_fragment_with_another_user_name_is_an_ice_restart(offer) -> None:
    found = read_offer(offer, receives=True, sends=True)
    with pytest.raises(UnsupportedOffer, match="restart"):
        read_fragment(fragment(found, ufrag="Other"), found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither candidates"),
        ("m=video 9 RTP/AVP 0\r\n", "neither candidates"),
        ("nonsense", "no line of SDP"),
        ("a=mid:7\r\n", "no media with the mid '7'"),
        ("a=candidate:1 1 udp\r\n", "no ICE candidate"),
        (f"a=candidate:{HOST}\r\n" * 33, "32 candidates; received 33"),
        ("a=" + "x" * MAX_BYTES, "bytes"),
    ],
)
def test_bad_fragments_are_refused(offer, text, words) -> None:
    found = read_offer(offer, receives=True, sends=True)
    with pytest.raises(BadOffer, match=words):
        read_fragment(text, found)


def mangled(text: str, rng: random.Random) -> str:
    """The same with a few lines or bytes lost, doubled, moved or replaced."""
    lines = text.splitlines()
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, rng.choice(lines))
            case 2:
                lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
            case 3:
                at = rng.randrange(len(lines[place]) + 1)
                lines[place] = (
                    lines[place][:at] + chr(rng.choice([0, 9, 32, 58, 61, 99, 0x2028, 0xD800])) + lines[place][at:]
                )
            case 4:
                lines[place] = lines[place].replace("1", str(rng.choice([-1, 2**70, "x", ""])))
        lines = lines or ["v=0"]
    return "\r\n".join(lines)


def test_two_thousand_mangled_offers_and_fragments_are_read_or_refused_and_nothing_else(offer) -> None:
    rng, refused = random.Random(4), []
    found = read_offer(offer, receives=True, sends=True)
    for _ in range(2000):
        for read in (
            lambda: read_offer(mangled(offer, rng), receives=True, sends=True),
            lambda: read_fragment(mangled(fragment(found), rng), found),
        ):
            try:
                read()
            except BadOffer as error:
                refused.append(str(error))
    assert len(refused) > 1000
    assert all(sentence.endswith(".") for sentence in refused)
