"""Bounds that hold before anything is parsed. Pure: time comes in from outside."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

MAX_SDP = 128 << 10  # bytes
MAX_JSON = MAX_SDP + (32 << 10)  # bytes: an SDP offer with its line ends escaped, and a look
MAX_FRAGMENT = 16 << 10  # bytes
MAX_DEMO = 4 << 20  # bytes: a webcam's picture, and the look that it is to have
_CLIENTS = 4096  # whose requests are counted; the one not heard of for longest is forgotten


class Rates:
    """Token buckets, one for each client: `rate` a second, and four seconds' worth saved up."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._most, self._clock = rate, max(4 * rate, 8.0), clock
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was

    def take(self, client: str, cost: float) -> float:
        """Pay for a request; returns 0, or the seconds after which the client can."""
        key, now = _network(client), self._clock()
        tokens, then = self._clients.pop(key, (self._most, now))
        tokens = min(self._most, tokens + (now - then) * self._rate)
        enough = tokens >= min(cost, self._most)
        self._clients[key] = (tokens - cost if enough else tokens, now)
        if len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)
        return 0.0 if enough else (min(cost, self._most) - tokens) / self._rate


def _network(client: str) -> str:
    """Somebody with IPv6 has a whole /64 of addresses."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return client
