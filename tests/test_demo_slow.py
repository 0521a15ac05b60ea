"""The tab Paint slowly in a real browser, with a tiny VGG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import far, read_picture
from tests.demo_files import write_bomb, write_photo, write_text
from tests.demo_page import LONG, button, download, open_tab, set_number, shown, upload, wait_said, wait_trouble
from tests.processes import Demo, wait_for
from training.vgg import random_weights

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("weights")
    np.savez(folder / "vgg.npz", **random_weights())
    running = Demo(tmp_path_factory.mktemp("own"), "--vgg-weights", str(folder / "vgg.npz"))
    yield running
    running.stop()


@pytest.fixture
def page(demo: Demo, visit: Any) -> Any:
    opened, _ = visit(demo.url)
    open_tab(opened, "Paint slowly", "Paint")
    return opened


def has_tensorflow(demo: Demo) -> bool:
    return "tensorflow" in Path(f"/proc/{demo.pid}/maps").read_text()


def paint(page: Any, size: str, steps: str) -> None:
    set_number(page, "Longer side, pixels", size)
    set_number(page, "Steps at that size", steps)
    page.get_by_role("button", name="Paint", exact=True).click()


def test_two_pictures_become_a_painting_while_one_watches(demo: Demo, page: Any, tmp_path: Path) -> None:
    assert not has_tensorflow(demo)  # not before it is needed
    paint(page, "256", "10")
    first = wait_for(lambda: shown(page, ".easel"), 120, "the first picture", lambda: demo.log)
    assert max(read_picture(first).shape) == 128  # it starts small
    wait_said(page, "256 × 160 pixels, painted in", LONG)
    last = shown(page, ".easel")
    assert last is not None and last != first
    painted = download(page, tmp_path)
    assert painted.name == "sample.mosaic.jpg"
    with Image.open(painted) as image:
        assert image.size == (256, 160)
    assert far(read_picture(painted.read_bytes()), read_picture(last)) < 6  # the page shows what is downloaded
    assert has_tensorflow(demo)


def test_it_can_be_stopped_with_what_there_is(demo: Demo, page: Any, tmp_path: Path) -> None:
    upload(page, write_photo(tmp_path / "holiday.png", 400, 300))
    paint(page, "512", "200")
    wait_for(lambda: shown(page, ".easel"), 120, "the first picture", lambda: demo.log)
    button(page, "Stop").click()
    wait_said(page, "this is what there was, at 512 × 384 pixels", LONG)
    painted = download(page, tmp_path)
    assert painted.name == "holiday.mosaic.png"
    with Image.open(painted) as image:
        assert image.size == (512, 384)


@pytest.mark.parametrize(
    ("number", "write", "name", "said"),
    [
        (0, write_bomb, "bomb.png", "at most 50 million pixels"),
        (1, write_text, "text.jpg", "text.jpg is not a picture"),
    ],
)
def test_what_is_no_picture_is_refused(
    page: Any, tmp_path: Path, number: int, write: Any, name: str, said: str
) -> None:
    upload(page, write(tmp_path / name), number)
    page.wait_for_timeout(1000)  # the upload
    paint(page, "128", "5")
    wait_trouble(page, said, LONG)


def test_an_unknown_layer_is_said(page: Any) -> None:
    page.get_by_text("How it is done").click()
    page.get_by_label("Layers of the style").fill("relu9_1")
    paint(page, "128", "5")
    said = "--style-layers takes relu1_1 to relu5_4, as VGG-19 has them; received 'relu9_1'."
    wait_trouble(page, said, LONG)
