"""The same promises on other people's clips, from the folder that STREAMER_TEST_CLIPS names."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from tests import media_probe as probe
from tests.media_run import restyle

FOLDER = os.environ.get("STREAMER_TEST_CLIPS")
ENDINGS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".gif", ".m4v", ".flv"}
CLIPS = sorted(path for path in Path(FOLDER).iterdir() if path.suffix.lower() in ENDINGS) if FOLDER else []
SECONDS = Fraction(2)

pytestmark = pytest.mark.skipif(not CLIPS, reason="STREAMER_TEST_CLIPS names no folder with clips")


@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.name)
def test_first_seconds_keep_their_times_and_sound(clip: Path, tmp_path: Path) -> None:
    report = restyle(clip, tmp_path / "out.mp4", duration=float(SECONDS), preset="ultrafast")
    wanted = [time for time in probe.times(clip) if time < SECONDS]
    assert probe.times(tmp_path / "out.mp4") == wanted
    assert report.frames == len(wanted)
    sounds = sum(stream["type"] == "audio" for stream in probe.facts(clip)["streams"])
    for index in range(sounds):
        before, after = (probe.packets(path, "audio", index) for path in (clip, tmp_path / "out.mp4"))
        assert after == [(second, data) for second, data in before if second < SECONDS - Fraction(1, 2000)]
