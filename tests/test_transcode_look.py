"""What a look does to a whole clip on its way through decoder, network and encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.engine import Engine
from streamer.media import VideoReader
from streamer.settings import Look, TranscodeOptions
from streamer.transcode import transcode
from tests.media_clips import Clip, Picture


def frames_of(path: Path) -> list[Picture]:
    with VideoReader(str(path)) as reader:
        return [frame.pixels for frame in reader]


def through(engine: Engine, source: Path, look: Look) -> list[Picture]:
    """The frames of a clip after a transcode of hardly any loss."""
    output = source.with_name("out.mp4")
    transcode(str(source), output, engine.stream(look), TranscodeOptions(crf=4, overwrite=True))
    return frames_of(output)


def apart(some: list[Picture], others: list[Picture]) -> float:
    """The mean absolute difference of two clips, of 255."""
    return float(np.abs(np.array(some).astype(int) - np.array(others)).mean())


def chroma(clip: list[Picture]) -> Picture:
    """What of a clip's colours is not luminance, averaged over 8x8 pixels (the encoder halves it)."""
    frames = np.array(clip).astype(float)
    away = frames - (frames @ (0.299, 0.587, 0.114))[..., None]
    count, height, width, _ = away.shape
    return away.reshape(count, height // 8, 8, width // 8, 8, 3).mean((2, 4))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return Clip(ticks=range(0, 512 * 8, 512)).write(tmp_path / "in.mp4")


@pytest.mark.parametrize("look", [Look("alpha"), Look("alpha", work_size="0.5x"), Look("alpha", preserve_color=True)])
def test_a_clip_is_what_its_frames_become(tiny_engine: Engine, clip: Path, look: Look) -> None:
    source = frames_of(clip)
    stream = tiny_engine.stream(look)
    expected = [stream([frame], [index / 30])[0] for index, frame in enumerate(source)]
    styled = through(tiny_engine, clip, look)
    assert [frame.shape for frame in styled] == [frame.shape for frame in source]
    assert apart(styled, expected) < 4
    assert apart(styled, source) > 8


def test_a_work_size_makes_another_picture(tiny_engine: Engine, clip: Path) -> None:
    plain, small = (through(tiny_engine, clip, Look("alpha", work_size=size)) for size in (None, "0.25x"))
    assert apart(plain, small) > 4


def test_colours_are_preserved(tiny_engine: Engine, clip: Path) -> None:
    source = chroma(frames_of(clip))
    plain, kept = (
        np.abs(chroma(through(tiny_engine, clip, Look("alpha", preserve_color=keep))) - source).mean()
        for keep in (False, True)
    )
    assert kept < 3
    assert plain > 2 * kept
