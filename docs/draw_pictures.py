"""Draws the pictures of README and docs, and the thumbnails of the shipped styles, from the samples:
`python docs/draw_pictures.py`. Once the shipped styles have changed, draw them anew.
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.engine import Engine
from streamer.styles import SHIPPED, THUMBNAILS, StyleLibrary
from streamer.thumbnails import SAMPLE, thumbnail

Picture = NDArray[np.uint8]
HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"
GAP = 6  # white pixels between pictures
MOMENTS = (30, 140)  # frames of the sample clip, one in each scene
BESIDE = ("great_wave", "shipwreck")  # styles that are shown in the small network and in the large one
HEAD = slice(30, 705)  # rows of the portrait that the sample of the thumbnails shows


def frames_of(path: Path, wanted: tuple[int, ...]) -> list[Picture]:
    """Frames of a clip by number."""
    with av.open(str(path)) as container:
        pictures = enumerate(container.decode(video=0))
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for i, frame in pictures if i in wanted]


def strip(pictures: list[Picture]) -> Picture:
    """Pictures of equal height side by side."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.hstack(parts)


def stack(rows: list[Picture]) -> Picture:
    """Rows of equal width above each other."""
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    return np.vstack([part for row in rows for part in (row, gap)][:-1])


def save(picture: Picture, name: str, width: int) -> None:
    """Write a JPEG of that width beside this script."""
    size = (width, round(picture.shape[0] * width / picture.shape[1]))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(HERE / name), cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


def draw_thumbnails(engine: Engine) -> None:
    """The small sample that travels with the library, and every shipped style's thumbnail."""
    head = cv2.imread(str(SAMPLES / "portrait.jpg"))[HEAD]
    small = cv2.resize(head, (384, 288), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(SAMPLE), small, [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    folder = SHIPPED / THUMBNAILS
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.jpg"):
        stale.unlink()
    for name in engine.library.names():
        (folder / f"{name}.jpg").write_bytes(thumbnail(engine.library, name, engine.stylize))


def main() -> None:
    """Draw all."""
    first, second = frames_of(SAMPLES / "sample.mp4", MOMENTS)
    portrait = cv2.cvtColor(cv2.imread(str(SAMPLES / "portrait.jpg")), cv2.COLOR_BGR2RGB)
    portrait = cv2.resize(portrait, (450, 600), interpolation=cv2.INTER_AREA).astype(np.uint8)
    with Engine(StyleLibrary([SHIPPED])) as engine:
        draw_thumbnails(engine)

        def paint(picture: Picture, style: str, strength: float = 1.0) -> Picture:
            return engine.stylize(picture, engine.library.resolve(style, strength))

        def row(picture: Picture) -> Picture:
            return strip([picture, *(paint(picture, style) for style in ("great_wave", "starry_night", "mosaic"))])

        save(stack([row(first), row(second)]), "styles.jpg", 1800)
        painted = [paint(first, style) for style in engine.library.names()]
        save(
            stack([strip(painted[i : i + 3]) for i in range(0, len(painted) - len(painted) % 3, 3)]),
            "library.jpg",
            1500,
        )
        save(row(portrait), "portrait.jpg", 1200)
        save(strip([paint(portrait, "mosaic", s) for s in (0, 0.25, 0.5, 0.75, 1)]), "strength.jpg", 1500)
        blends = [f"great_wave:{1 - share},mosaic:{share}" for share in (0, 0.25, 0.5, 0.75, 1)]
        save(strip([paint(portrait, blend) for blend in blends]), "blend.jpg", 1500)
        small = {style: paint(portrait, style) for style in BESIDE}
    with Engine(StyleLibrary([SHIPPED], model="quality")) as engine:
        pairs = [strip([small[style], engine.stylize(portrait, engine.library.resolve(style))]) for style in BESIDE]
        save(strip(pairs), "quality.jpg", 1800)


if __name__ == "__main__":
    main()
