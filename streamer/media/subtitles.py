"""Text subtitles in the form that the output's container takes."""

from __future__ import annotations

from typing import cast

import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream

BITMAPS = {"dvbsub", "dvb_subtitle", "dvdsub", "dvd_subtitle", "pgssub", "hdmv_pgs_subtitle", "xsub"}


class SubtitleTranscoder:
    """Decodes one input stream's cues and encodes them for one stream of the output."""

    def __init__(self, source: SubtitleStream, output: OutputContainer, encoder: str) -> None:
        self._decoder: SubtitleCodecContext = source.codec_context
        self._decoder.open(strict=False)
        self.stream: Stream = output.add_stream(encoder)
        self._encoder = cast(SubtitleCodecContext, self.stream.codec_context)
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self.damaged = 0

    def convert(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """The cue in the output's form with the times of `packet`; none for an empty or damaged one."""
        try:
            cue = self._decoder.decode2(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        if cue is None or len(cue) == 0:
            return []
        made = self._encoder.encode_subtitle(cue)
        if made.size == 0:
            return []
        made.time_base, made.pts, made.dts = packet.time_base, packet.pts, packet.pts
        made.duration = packet.duration
        made.stream = self.stream
        return [made]

    def finish(self) -> list[Packet[Stream]]:
        """Nothing is ever held back."""
        return []
