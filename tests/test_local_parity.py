"""The network in a real browser, with the shipped weights, against the engine: the same picture, to a few levels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.engine import Engine
from streamer.scenes import CutDetector
from streamer.settings import Look
from streamer.styles import SHIPPED, StyleLibrary
from tests.local_pages import PARITY, apart, hosted, need_runtime, painted_there, wait_painted, write_shipped_site

BLEND = "mosaic:0.60,starry_night:0.40"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(StyleLibrary([SHIPPED])) as running:
        yield running


@pytest.fixture(scope="module")
def page(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page on a host that knows nothing of it."""
    need_runtime()
    site = write_shipped_site(tmp_path_factory.mktemp("site") / "page")
    with hosted(site.folder) as url:
        context = program.new_context()
        page = context.new_page()
        page.goto(url)
        wait_painted(page)
        yield page
        context.close()


def photograph(width: int, height: int) -> np.ndarray:
    picture = cv2.imread(str(SHIPPED / "sample.jpg"))
    assert picture is not None
    return np.asarray(cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), (width, height)), np.uint8)


@pytest.mark.parametrize(
    ("style", "strength"),
    [("mosaic", 1.0), ("great_wave", 1.0), (BLEND, 1.0), ("mosaic", 0.5)],
    ids=["mosaic", "great_wave", "blend", "half strength"],
)
def test_a_picture_is_the_servers(page: Any, engine: Engine, style: str, strength: float) -> None:
    frame = photograph(201, 117)
    (there,) = painted_there(page, [frame], style, [None], strength=strength)
    here = engine.stylize(frame, engine.library.resolve(style, strength))
    assert apart(there, here) <= PARITY
    assert apart(frame, here) > 30


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (64, 16), (96, 250)])
def test_of_any_size(page: Any, engine: Engine, size: tuple[int, int]) -> None:
    frame = photograph(*size)
    (there,) = painted_there(page, [frame], "mosaic", [None])
    assert apart(there, engine.stylize(frame, engine.library.resolve("mosaic"))) <= PARITY


def test_colours_are_kept_as_the_server_keeps_them(page: Any, engine: Engine) -> None:
    frame = photograph(160, 96)
    (there,) = painted_there(page, [frame], "great_wave", [None], preserveColour=True)
    (here,) = engine.stream(Look("great_wave", preserve_color=True), denoise=False)([frame], [0.0])
    assert apart(there, here) <= PARITY
    (plain,) = painted_there(page, [frame], "great_wave", [None])
    assert apart(there, plain) > 30


def test_strength_zero_is_the_input(page: Any) -> None:
    frame = photograph(80, 48)
    (there,) = painted_there(page, [frame], "mosaic", [0.0], strength=0)
    np.testing.assert_array_equal(there, frame)


def moving(count: int) -> list[np.ndarray]:
    """A scene that gets lighter and moves a little."""
    frame = photograph(168, 104).astype(int) * 3 // 4
    return [np.clip(np.roll(frame, 2 * i, axis=1) + 9 * i, 0, 255).astype(np.uint8) for i in range(count)]


def test_a_stream_remembers_what_the_servers_does(page: Any, engine: Engine) -> None:
    frames, times = moving(3), [0.0, 0.04, 0.1]
    there = painted_there(page, frames, "great_wave", times)
    here = engine.stream(Look("great_wave"), denoise=False)(frames, times)
    assert max(apart(a, b) for a, b in zip(there, here, strict=True)) <= PARITY
    alone = engine.stylize(frames[2], engine.library.resolve("great_wave"))
    assert apart(there[2], alone) > 2 * PARITY  # and memory is felt


def test_a_cut_begins_anew(page: Any, engine: Engine) -> None:
    frames = [*moving(2), 255 - photograph(168, 104)[::-1] // 3]
    there = painted_there(page, frames, "mosaic", [0.0, 0.04, 0.08])
    assert apart(there[2], engine.stylize(frames[2], engine.library.resolve("mosaic"))) <= PARITY


def test_a_picture_leaves_the_stream_as_it_was(page: Any, engine: Engine) -> None:
    frames, other = moving(2), 255 - photograph(168, 104)
    there = painted_there(page, [frames[0], other, frames[1]], "mosaic", [0.0, None, 0.04])
    here = engine.stream(Look("mosaic"), denoise=False)(frames, [0.0, 0.04])
    assert apart(there[2], here[1]) <= PARITY


def test_cuts_are_seen_where_the_server_sees_them(page: Any, clip: list[np.ndarray]) -> None:
    decide = """async ({frames, width, height}) => {
        const {CutDetector} = await import(new URL("static/device/cuts.js", location.href).href);
        const detector = new CutDetector();
        return frames.map(frame => detector.isCut(Uint8ClampedArray.from(frame), width, height));
    }"""
    height, width = clip[0].shape[:2]
    opaque = [np.dstack([frame, np.full((height, width), 255, np.uint8)]).ravel().tolist() for frame in clip]
    detector = CutDetector()
    expected = [detector.is_cut(frame) for frame in clip]
    assert page.evaluate(decide, {"frames": opaque, "width": width, "height": height}) == expected
    assert expected[0] and 2 <= sum(expected) <= len(clip) // 2


@pytest.fixture
def clip() -> list[np.ndarray]:
    """Every twelfth frame of the sample clip, small: several scenes, with motion in each."""
    import av

    from tests.browser import SAMPLE

    with av.open(str(SAMPLE)) as opened:
        frames = [frame for i, frame in enumerate(opened.decode(video=0)) if i % 12 == 0]
        return [frame.reformat(50, 37, "rgb24").to_ndarray() for frame in frames]


def test_a_damaged_graph_is_refused(page: Any, tmp_path: Path) -> None:
    said = page.evaluate("""async () => {
        const {sized} = await import(new URL("static/device/graph.js", location.href).href);
        const refused = [];
        for (const length of [0, 3, 8, 400]) {
            try { sized(new Uint8Array(length).fill(7), 64, 64); } catch (error) { refused.push(error.message); }
        }
        return refused;
    }""")
    assert said == ["The graph is damaged: it is no TensorFlow Lite model."] * 4
