"""SDP offers from strangers: measured, cleaned and understood before aiortc answers them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aiortc.sdp import DIRECTIONS, SessionDescription

from streamer.errors import BadOffer, UnsupportedOffer

MAX_BYTES = 128 * 1024
MAX_MEDIA = 3  # a video, an audio, a data channel
MAX_CANDIDATES = 32
_KINDS = {"video": "video", "audio": "audio", "application": "data channel"}


@dataclass(frozen=True)
class Offer:
    """An offer that may be answered. `text`: cleaned SDP; `media`: kind -> mid; `ufrag`: of the only ICE transport."""

    text: str
    media: dict[str, str]
    ufrag: str
    primary: str  # the mid whose transport all share
    candidates: int


def read_offer(text: str, *, receives: bool, sends: bool) -> Offer:
    """Check an offer. receives, sends: whether our side takes its video, and gives it one.

    Raises BadOffer for what cannot be read or is too large, UnsupportedOffer for what there is not.
    """
    lines = _measured(text)
    cleaned = "\r\n".join(_directed(_cleaned(lines))) + "\r\n"
    description = _parsed(cleaned)
    media = _media(description)
    primary = _primary(description, list(media.values()))
    for section in description.media:
        _check_transport(section)
    video = next(section for section in description.media if section.kind == "video")
    _check_direction(str(video.direction), receives=receives, sends=sends)
    ufrag = next(section.ice for section in description.media if section.rtp.muxId == primary)
    found = sum(len(section.ice_candidates) for section in description.media)
    return Offer(cleaned, media, str(ufrag and ufrag.usernameFragment), primary, found)


def usable(candidate: str) -> bool:
    """Whether an SDP candidate (`foundation component transport priority address port typ ...`) can be tried.

    Not: names (a browser's `.local` ones may not resolve, and its checks reach us anyway), TCP, separate RTCP.
    Raises BadOffer for what is no candidate.
    """
    bits = candidate.split()
    try:
        component, transport, port = int(bits[1]), bits[2].lower(), int(bits[5])
        int(bits[3])
        if len(bits) < 8 or bits[6] != "typ" or not 0 < port < 65536:
            raise ValueError
    except (ValueError, IndexError):
        raise BadOffer(f"This is no ICE candidate: {candidate[:100]!r}.") from None
    try:
        address = ipaddress.ip_address(bits[4])
    except ValueError:
        return False
    return component == 1 and transport == "udp" and not (address.is_multicast or address.is_unspecified)


def _measured(text: str) -> list[str]:
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise BadOffer(f"An offer may have {MAX_BYTES} bytes; received {size}.")
    lines = text.splitlines()
    sections = sum(line.startswith("m=") for line in lines)
    if sections > MAX_MEDIA:
        raise UnsupportedOffer(f"An offer may have {MAX_MEDIA} media lines; received {sections}.")
    candidates = sum(line.startswith("a=candidate:") for line in lines)
    if candidates > MAX_CANDIDATES:
        raise BadOffer(f"An offer may have {MAX_CANDIDATES} candidates; received {candidates}.")
    return lines


def _cleaned(lines: list[str]) -> list[str]:
    """Without candidates of no use, and without the end of candidates, after which aioice gives up too early."""
    kept = []
    for line in lines:
        if line.startswith("a=candidate:") and not usable(line.removeprefix("a=candidate:")):
            continue
        if line.strip() != "a=end-of-candidates":
            kept.append(line.rstrip())
    return kept


def _directed(lines: list[str]) -> list[str]:
    """With a direction in every media section: aiortc knows neither the usual one nor the session's."""
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")] + [len(lines)]
    session = lines[: starts[0]]
    usual = next((line for line in session if line[2:] in DIRECTIONS), "a=sendrecv")
    directed = session
    for start, end in pairwise(starts):
        section = lines[start:end]
        directed = directed + section + ([] if any(line[2:] in DIRECTIONS for line in section) else [usual])
    return directed


def _parsed(text: str) -> SessionDescription:
    try:
        return SessionDescription.parse(text)
    except Exception as error:  # noqa: BLE001 - aiortc's parser raises AssertionError, StopIteration, KeyError and others
        raise BadOffer(f"The offer is not SDP that can be read: {type(error).__name__} {error}".strip() + ".") from None


def _media(description: SessionDescription) -> dict[str, str]:
    media: dict[str, str] = {}
    for section in description.media:
        if section.kind not in _KINDS:
            raise UnsupportedOffer(f"Media of kind {section.kind[:40]!r} are not supported.")
        if section.kind in media:
            raise UnsupportedOffer(f"An offer may have one {_KINDS[section.kind]} at most.")
        media[section.kind] = section.rtp.muxId
    if "video" not in media:
        raise UnsupportedOffer("The offer has no video.")
    if not all(media.values()) or len(set(media.values())) < len(media):
        raise BadOffer("Every media line needs a mid of its own.")
    return media


def _primary(description: SessionDescription, mids: list[str]) -> str:
    """The mid that the others are bundled with."""
    bundle = next((group.items for group in description.group if group.semantic == "BUNDLE"), None)
    if bundle is None and len(mids) == 1:
        return mids[0]
    if bundle is None or sorted(map(str, bundle)) != sorted(mids):
        raise UnsupportedOffer("All media of an offer must be bundled.")
    return str(bundle[0])


def _check_transport(section: Any) -> None:
    if section.dtls is None or not section.dtls.fingerprints:
        raise BadOffer("The offer has no DTLS fingerprint or no setup attribute.")
    if not section.ice.usernameFragment or not section.ice.password:
        raise BadOffer("The offer has no ICE user name or password.")
    if section.kind != "application" and not section.rtcp_mux:
        raise UnsupportedOffer("RTCP must be multiplexed with RTP (a=rtcp-mux).")
    if section.kind == "application" and section.sctp_port is None:
        raise UnsupportedOffer("A data channel needs its a=sctp-port.")


def _check_direction(direction: str, *, receives: bool, sends: bool) -> None:
    if receives and direction not in ("sendonly", "sendrecv"):
        raise UnsupportedOffer(f"The offer's video must be sent to the server; received a={direction}.")
    if sends and direction not in ("recvonly", "sendrecv"):
        raise UnsupportedOffer(f"The offer's video must be received from the server; received a={direction}.")
