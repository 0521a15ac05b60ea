"""The clips that are measured: 640x360 with sound, the sample of a checkout or else one drawn here; and a large one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 640, 360, 24
FULL_HD = (1920, 1080)
SOUND_RATE = 48000
SAMPLE = Path(__file__).resolve().parent.parent.parent / "samples" / "sample.mp4"


def bench_clip(folder: Path, frames: int) -> Path:
    """A clip of 640x360 with sound and at least `frames` frames; what has to be drawn goes to `folder`."""
    if SAMPLE.exists() and _fits(SAMPLE, frames):
        return SAMPLE
    return draw_clip(folder / "bench.mp4", frames)


def _fits(path: Path, frames: int) -> bool:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        size = (video.codec_context.width, video.codec_context.height)
        return size == (WIDTH, HEIGHT) and video.frames >= frames and bool(container.streams.audio)


def draw_clip(path: Path, frames: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Write a clip of a textured scene under a moving camera, with a tone, as H.264 and AAC. size: width, height."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        (video.width, video.height), video.pix_fmt = size, "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        for number, picture in enumerate(_pictures(frames, *size)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
            container.mux(sound.encode(_tone(number)))
        _flush(container, video)
        _flush(container, sound)
    return path


def _flush(container: av.container.OutputContainer, stream: VideoStream | AudioStream) -> None:
    container.mux(stream.encode(None))


def _pictures(count: int, width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """Blobs of many sizes, seen by a camera that circles over them, and a disc that moves against it."""
    rng = np.random.default_rng(0)
    scene = np.zeros((height + 128, width + 128, 3))
    for cell in (8, 32, 64):
        coarse = rng.uniform(0, 1, (scene.shape[0] // cell + 1, scene.shape[1] // cell + 1, 3))
        scene += np.kron(coarse, np.ones((cell, cell, 1)))[: scene.shape[0], : scene.shape[1]]
    colours = (scene * 85).astype(np.uint8)
    y, x = np.ogrid[:height, :width]
    for number in range(count):
        angle = number / 20
        top, left = round(64 + 60 * np.sin(angle)), round(64 + 60 * np.cos(angle))
        picture = colours[top : top + height, left : left + width].copy()
        disc = (x - width / 2 - 200 * np.sin(angle)) ** 2 + (y - height / 2) ** 2 < 70**2
        picture[disc] = (230, 120, 40)
        yield picture


def _tone(number: int) -> av.AudioFrame:
    """The sound that belongs to a frame: 440 Hz."""
    count = SOUND_RATE // RATE
    times = (np.arange(count) + number * count) / SOUND_RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, number * count, Fraction(1, SOUND_RATE)
    return frame
