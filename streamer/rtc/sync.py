"""Sound in step with the picture: audio is held back for as long as its picture is being painted. Pure: no I/O.

Timestamps of two legs say nothing about each other. What relates them is what the publisher's reports say of both
(an NTP time and a timestamp that belong together), or else when packets arrived, the quickest ones being believed.
"""

from __future__ import annotations

from collections import deque

_WINDOW = 256  # packets over which the quickest is looked for
_LONGEST = 2.0  # seconds that sound is held back at most
_SMOOTHED = 0.1  # what a single picture's delay weighs


class LegClock:
    """One incoming leg: RTP timestamps to seconds of the publisher's clock, or of ours until it has reported."""

    def __init__(self, rate: int) -> None:
        """rate: RTP ticks a second."""
        self._rate = rate
        self._offsets: deque[float] = deque(maxlen=_WINDOW)  # arrival minus media time, seconds
        self._report: tuple[float, int] | None = None
        self._last = 0

    def arrived(self, ticks: int, now: float) -> None:
        """A packet with this (unwrapped) timestamp has come."""
        self._last = ticks
        self._offsets.append(now - ticks / self._rate)

    def reported(self, ntp: float, timestamp: int) -> None:
        """The publisher says which of its timestamps (32 bits) belongs to which time. Ignored before any packet."""
        if self._offsets and ntp > 0:
            self._report = ntp, timestamp

    @property
    def has_report(self) -> bool:
        """Whether the publisher's own clock is known."""
        return self._report is not None

    @property
    def ahead(self) -> float:
        """The publisher's clock minus ours, by the quickest packets, seconds."""
        return self.stated(self._last) - self.local(self._last)

    def local(self, ticks: int) -> float:
        """When a packet with this timestamp came, or would have come, had it been as quick as the quickest."""
        return ticks / self._rate + min(self._offsets, default=0.0)

    def stated(self, ticks: int) -> float:
        """When the publisher says that it was captured, NTP seconds; see `has_report`."""
        if self._report is None:
            return self.local(ticks)
        ntp, timestamp = self._report
        behind = (ticks - timestamp + 2**31) % 2**32 - 2**31
        return ntp + behind / self._rate


class Step:
    """When sound is due, from how long pictures took."""

    def __init__(self, video: LegClock, audio: LegClock) -> None:
        self._video, self._audio = video, audio
        self._delay: float | None = None  # of pictures: from the arrival of a quick packet to sent, seconds

    def picture_sent(self, ticks: int, now: float) -> None:
        """The picture with this timestamp leaves at this moment."""
        delay = min(max(0.0, now - self._video.local(ticks)), _LONGEST)
        self._delay = delay if self._delay is None else self._delay + _SMOOTHED * (delay - self._delay)

    def due(self, ticks: int) -> float:
        """When sound with this timestamp is to leave, in seconds of our clock; with no picture yet, at once."""
        ours = self._audio.local(ticks)
        if self._delay is None:
            return ours
        if self._video.has_report and self._audio.has_report:
            by_report = self._audio.stated(ticks) - self._video.ahead
            if abs(by_report - ours) < _LONGEST:  # beyond that its reports are wrong
                ours = by_report
        return ours + self._delay
