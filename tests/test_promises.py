"""What is promised of time and memory, measured on `streamer transcode` as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_cli_restyle import write_clip

FIRST_FRAME_SECONDS = 2.0
GIBIBYTE = 1 << 20  # in KiB
FRAMEWORKS = ("tensorflow", "keras", "jax", "torch")
MEASURED = f"""
import json, sys
from streamer.cli.main import run
code = run(sys.argv[1:])
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([peak, [name for name in {FRAMEWORKS} if name in sys.modules]]))
sys.exit(code)
"""


def transcoded(*arguments: str | Path) -> tuple[float, int, list[str]]:
    """Seconds, peak memory in KiB and imported frameworks of a quiet `streamer transcode`."""
    began = time.perf_counter()
    command = [sys.executable, "-c", MEASURED, "transcode", *map(str, arguments), "--quiet", "--overwrite"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    elapsed = time.perf_counter() - began
    assert answer.returncode == 0, answer.stderr
    peak, frameworks = json.loads(answer.stdout)
    return elapsed, peak, frameworks


def test_the_first_frame_is_there_within_two_seconds(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=2, size=(64, 64))
    runs = [transcoded(clip) for _ in range(3)]
    assert min(elapsed for elapsed, _, _ in runs) < FIRST_FRAME_SECONDS
    assert not any(frameworks for _, _, frameworks in runs)


@pytest.mark.timeout(600)
def test_full_hd_takes_no_more_than_a_gibibyte(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=24, size=(1920, 1080))
    _, peak, _ = transcoded(clip, "--style", "mosaic")
    assert peak <= GIBIBYTE
