"""Draw the sample clip (two scenes, moving camera, sound) and the still picture of the harbour."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from paint.bay import Bay
from paint.fair import BALLOONS, Fair
from paint.land import Camera
from paint.noise import Bytes, Floats, tonemap
from paint.sound import RATE, sound

WIDTH, HEIGHT, FPS = 640, 360, 24
FRAMES, CUT = 168, 101  # the cut is at 60 %
FINE = 2  # drawn so many times as large, for smooth edges
SOFTEN = 0.8  # like a lens: without it far trees and waves flicker and cost bits
FOCAL = 1.53  # focal length in picture heights: 60 degrees across


def camera(width: int, height: int, x: float, y: float, z: float, yaw: float, zoom: float, horizon: float) -> Camera:
    """A camera for a picture of the given size; `horizon` as a share of the height."""
    return Camera(x, y, z, yaw, FOCAL * zoom * height, horizon * height, width, height)


def bay_camera(share: float, width: int, height: int) -> Camera:
    """The first scene's camera after a share (0..1) of the scene."""
    return camera(
        width,
        height,
        -6 + 11 * share,
        13 - share,
        7 * share,
        -0.035 + 0.055 * share,
        0.97 + 0.11 * share,
        0.46,
    )


def fair_camera(share: float, width: int, height: int) -> Camera:
    """The second scene's camera after a share (0..1) of the scene."""
    return camera(
        width,
        height,
        -8 + 16 * share,
        82 + 7 * share,
        16 * share,
        0.035 - 0.07 * share,
        1.0 + 0.06 * share,
        0.46 + 0.02 * share,
    )


def shrink(light: Floats, soften: float = 0.0) -> Bytes:
    """The finished picture (RGB bytes) of a finely drawn one, made softer by `soften` fine pixels."""
    # Highlights are cut before the mean, else single glints make jagged edges.
    light = np.minimum(light, 2.5)
    if soften > 0:
        light = cv2.GaussianBlur(light, (0, 0), soften)
    size = (light.shape[1] // FINE, light.shape[0] // FINE)
    return tonemap(np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32))


def draw_shot(second: bool) -> list[Bytes]:
    """All frames of one scene."""
    cv2.setNumThreads(1)
    look = fair_camera if second else bay_camera
    count = FRAMES - CUT if second else CUT
    size = (WIDTH * FINE, HEIGHT * FINE)
    scene = Fair(look(0, *size)) if second else Bay(look(0, *size))
    return [shrink(scene.frame(look(k / count, *size), k / FPS), SOFTEN) for k in range(count)]


def shots() -> list[Bytes]:
    """All frames of the clip; the two scenes are drawn side by side."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        first, second = pool.map(draw_shot, (False, True))
    return first + second


def video_frames(pictures: list[Bytes]) -> Iterator[av.VideoFrame]:
    """The pictures as BT.709 limited-range 4:2:0 frames."""
    for k, picture in enumerate(pictures):
        rgb = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = rgb.reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation="BICUBIC",
        )
        frame.pts, frame.time_base = k, Fraction(1, FPS)
        yield frame


def write_clip(pictures: list[Bytes], target: Path) -> None:
    """Write the clip with its sound."""
    wave = sound(len(pictures) / FPS, CUT / FPS, sorted(way.burn for way in BALLOONS))
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as box:
        video = box.add_stream("libx264", FPS, {"crf": "20", "preset": "veryslow", "threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context = video.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 1, 1, 1, 1
        audio = box.add_stream("aac", RATE, {"b": "96000"}, layout="stereo")
        for frame in video_frames(pictures):
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
        for start in range(0, wave.shape[1], 1024):
            part = np.ascontiguousarray(wave[:, start : start + 1024])
            samples = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            samples.sample_rate, samples.pts, samples.time_base = RATE, start, Fraction(1, RATE)
            box.mux(audio.encode(samples))
        box.mux(audio.encode(None))


def harbour(width: int = 1280, height: int = 853) -> Bytes:
    """The still picture of the harbour (RGB bytes)."""
    cv2.setNumThreads(1)
    view = camera(width * FINE, height * FINE, 6, 15, 4, 0.0, 0.9, 0.43)
    return shrink(Bay(view).frame(view, 2.0))


def save(picture: Bytes, target: Path, most: int) -> None:
    """Write a JPEG of at most `most` bytes."""
    for quality in range(92, 60, -3):
        Image.fromarray(picture).save(target, quality=quality, optimize=True)
        if target.stat().st_size <= most:
            return
