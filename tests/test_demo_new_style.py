"""The tab New style in a real browser: a style is learnt, with a tiny VGG, on the network that ships, and used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.styles import load_style
from tests import tiny
from tests.demo_files import write_photo
from tests.demo_page import LONG, button, open_tab, pick, set_number, shown, upload, wait_said, wait_trouble
from tests.lessons import draw_photographs
from tests.processes import Demo, wait_for
from training.vgg import random_weights

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's own styles."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, own: Path) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("lessons")
    np.savez(folder / "vgg.npz", **random_weights())
    photographs = draw_photographs(folder / "photographs", height=300, width=300)
    running = Demo(own, "--vgg-weights", str(folder / "vgg.npz"), "--content", str(photographs))
    yield running
    running.stop()


@pytest.fixture
def page(demo: Demo, visit: Any) -> Any:
    opened, _ = visit(demo.url)
    open_tab(opened, "New style", "Learn this style")
    return opened


def bring(page: Any, file: Path) -> None:
    upload(page, file)
    wait_said(page, "The style will be a file of some 4 kB.", LONG)


def learn(page: Any, steps: int) -> None:
    set_number(page, "Steps", str(steps))
    button(page, "Learn this style").click()


def titles(page: Any) -> list[str]:
    """The styles to choose from."""
    found = page.locator(".styles .caption-label").filter(visible=True)
    return [text.strip() for text in found.all_inner_texts()]


def test_a_style_is_learnt_while_one_watches_and_used(demo: Demo, page: Any, own: Path, tmp_path: Path) -> None:
    bring(page, write_photo(tmp_path / "My Cat (2).jpg", 200, 160))
    assert page.get_by_text("everything that it needs is here").count() == 1
    assert page.get_by_role("textbox", name=re.compile("^Name")).input_value() == "my_cat_2"
    page.get_by_label("Title of the picture").fill("A cat of mine")
    learn(page, 20)
    first = wait_for(lambda: shown(page, ".easel"), 200, "a preview", lambda: demo.log)
    wait_said(page, "A cat of mine is among the styles of every tab now.", LONG)
    assert shown(page, ".easel") != first
    style = load_style(own / "my_cat_2.safetensors")
    assert style.title == "A cat of mine" and style.scores["style"] > 0
    open_tab(page, "Photo")
    wait_for(lambda: "A cat of mine" in titles(page), 30, "the style among the others", lambda: demo.log)
    pick(page, "A cat of mine")
    page.get_by_role("button", name="Download sample.my_cat_2.jpg").wait_for(timeout=LONG)

    open_tab(page, "New style")
    page.get_by_role("textbox", name=re.compile("^Name")).fill("my_cat_2")
    learn(page, 20)  # a second time: what was learnt is not lost
    wait_trouble(page, "There is a style my_cat_2 already", LONG)


def test_learning_can_be_cancelled_and_leaves_nothing(demo: Demo, page: Any, own: Path, tmp_path: Path) -> None:
    bring(page, write_photo(tmp_path / "other.png", 120, 90))
    learn(page, 4000)
    wait_said(page, "Step ", LONG)
    button(page, "Cancel").click()
    wait_said(page, "Stopped; nothing was kept.", LONG)
    assert not (own / "other.safetensors").exists()
    assert page.get_by_role("button", name="Learn this style").is_enabled()


def test_a_name_that_is_taken_is_not_proposed(page: Any, tmp_path: Path) -> None:
    bring(page, write_photo(tmp_path / "mosaic.png", 120, 90))
    name = page.get_by_role("textbox", name=re.compile("^Name"))
    wait_for(lambda: name.input_value() == "mosaic_2", 30, "another name")


def test_a_picture_of_one_colour_teaches_nothing(page: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((80, 80, 3), 128, np.uint8))
    bring(page, tmp_path / "grey.png")
    learn(page, 10)
    wait_trouble(page, "is of one colour", LONG)


def test_a_name_is_looked_at_before_anything_is_learnt(page: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), tiny.picture(80, 80))
    bring(page, tmp_path / "a.png")
    page.get_by_role("textbox", name=re.compile("^Name")).fill("../mosaic")
    learn(page, 10)
    wait_trouble(page, "received '../mosaic'", LONG)


def test_a_page_that_strangers_reach_teaches_nothing(tmp_path: Path) -> None:
    running = Demo(tmp_path, "--host", "0.0.0.0")
    try:
        config = running.get("config").text
    finally:
        running.stop()
    assert "New styles cannot be learnt on this page" in config and "Learn this style" not in config
