"""Ways to look into a clip, through PyAV alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def _second(item: Any) -> Fraction:
    return Fraction((item.pts or 0) * item.time_base)  # covers have no time


def times(path: Path | str) -> list[Fraction]:
    """The exact second of each frame, in the order of display."""
    with av.open(str(path)) as container:
        return [_second(frame) for frame in container.decode(video=0)]


def frames(path: Path | str) -> list[av.VideoFrame]:
    """The decoded frames."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def packets(path: Path | str, kind: str, index: int = 0) -> list[tuple[Fraction, bytes]]:
    """(second, payload) of every packet of one stream."""
    with av.open(str(path)) as container:
        stream = [stream for stream in container.streams if stream.type == kind][index]
        return [(_second(p), bytes(p)) for p in container.demux(stream) if p.size]


def cues(path: Path | str, index: int = 0) -> list[tuple[float, float, str]]:
    """(begin, end, text) of every subtitle of one stream."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[index]
        packets: Any = container.demux(stream)
        for packet in packets:
            texts = [rect.dialogue.decode() for rect in packet.decode()] if packet.size else []
            if any(texts):
                begin = float(_second(packet))
                found.append((begin, begin + float((packet.duration or 0) * packet.time_base), texts[0]))
    return found


def beeps(path: Path | str, index: int = 0) -> list[float]:
    """The seconds at which sound begins after silence."""
    found: list[float] = []
    quiet_since = -1.0
    with av.open(str(path)) as container:
        stream = container.streams.audio[index]
        for frame in container.decode(stream):
            samples = np.abs(_floats(frame)).reshape(-1)
            start = float(_second(frame))
            for at in np.flatnonzero(samples > 0.1):
                second = start + at / frame.sample_rate
                if second - quiet_since > 0.1 or not found:
                    found.append(second)
                quiet_since = second
    return found


def _floats(frame: av.AudioFrame) -> NDArray[np.float64]:
    samples: NDArray[Any] = frame.to_ndarray()
    channels = samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T
    scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    first: NDArray[np.float64] = channels[0].astype(float) / scale
    return first


def facts(path: Path | str) -> dict[str, Any]:
    """What the container and its streams say about themselves."""
    with av.open(str(path)) as container:
        return {
            "metadata": dict(container.metadata),
            "chapters": container.chapters(),
            "duration": (container.duration or 0) / av.time_base,
            "streams": [
                {
                    "type": stream.type,
                    "codec": stream.codec_context.name if stream.codec_context else None,
                    "metadata": dict(stream.metadata),
                    "disposition": int(stream.disposition),
                    "tag": stream.codec_context.codec_tag if stream.codec_context else None,
                }
                for stream in container.streams
            ],
        }


def video_facts(path: Path | str) -> dict[str, Any]:
    """Size, tags and shape of the video stream."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        return {
            "size": (frame.width, frame.height),
            "pix_fmt": frame.format.name,
            "aspect": stream.sample_aspect_ratio,
            "matrix": int(frame.colorspace),
            "range": int(frame.color_range),
            "primaries": int(frame.color_primaries),
            "transfer": int(frame.color_trc),
            "rotation": frame.rotation,
            "time_base": stream.time_base,
        }
