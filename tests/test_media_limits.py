"""What of a stranger's video is opened at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import BadMedia
from streamer.media import Limits, Selection, VideoReader
from tests.media_clips import Clip, Sound

WIDE = Limits(pixels=10_000_000, seconds=60)


def frames(path: Path, limits: Limits) -> int:
    with VideoReader(str(path), Selection(limits=limits)) as reader:
        return sum(1 for _ in reader)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.avi", "a.ts"])
def test_common_videos_are_read(tmp_path: Path, name: str) -> None:
    assert frames(Clip(sounds=[Sound()]).write(tmp_path / name), WIDE) == 30


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(pixels=64 * 48 - 1, seconds=60), "at most 3,071 pixels; this video's have 3,072 (64x48)"),
        (Limits(pixels=10_000, seconds=0.5), "at most 0.5 s long; this one is 1.0 s"),
    ],
)
def test_what_a_video_says_of_itself_is_held_against_the_limits(tmp_path: Path, limits: Limits, says: str) -> None:
    with pytest.raises(BadMedia) as caught:
        frames(Clip().write(tmp_path / "a.mp4"), limits)
    assert says in str(caught.value)


def test_a_video_that_says_nothing_of_its_length_is_watched(tmp_path: Path) -> None:
    path = Clip(ticks=range(0, 15360 * 3, 512)).write(tmp_path / "a.mkv")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x44\x89\x88", b"\xec\x49\x88"))  # the Duration element becomes a Void
    with pytest.raises(BadMedia, match="at most 1 s long"):
        frames(path, Limits(pixels=10_000, seconds=1.0))


def test_a_codec_that_nobody_expects_is_refused(tmp_path: Path) -> None:
    path = Clip(codec="ffv1", pix_fmt="yuv420p", options={}).write(tmp_path / "a.mkv")
    with pytest.raises(BadMedia, match="ffv1"):
        frames(path, WIDE)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("list.txt", "ffconcat version 1.0\nfile '{clip}'\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
    ],
)
def test_a_file_that_names_other_files_or_hosts_is_not_followed(tmp_path: Path, name: str, text: str) -> None:
    clip = Clip().write(tmp_path / "clip.ts")
    path = tmp_path / name
    path.write_text(text.format(clip=clip.name))
    with pytest.raises(BadMedia):
        frames(path, WIDE)
