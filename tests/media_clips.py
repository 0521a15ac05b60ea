"""Small clips made on the spot, and ways to look into any clip. Nothing here uses what it helps to test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SAMPLE_RATE = 48000
MATRIX = {601: (0.299, 0.114), 709: (0.2126, 0.0722), 2020: (0.2627, 0.0593)}  # Kr, Kb
H273 = {601: 6, 709: 1, 2020: 9, None: 2}


class Identity:
    """The style that changes nothing, and remembers what it was shown."""

    def __init__(self, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self.batches: list[int] = []
        self.times: list[float] = []
        self.seen: list[Picture] = []

    def __call__(self, frames: Sequence[Picture], times: Sequence[float]) -> list[Picture]:
        self.batches.append(len(frames))
        self.times += times
        self.seen += [frame.copy() for frame in frames]
        return list(frames)


def moving(index: int, width: int, height: int) -> Picture:
    """A smooth picture that differs from frame to frame, away from the ends of the colour cube."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [np.sin((x + shift * y + 9 * index) / 17) for shift in (0.3, 1.1, -0.7)]
    return np.stack([128 + 60 * wave for wave in waves], -1).round().astype(np.uint8)


def numbered(index: int, width: int, height: int) -> Picture:
    """A picture with its number written in eight white or black bars."""
    bars = np.repeat([235 if index >> bit & 1 else 20 for bit in range(8)], width // 8)
    return np.broadcast_to(bars.astype(np.uint8)[None, :, None], (height, width, 3)).copy()


def number_of(picture: Picture) -> int:
    """Read the number that `numbered` wrote."""
    bars = picture.mean((0, 2)).reshape(8, -1).mean(1)
    return sum(1 << bit for bit in range(8) if bars[bit] > 128)


def yuv_of(picture: Picture, matrix: int, full: bool) -> list[Picture]:
    """Planes of a picture in 4:2:0, each chroma sample the mean of its (up to) four pixels."""
    kr, kb = MATRIX[matrix]
    red, green, blue = (picture[..., channel].astype(float) for channel in range(3))
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = [(blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)]
    if not full:
        luma, chroma = 16 + luma * 219 / 255, [plane * 224 / 255 for plane in chroma]
    planes = [luma, *(128 + _halved(plane) for plane in chroma)]
    return [plane.round().clip(0, 255).astype(np.uint8) for plane in planes]


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    quads = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2)
    return (quads[:, 0, :, 0] + quads[:, 1, :, 0] + quads[:, 0, :, 1] + quads[:, 1, :, 1]) / 4


def rgb_of(planes: Sequence[NDArray[Any]], matrix: int, full: bool) -> NDArray[np.float64]:
    """Exact RGB of 4:2:0 planes, chroma repeated; the reference that conversions are held against."""
    kr, kb = MATRIX[matrix]
    height, width = planes[0].shape
    luma = planes[0].astype(float)
    blue, red = (np.repeat(np.repeat(p.astype(float) - 128, 2, 0), 2, 1)[:height, :width] for p in planes[1:])
    if not full:
        luma, blue, red = (luma - 16) * 255 / 219, blue * 255 / 224, red * 255 / 224
    r, b = luma + (2 - 2 * kr) * red, luma + (2 - 2 * kb) * blue
    return np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b], -1).clip(0, 255)


def planes_of(frame: av.VideoFrame) -> list[Picture]:
    """The sample planes of an 8-bit frame."""
    return [
        np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    ]


