"""From a container to decoded frames and other streams' packets, of the wanted part and in output time."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import TypeAlias, cast

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.errors import Interrupted
from streamer.media.endings import Ending
from streamer.media.timeline import Timeline

Item: TypeAlias = "VideoFrame | Packet[Stream]"

_INDEXED = {"mov", "matroska", "avi"}  # seeking lands on a keyframe
_SEARCHABLE = {"mpegts", "flv"}  # seeking lands somewhere
_SEEK_LEAD = 15  # seconds to go back for a keyframe, or for a subtitle that is still on screen at --start
_SOUND_LAG = 3  # seconds by which sound may lie behind its video in a file


class Decoder:
    """Iterates once over an input."""

    def __init__(
        self,
        container: InputContainer,
        video: VideoStream,
        timeline: Timeline,
        ending: Ending,
        stop: threading.Event,
    ) -> None:
        self._container = container
        self._video = video
        self._tick = cast(Fraction, video.time_base)
        self._timeline = timeline
        self._ending = ending
        self._stop = stop
        self._stamped: int | None = None
        self._is_clean = False
        self._items = self._all_items()

    def seek(self) -> None:
        """Go to a place from which the wanted part can be decoded, if it does not begin at the beginning."""
        formats = set(self._container.format.name.split(","))
        if not self._timeline.starts_late or not formats & (_INDEXED | _SEARCHABLE):
            return  # reading from the beginning is slow, but exact
        lead = _SEEK_LEAD if self._container.streams.subtitles or formats & _SEARCHABLE else 0
        try:
            self._timeline.seek(self._container, lead)
        except (av.error.FFmpegError, OSError):
            return  # likewise

    def __iter__(self) -> Iterator[Item]:
        return self._items

    def close(self) -> None:
        """Stop reading."""
        self._items.close()

    def _all_items(self) -> Generator[Item]:
        finished = False
        for packet in self._demux():
            if packet.stream.index != self._video.index:  # an empty one at the end has no other index
                if packet.size and self._timeline.trim(packet):
                    yield packet
                continue
            if finished:
                if self._is_far_behind(packet):
                    return
                continue
            for frame in self._decode(packet):
                time = cast(int, frame.pts) * self._tick
                finished = finished or self._timeline.is_after(time)
                if self._timeline.holds(time):
                    yield frame
        if not finished:
            self._ending.judge()

    def _is_far_behind(self, packet: Packet[Stream]) -> bool:
        """Whether so much video has passed since the wanted part that its sound must have come too."""
        return packet.dts is None or self._timeline.is_after(packet.dts * packet.time_base - _SOUND_LAG)

    def _demux(self) -> Iterator[Packet[Stream]]:
        packets = self._container.demux([s for s in self._container.streams if s.discard != Discard.all])
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                self._ending.broke(error)
                break
            if self._stop.is_set():
                raise Interrupted
            if packet is None:
                return
            self._ending.saw(packet)
            self._timeline.move(packet)
            yield packet
        flush: Packet[Stream] = Packet()
        flush.stream, flush.time_base = self._video, self._tick
        yield flush

    def _decode(self, packet: Packet[Stream]) -> list[VideoFrame]:
        if self._ending.is_cut_off(packet):
            return []
        try:
            frames = self._video.decode(packet)
        except av.error.FFmpegError:
            self._ending.damaged += 1
            return []
        frames = [frame for frame in frames if self._begins_clean(frame)]
        for frame in frames:
            frame.pts = self._stamp(frame)
        self._ending.count(frames)
        return frames

    def _begins_clean(self, frame: VideoFrame) -> bool:
        """Leave out what is guessed before the first keyframe of a recording that begins in the middle."""
        self._is_clean = self._is_clean or not frame.is_corrupt
        return self._is_clean

    def _stamp(self, frame: VideoFrame) -> int:
        """A frame's timestamp; one that has none follows the frame before it at the average rate."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None:
            step = max(1, round(1 / ((self._video.average_rate or 25) * self._tick)))
            stamp = 0 if self._stamped is None else self._stamped + step
        self._stamped = stamp
        return stamp
