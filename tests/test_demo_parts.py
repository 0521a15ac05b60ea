"""What stands behind the demo's tabs, without a browser: webcams, looks, previews, theme."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from streamer.engine import Engine
from streamer.errors import BadMedia, Overloaded
from streamer.live import LiveEngine
from streamer.settings import Look
from tests import tiny
from tests.demo_files import write_bomb
from web.demo.look import look_of
from web.demo.pictures import encoded, preview, shown_size
from web.demo.theme import head, theme, tokens
from web.demo.webcams import FORGET_AFTER, Webcams, decoded

# Webcams.


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def test_webcams_are_painted_admitted_and_forgotten(tiny_engine: Engine) -> None:
    clock = Clock()
    frame = tiny.picture(48, 64)
    with LiveEngine(tiny_engine) as live:
        webcams = Webcams(lambda: live, 2, clock)
        look = Look(style="alpha")
        first = webcams.exchange("a", frame, look)
        assert first is not None and first.frame.shape == frame.shape and not np.array_equal(first.frame, frame)
        other = webcams.exchange("a", frame, Look(style="beta"))
        assert other is not None and not np.array_equal(first.frame, other.frame)
        webcams.exchange("b", frame, look)
        with pytest.raises(Overloaded, match="2 webcams are being painted"):
            webcams.exchange("c", frame, look)
        clock.now += FORGET_AFTER / 2
        webcams.exchange("b", frame, look)
        clock.now += FORGET_AFTER / 2 + 1  # a has been silent for too long
        assert webcams.exchange("c", frame, look) is not None
        assert live.sessions == 2
        webcams.forget("b")
        webcams.forget("c")
        webcams.forget(None)
        assert live.sessions == len(webcams) == 0


def test_a_webcams_picture_is_a_small_picture(tmp_path: Path) -> None:
    frame = tiny.picture(48, 64)
    again = decoded(encoded(frame))
    assert again.shape == frame.shape and np.abs(again.astype(int) - frame).mean() < 8
    import base64

    bomb = base64.b64encode(write_bomb(tmp_path / "bomb.png").read_bytes()).decode()
    for url, said in (
        ("data:text/html,hello", "no picture"),
        ("data:image/jpeg;base64,!!!!", "no picture"),
        ("data:image/jpeg;base64,aGVsbG8=", "not a picture"),
        (f"data:image/png;base64,{bomb}", "30000x30000"),
    ):
        with pytest.raises(BadMedia, match=said):
            decoded(url)


# What is shown.


def test_a_look_is_what_the_controls_say() -> None:
    assert look_of("mosaic", 100, False, "", 50) == Look("mosaic")
    assert look_of("mosaic", 40, True, "great_wave", 30) == Look("mosaic:70,great_wave:30", 0.4, True)
    assert look_of("mosaic", 100, False, "great_wave", 0) == Look("mosaic")
    assert look_of("mosaic", 100, False, "great_wave", 100) == Look("great_wave")
    assert look_of("mosaic", 100, False, "mosaic", 50) == Look("mosaic")


def test_a_preview_is_small_upright_and_opaque(tmp_path: Path) -> None:
    from PIL import Image

    photo = Image.fromarray(tiny.picture(3000, 2000))
    exif = Image.Exif()
    exif[274] = 6  # lies on its side
    photo.save(tmp_path / "photo.jpg", exif=exif)
    with Image.open(preview(tmp_path / "photo.jpg", tmp_path / "out.jpg")) as shown:
        assert shown.size == (1600, 1067) and shown.getexif().get(274, 1) == 1
    Image.new("RGBA", (20, 10), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    with Image.open(preview(tmp_path / "clear.png", tmp_path / "white.jpg")) as shown:
        assert shown.getpixel((5, 5)) == (255, 255, 255)
    assert shown_size(1, 5000) == (1, 1600)


def test_the_page_and_the_live_page_share_their_tokens() -> None:
    live = (Path(__file__).parent.parent / "web" / "live" / "theme.css").read_text()
    ours = tokens()
    assert ours in live and "--accent: light-dark(" in ours and "body {" not in ours
    assert ours in head() and "https://" not in head().replace("http://www.w3.org", "")
    css = cast(Any, theme())._get_theme_css()
    used = {part.partition(")")[0] for part in css.split("var(--")[1:]}
    known = {line.partition(":")[0].strip().removeprefix("--") for line in ours.splitlines() if ":" in line}
    assert {"wall", "sheet", "well", "ink", "accent", "on-accent", "line"} <= used & known
