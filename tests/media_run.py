"""One call to transcode a clip with the identity, as most tests do, and one that must be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamer.errors import StreamerError
from streamer.settings import TranscodeOptions
from streamer.transcode import TranscodeReport, transcode
from tests.media_clips import Identity


def restyle(source: Path | str, output: Path, style: Identity | None = None, **options: Any) -> TranscodeReport:
    """Transcode with the identity."""
    return transcode(str(source), output, style or Identity(), TranscodeOptions(**options))


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(error: type[StreamerError], source: Path | str, output: Path, **options: Any) -> str:
    """The one sentence of an expected error; nothing may be left behind."""
    before = left_in(output.parent) if output.parent.is_dir() else set()
    with pytest.raises(error) as caught:
        restyle(source, output, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert not output.parent.is_dir() or left_in(output.parent) == before
    return sentence
