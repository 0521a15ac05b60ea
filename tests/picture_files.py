"""Picture files for tests, and the way through `stylize_image` and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from streamer.engine import Engine
from streamer.errors import StreamerError
from streamer.image import ImageReport, stylize_image
from streamer.settings import ImageOptions, Look

LOOK, UNTOUCHED = Look("alpha"), Look("alpha", strength=0.0)


def styled(engine: Engine, frame: np.ndarray, style: str = "alpha") -> np.ndarray:
    return engine.stylize(frame, engine.library.resolve(style))


def through(
    engine: Engine, source: Path, look: Look = LOOK, suffix: str | None = None, **options: object
) -> tuple[Image.Image, ImageReport]:
    """Style a file into one beside it; returns the picture, loaded, and the report."""
    output = source.with_name("out" + (suffix or source.suffix))
    report = stylize_image(source, output, engine, look, ImageOptions(**options))
    assert sorted(path.name for path in source.parent.iterdir()) == sorted([source.name, output.name])
    with Image.open(output) as picture:
        picture.load()
        return picture, report


def saved(frame: np.ndarray | Image.Image, path: Path, **options: object) -> Path:
    picture = frame if isinstance(frame, Image.Image) else Image.fromarray(frame)
    picture.save(path, **options)
    return path


def check_sentence(error: StreamerError, folder: Path, *left: str) -> None:
    """One line that ends as a sentence does, and nothing in the folder but what was there."""
    assert str(error).endswith(".")
    assert "\n" not in str(error)
    assert sorted(path.name for path in folder.iterdir()) == sorted(left)
