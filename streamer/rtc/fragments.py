"""Trickle ICE: candidates that come after the offer, as `application/trickle-ice-sdpfrag` (RFC 8840, RFC 9725)."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.errors import BadOffer, UnsupportedOffer
from streamer.rtc.offers import MAX_BYTES, MAX_CANDIDATES, Offer, usable


@dataclass(frozen=True)
class Fragment:
    """What a fragment says. `candidates`: SDP candidates that can be tried; `offered`: how many there were."""

    candidates: tuple[str, ...]
    offered: int


def read_fragment(text: str, offer: Offer) -> Fragment:
    """Check a fragment against the offer that it continues.

    Raises BadOffer for what cannot be read or names other media, UnsupportedOffer for an ICE restart.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise BadOffer(f"A fragment may have {MAX_BYTES} bytes.")
    found, known = [], False
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, _, value = line.partition(":")
        if line[1:2] != "=" or not line[0].isalpha():
            raise BadOffer(f"This is no line of SDP: {line[:100]!r}.")
        if name == "a=ice-ufrag" and value != offer.ufrag:
            raise UnsupportedOffer("ICE restarts are not supported; connect anew.")
        if name == "a=mid" and value not in offer.media.values():
            raise BadOffer(f"The session has no media with the mid {value[:40]!r}.")
        if name == "a=candidate":
            found.append(value)
        known = known or name in ("a=ice-ufrag", "a=mid", "a=candidate", "a=end-of-candidates")
    if not known:
        raise BadOffer("The fragment has neither candidates nor their end.")
    if len(found) > MAX_CANDIDATES:
        raise BadOffer(f"A fragment may have {MAX_CANDIDATES} candidates; received {len(found)}.")
    return Fragment(tuple(value for value in found if usable(value)), len(found))
