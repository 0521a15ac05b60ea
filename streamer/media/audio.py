"""Audio that the output's container cannot hold as it is: decoded and encoded again, in step with the picture."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream

_RATES = {
    "libopus": (48000,),
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
}
_BITS_PER_CHANNEL = {"libopus": 64_000, "aac": 80_000}
# Of the layouts with so many channels, those that both encoders know: discs often have side for back speakers
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class AudioTranscoder:
    """Decodes one input stream's packets and encodes them for one stream of the output."""

    def __init__(self, source: AudioStream, output: OutputContainer, encoder: str) -> None:
        self._decoder = source.codec_context
        rate, channels = source.codec_context.sample_rate, source.codec_context.layout.nb_channels
        rates = _RATES[encoder]
        self._target = cast(AudioStream, output.add_stream(encoder, rate=rate if rate in rates else 48000))
        self.stream: Stream = self._target
        self._encoder: AudioCodecContext = self._target.codec_context
        self._encoder.layout = _LAYOUTS.get(channels, "stereo")
        self._encoder.bit_rate = _BITS_PER_CHANNEL[encoder] * self._encoder.layout.nb_channels
        self._time_base = cast(Fraction, source.time_base)
        self._graph: Graph | None = None
        self._form: tuple[int, str, str] | None = None  # of the samples that the graph takes
        self.damaged = 0

    def convert(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Packets for the output that this packet completes; damaged audio is skipped and counted."""
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        return [ready for frame in frames for ready in self._encode(frame)]

    def finish(self) -> list[Packet[Stream]]:
        """The packets still inside decoder and encoder."""
        flush: Packet[Stream] = Packet()  # empty, but a frame takes its time base from the packet it came in
        flush.time_base = self._time_base
        packets = self.convert(flush)
        return packets + self._end_graph() + list(self._target.encode(None))

    def _encode(self, frame: AudioFrame) -> list[Packet[Stream]]:
        packets: list[Packet[Stream]] = []
        form = (frame.sample_rate, frame.format.name, frame.layout.name)
        if form != self._form:  # at the beginning, and where a broadcast goes from stereo to surround
            packets += self._end_graph()
            self._form, self._graph = form, self._resampler(frame)
        cast(Graph, self._graph).push(frame)
        return packets + self._drain()

    def _end_graph(self) -> list[Packet[Stream]]:
        if self._graph is None:
            return []
        self._graph.push(None)
        return self._drain()

    def _drain(self) -> list[Packet[Stream]]:
        packets: list[Packet[Stream]] = []
        while True:
            try:
                frame = cast(AudioFrame, cast(Graph, self._graph).pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return packets
            packets += self._target.encode(frame)

    def _resampler(self, first: AudioFrame) -> Graph:
        """Converts to the encoder's format; fills gaps and corrects drift, so that sound keeps to its timestamps."""
        graph = Graph()
        source = graph.add_abuffer(
            sample_rate=first.sample_rate, format=first.format.name, layout=first.layout.name, time_base=first.time_base
        )
        steps = [
            graph.add("aresample", f"{self._encoder.sample_rate}:async=1:min_hard_comp=0.05"),
            graph.add(
                "aformat",
                f"sample_fmts={self._encoder.format.name}:sample_rates={self._encoder.sample_rate}"
                f":channel_layouts={self._encoder.layout.name}",
            ),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(source, *steps).configure()
        return graph
