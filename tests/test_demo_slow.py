"""The tab Paint slowly in a real browser, with a tiny VGG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import far, read_picture, wait_for
from tests.demo_process import Demo, write_bomb, write_photo, write_text
from training.vgg import random_weights

LONG = 240_000  # ms: TensorFlow is imported meanwhile
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
    opened.get_by_role("tab", name="Paint slowly", exact=True).click()
    opened.get_by_role("button", name="Paint", exact=True).wait_for(timeout=LONG)
    return opened


def has_tensorflow(demo: Demo) -> bool:
    return "tensorflow" in Path(f"/proc/{demo.pid}/maps").read_text()


def set_number(page: Any, label: str, value: str) -> None:
    field = page.get_by_label(f"number input for {label}").filter(visible=True)
    field.fill(value)
    field.press("Tab")


def paint(page: Any, size: str, steps: str) -> None:
    set_number(page, "Longer side, pixels", size)
    set_number(page, "Steps at that size", steps)
    page.get_by_role("button", name="Paint", exact=True).click()


def shown(page: Any) -> bytes | None:
    """What is on the easel."""
    import base64

    picture = page.locator(".easel img").filter(visible=True)
    source = picture.first.get_attribute("src") if picture.count() else None
    return base64.b64decode(source.split(",")[1]) if source else None


def upload(page: Any, number: int, file: Path) -> None:
    page.locator(".well").filter(visible=True).nth(number).locator("input[type=file]").set_input_files(file)


def download(page: Any, folder: Path) -> Path:
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download").filter(visible=True).click()
    target = folder / coming.value.suggested_filename
    coming.value.save_as(target)
    return target


def test_two_pictures_become_a_painting_while_one_watches(demo: Demo, page: Any, tmp_path: Path) -> None:
    assert not has_tensorflow(demo)  # not before it is needed
    paint(page, "256", "10")
    first = wait_for(lambda: shown(page), 120, "the first picture", lambda: demo.log)
    with Image.open(demo_picture(first)) as image:
        assert max(image.size) == 128  # it starts small
    page.get_by_text("256 × 160 pixels, painted in").wait_for(timeout=LONG)
    last = shown(page)
    assert last is not None and last != first
    painted = download(page, tmp_path)
    assert painted.name == "sample.mosaic.jpg"
    with Image.open(painted) as image:
        assert image.size == (256, 160)
    assert far(read_picture(painted.read_bytes()), read_picture(last)) < 6  # the page shows what is downloaded
    assert has_tensorflow(demo)


def demo_picture(data: bytes) -> Any:
    import io

    return io.BytesIO(data)


def test_it_can_be_stopped_with_what_there_is(demo: Demo, page: Any, tmp_path: Path) -> None:
    upload(page, 0, write_photo(tmp_path / "holiday.png", 400, 300))
    paint(page, "512", "200")
    wait_for(lambda: shown(page), 120, "the first picture", lambda: demo.log)
    page.get_by_role("button", name="Stop").filter(visible=True).click()
    page.get_by_text("this is what there was, at 512 × 384 pixels").wait_for(timeout=LONG)
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
    upload(page, number, write(tmp_path / name))
    page.wait_for_timeout(1000)  # the upload
    paint(page, "128", "5")
    page.locator(".trouble").filter(has_text=said).filter(visible=True).wait_for(timeout=LONG)


def test_an_unknown_layer_is_said(page: Any) -> None:
    page.get_by_text("How it is done").click()
    page.get_by_label("Layers of the style").fill("relu9_1")
    paint(page, "128", "5")
    said = "--style-layers takes relu1_1 to relu5_4, as VGG-19 has them; received 'relu9_1'."
    page.locator(".trouble").filter(has_text=said).filter(visible=True).wait_for(timeout=LONG)