def frame_of(planes: Sequence[NDArray[Any]], pix_fmt: str = "yuv420p") -> av.VideoFrame:
    """A frame of sample planes."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // samples.itemsize), samples.dtype)
        rows[:, : samples.shape[1]] = samples
        plane.update(rows.tobytes())
    return frame


@dataclass
class Sound:
    """An audio stream: silence with a beep at each of `beeps` (seconds)."""

    codec: str = "aac"
    beeps: Sequence[float] = (0.5,)
    language: str = "und"
    start: float = 0.0
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class Cues:
    """A subtitle stream of (begin, end, text) in seconds."""

    codec: str
    cues: Sequence[tuple[float, float, str]] = ((0.2, 0.6, "first"), (0.7, 0.9, "second"))
    language: str = "und"
    disposition: int = 0


@dataclass
class Clip:
    """What to put into a clip; `write` makes the file."""

    width: int = 64
    height: int = 48
    time_base: Fraction = Fraction(1, 15360)
    ticks: Sequence[int] = tuple(range(0, 15360, 512))  # one second at 30 fps
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "10", "preset": "ultrafast"})
    b_frames: int = 0
    matrix: int | None = 709
    full: bool = False
    tagged: bool = True
    transfer: int | None = None
    picture: Callable[[int, int, int], Picture] = moving
    frame: Callable[[int], av.VideoFrame] | None = None  # instead of picture
    rotation: tuple[float, bool, bool] | None = None  # degrees counter-clockwise, mirrored, upside down
    aspect: Fraction | None = None
    sounds: Sequence[Sound] = ()
    cues: Sequence[Cues] = ()
    chapters: Sequence[tuple[float, float, str]] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    video_metadata: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    format: str | None = None

    def write(self, path: Path) -> Path:
        """Make the file and return its path."""
        with av.open(str(path), "w", format=self.format, container_options=self.container_options) as output:
            output.metadata.update(self.metadata)
            stream = self._video(output)
            sounds = [_sound_stream(output, sound) for sound in self.sounds]
            cues = [_cue_stream(output, track) for track in self.cues]
            if self.chapters:
                output.set_chapters([_chapter(number, chapter) for number, chapter in enumerate(self.chapters)])
            output.start_encoding()
            length = float((self.ticks[-1] + self._gaps()[-1]) * self.time_base)
            packets: list[Any] = []
            for number, tick in enumerate(self.ticks):
                packets += self._encode(stream, number, tick)
            packets += stream.encode(None)
            for track, sound in zip(sounds, self.sounds, strict=True):
                packets += _sound_packets(track, sound, length)
            for (track, base), cue in zip(cues, self.cues, strict=True):
                packets += _cue_packets(track, base, cue)
            for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
                output.mux(packet)
        return path

    def _gaps(self) -> list[int]:
        gaps = np.diff(self.ticks).tolist() or [512]
        return [*gaps, gaps[-1]]

    def _video(self, output: Any) -> Any:
        stream = output.add_stream(self.codec, rate=30, options=dict(self.options))
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, self.pix_fmt
        context = stream.codec_context
        context.time_base = stream.time_base = self.time_base
        context.flags |= 1 << 8  # pass on durations
        context.thread_count = 1
        if self.codec == "libx264":
            context.max_b_frames = self.b_frames
            context.options |= {"bf": str(self.b_frames), "x264-params": f"b-adapt=0:bframes={self.b_frames}"}
        if self.tagged:
            context.colorspace = context.color_primaries = H273[self.matrix]
            context.color_trc = H273[self.matrix] if self.transfer is None else self.transfer
            context.color_range = 2 if self.full else 1
        if self.aspect:
            context.sample_aspect_ratio = self.aspect
        if self.rotation:
            stream.set_display_rotation(*self.rotation)
        stream.metadata.update(self.video_metadata)
        return stream

    def _encode(self, stream: Any, number: int, tick: int) -> list[Any]:
        if self.frame is not None:
            frame = self.frame(number)
        elif self.pix_fmt == "yuv420p":
            frame = frame_of(yuv_of(self.picture(number, self.width, self.height), self.matrix or 601, self.full))
        else:
            picture = self.picture(number, self.width, self.height)
            frame = av.VideoFrame.from_ndarray(picture).reformat(format=self.pix_fmt)
        frame.pts, frame.time_base = tick, self.time_base
        frame.duration = self._gaps()[number]
        packets: list[Any] = stream.encode(frame)
        return packets


def _sound_stream(output: Any, sound: Sound) -> Any:
    stream = output.add_stream(sound.codec, rate=SAMPLE_RATE, options=dict(sound.options))
    stream.codec_context.layout = "mono"
    stream.metadata["language"] = sound.language
    return stream


def _sound_packets(stream: Any, sound: Sound, length: float) -> list[Any]:
    samples = np.zeros(int((length - sound.start) * SAMPLE_RATE), np.float32)
    tone = 0.5 * np.sin(np.arange(SAMPLE_RATE // 20) * 2 * np.pi * 1000 / SAMPLE_RATE)
    for beep in sound.beeps:
        at = round((beep - sound.start) * SAMPLE_RATE)
        if 0 <= at <= len(samples) - len(tone):
            samples[at : at + len(tone)] = tone
    packets: list[Any] = []
    resampler = av.AudioResampler(stream.codec_context.format.name, "mono", SAMPLE_RATE)
    for at in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, at + int(sound.start * SAMPLE_RATE)
        frame.time_base = Fraction(1, SAMPLE_RATE)
        for ready in resampler.resample(frame):
            packets += stream.encode(ready)
    return packets + list(stream.encode(None))


_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _cue_stream(output: Any, track: Cues) -> tuple[Any, Fraction]:
    stream = output.add_stream(track.codec)
    stream.codec_context.subtitle_header = _ASS_HEADER
    stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
    stream.metadata["language"] = track.language
    stream.disposition = track.disposition
    return stream, Fraction(1, 1000)


def _cue_packets(stream: Any, base: Fraction, track: Cues) -> Iterable[Any]:
    for number, (begin, end, text) in enumerate(track.cues):
        line = f"{number},0,Default,,0,0,0,,{text}".encode()
        cue = av.subtitles.subtitle.SubtitleSet.create(line, 0, round((end - begin) * 1000))
        packet = stream.codec_context.encode_subtitle(cue)
        packet.time_base, packet.pts, packet.dts = base, round(begin * 1000), round(begin * 1000)
        packet.duration, packet.stream = round((end - begin) * 1000), stream
        yield packet


def _chapter(number: int, chapter: tuple[float, float, str]) -> Any:
    begin, end, title = chapter
    base = Fraction(1, 1000)
    span = {"start": round(begin * 1000), "end": round(end * 1000)}
    return {"id": number + 1, "time_base": base, "metadata": {"title": title}, **span}
