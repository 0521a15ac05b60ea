"""When things happen: the part of the input that is wanted, and what is subtracted from its timestamps.

Timestamps are kept as they are, except where that would hide the video: a wanted start becomes zero, frames before
zero (which MP4 players skip) move to zero, and so do clocks that are not offsets (broadcasts, cameras). Whatever
moves, moves for all streams alike.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

if TYPE_CHECKING:
    from av.container.core import Chapter  # exists in the stubs only

_LONGEST_LEAD_IN = 10  # seconds; files made for HTTP streaming start at up to 10 s, clocks anywhere
_TOLERANCE = Fraction(1, 2000)  # seconds; half of the coarsest common tick, so that 0.033 means frame 1 of 30 fps
_JUMP = 2  # seconds; a clock that goes back by more has been set anew, by less it is jitter


class Timeline:
    """Maps the input's times to the output's."""

    def __init__(self, container: InputContainer, video: Stream, start: float | None, duration: float | None) -> None:
        self.origin = _origin(container, video)
        self.starts_late = bool(start)
        self.is_cut = self.starts_late or duration is not None
        self.begin = self.origin + _exact(start or 0)  # seconds of the input
        self.length = None if duration is None else _exact(duration)
        if start:
            self.shift = self.begin
        else:
            self.shift = Fraction(0) if 0 <= self.origin <= _LONGEST_LEAD_IN else self.origin
        self._ends = _ends(container, video)
        self._zero = self.begin - self.shift  # of the window, in output time
        self._jumps = [Fraction(0)]  # seconds to add before the first join, behind it, behind the second ...
        self._joins_passed: dict[int, int] = {}  # by stream
        self._last: dict[int, Fraction] = {}  # seconds at which each stream's last packet ended

    def move(self, packet: Packet[Stream]) -> None:
        """Give a packet its output time."""
        offset = self._jump(packet) - self.shift
        if not offset:
            return
        ticks = round(offset / packet.time_base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks

    def _jump(self, packet: Packet[Stream]) -> Fraction:
        """What to add because the clock has been set back: joined recordings each begin anew.

        Streams pass a join one after the other; the first one decides, the others follow by the same amount.
        """
        stream = packet.stream_index
        joins = self._joins_passed.setdefault(stream, len(self._jumps) - 1)
        if packet.dts is not None:
            now, last = packet.dts * packet.time_base, self._last.get(stream)
            if last is not None and now < last - _JUMP:
                joins = self._joins_passed[stream] = joins + 1
                if joins == len(self._jumps):
                    self._jumps.append(self._jumps[-1] + max(self._last.values()) - now)
            self._last[stream] = now + (packet.duration or 0) * packet.time_base
        return self._jumps[joins]

    def holds(self, time: Fraction) -> bool:
        """Whether a frame at this output time is wanted."""
        return not self.is_before(time) and not self.is_after(time)

    def is_before(self, time: Fraction) -> bool:
        """Whether an output time lies before the wanted part."""
        return self.starts_late and time < self._zero - _TOLERANCE

    def is_after(self, time: Fraction) -> bool:
        """Whether an output time lies behind the wanted part."""
        return self.length is not None and time >= self._zero + self.length - _TOLERANCE

    def trim(self, packet: Packet[Stream]) -> bool:
        """Cut a subtitle's or sound's packet to the wanted part; False if nothing is left of it."""
        if not self.is_cut or packet.pts is None:
            return True
        begin, length = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
        if self.is_after(begin) or (self.is_before(begin) and begin + length <= self._zero):
            return False
        if packet.stream.type == "subtitle":
            self._trim_cue(packet, begin, begin + length)
        return True

    def _trim_cue(self, packet: Packet[Stream], begin: Fraction, end: Fraction) -> None:
        if self.is_before(begin):
            begin = self._zero
            packet.pts = packet.dts = round(begin / packet.time_base)
        if self.length is not None:
            end = min(end, self._zero + self.length)
        packet.duration = max(0, round((end - begin) / packet.time_base))

    def end(self, last: Fraction) -> Fraction | None:
        """The output time at which the last frame, shown at `last`, ends, if that is known."""
        ends = [end - self.shift for end in self._ends]
        if self.length is not None:
            ends.append(self._zero + self.length)
        return min((end for end in ends if end > last), default=None)

    def chapters(self, chapters: list[Chapter]) -> list[Chapter]:
        """The input's chapters in output time, cut to the wanted part."""
        moved = (self._moved_chapter(chapter) for chapter in chapters)
        return [chapter for chapter in moved if chapter is not None]

    def _moved_chapter(self, chapter: Chapter) -> Chapter | None:
        base = chapter["time_base"] or Fraction(1, av.time_base)
        begin, end = (chapter[edge] * base - self.shift for edge in ("start", "end"))
        if self.is_cut:
            begin = max(begin, self._zero)
            end = end if self.length is None else min(end, self._zero + self.length)
        begin = max(begin, Fraction(0))
        if end <= begin:
            return None
        return {**chapter, "start": round(begin / base), "end": round(end / base), "time_base": base}

    def seek(self, container: InputContainer, lead: int) -> None:
        """Go to a keyframe at least `lead` seconds before the wanted part."""
        container.seek(int((self.begin - lead) * av.time_base))
        self._last.clear()


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(1_000_000)  # 0.1 means a tenth, not the nearest binary fraction


def _ends(container: InputContainer, video: Stream) -> list[Fraction]:
    """The seconds of the input at which its video may end: what the stream says and what the file says.

    Neither is sure: the one is too early in an MP4 of varying frame rate with B-frames, the other is that of the sound.
    """
    if not video.duration or video.time_base is None:
        return []
    ends = [((video.start_time or 0) + video.duration) * video.time_base]
    if container.duration and container.start_time is not None:
        ends.append(Fraction(container.start_time + container.duration, av.time_base))
    return ends


def _origin(container: InputContainer, video: Stream) -> Fraction:
    """The second that a player shows as zero. Sound that begins a little earlier is an encoder's run-up, no content."""
    start = video.start_time
    first = start * video.time_base if start is not None and video.time_base else Fraction(0)
    whole = Fraction(container.start_time, av.time_base) if container.start_time is not None else first
    return min(first, max(Fraction(0), whole))
