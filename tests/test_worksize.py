"""`--work-size auto`: the policy with made-up machines, and what becomes of real files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from streamer import worksize
from streamer.engine import Engine, Frame
from streamer.errors import BadOption
from streamer.image import stylize_image
from streamer.pacing import Size
from streamer.runtime import Runtime
from streamer.settings import ImageOptions, Look, TranscodeOptions
from streamer.transcode import _prepare, transcode
from streamer.worksize import CODED, SPARE, Pace, keep_pace
from tests import tiny

HD = (1080, 1920)


def machine(
    pixels_a_second: float, rate: float = 24.0, most_pixels: float = np.inf, **more: bool
) -> tuple[Pace, list[Size]]:
    """What is chosen for HD on a machine whose network is that fast, and the sizes that were timed."""
    timed: list[Size] = []

    def seconds_at(size: Size) -> float:
        timed.append(size)
        return size[0] * size[1] / pixels_a_second

    shares = more.get("shares_cores", True)
    return keep_pace(HD, rate, seconds_at, cores=4, shares_cores=shares, most_pixels=most_pixels), timed


def test_a_machine_that_keeps_pace_works_at_the_frame_s_own_size_and_times_nothing_else() -> None:
    pace, timed = machine(1e9)
    assert pace.size == HD
    assert timed == [HD]
    assert pace.fps >= 24


def test_the_slower_the_machine_the_smaller_the_size_down_to_the_smallest() -> None:
    sizes = [machine(speed)[0].size[0] for speed in (1e9, 70e6, 35e6, 15e6, 1e5)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4
    assert machine(1e5)[0].fps < 24  # and it does not claim to keep pace


def test_a_slower_video_may_be_larger() -> None:
    assert machine(35e6, rate=8)[0].size[0] > machine(35e6, rate=24)[0].size[0]


def test_coding_takes_its_share_of_cores_that_the_network_runs_on_and_not_of_a_device_of_its_own() -> None:
    pixels = HD[0] * HD[1]
    seconds = pixels / 60e6
    assert machine(60e6, rate=1)[0].fps == pytest.approx(SPARE * 4 / (4 * seconds + pixels * CODED))
    assert machine(60e6, rate=1, shares_cores=False)[0].fps == pytest.approx(SPARE / seconds)


def test_a_size_beyond_the_memory_is_never_tried() -> None:
    pace, timed = machine(1e12, most_pixels=1e6)
    assert pace.size[0] * pace.size[1] <= 1e6
    assert all(height * width <= 1e6 for height, width in timed)
    assert machine(1e12, most_pixels=10)[0].size == (360, 640)  # where nothing fits, the smallest


def test_memory_is_that_of_this_machine() -> None:
    assert 64 << 20 < worksize.available_memory() < 1 << 50


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 640, 384, "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(tiny.picture(384, 640), format="rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("seconds", "styled_at"), [(0.0, (384, 640)), (9.0, (128, 216))])
def test_a_file_is_styled_at_the_size_that_was_found_and_keeps_its_own(
    tiny_engine: Engine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, styled_at: Size
) -> None:
    monkeypatch.setattr(tiny_engine, "seconds_a_frame", lambda size: seconds)
    stream = tiny_engine.stream(Look("alpha", work_size="auto"))
    ran: list[Size] = []
    begin = stream._run

    def noting(runtime: Runtime, inputs: Sequence[Frame], carries: Sequence[float]) -> Frame:
        ran.append(inputs[0].shape[:2])
        return begin(runtime, inputs, carries)

    monkeypatch.setattr(stream, "_run", noting)
    report = transcode(str(clip), tmp_path / "out.mp4", stream, TranscodeOptions())
    assert (report.height, report.width, report.frames) == (384, 640, 3)
    assert set(ran) == {styled_at}
    (said,) = report.notices
    assert ("their own size, which keeps" in said) == (seconds == 0)
    assert ("216x128, which comes closest to the 24 frames a second" in said) == (seconds > 0)


def test_a_real_measurement_is_made(tiny_engine: Engine) -> None:
    pace = tiny_engine.pace((96, 160), 1.0)
    assert pace.size == (96, 160)
    assert pace.fps > 1


def test_a_picture_beyond_the_memory_budget_is_styled_in_one_piece_at_a_size_that_fits(
    tiny_engine: Engine, tmp_path: Path
) -> None:
    source, budget = tmp_path / "in.png", ImageOptions(memory=64)
    Image.fromarray(tiny.picture(900, 1400)).save(source)
    reports = [
        stylize_image(source, tmp_path / f"{size}.png", tiny_engine, Look("alpha", work_size=size), budget)
        for size in (None, "auto")
    ]
    assert [report.tiles > 1 for report in reports] == [True, False]
    assert [(report.width, report.height) for report in reports] == [(1400, 900)] * 2


def test_auto_is_for_the_working_size_alone() -> None:
    with pytest.raises(BadOption, match=r"--size must be a height \(720p\), a size \(640x360\) or a factor \(0.5x\); "):
        TranscodeOptions(size="auto")
    with pytest.raises(BadOption, match=r"or a factor \(0.5x\), or auto; received 'automatic'"):
        Look(work_size="automatic")


def test_a_video_that_states_no_rate_is_taken_for_one_of_25() -> None:
    asked: list[tuple[tuple[int, int], float]] = []

    class Stylize:
        def prepare(self, size: tuple[int, int], rate: float) -> None:
            asked.append((size, rate))

    reader = SimpleNamespace(height=48, width=64, form=SimpleNamespace(fps=None))
    _prepare(Stylize(), reader, lambda notice: None)
    assert asked == [((48, 64), 25.0)]
