"""Draw all samples again: `python samples/draw.py` (about two minutes on two cores)."""

from __future__ import annotations

from pathlib import Path

import cv2

import draw_mosaic
from draw_scene import harbour, save, shots, write_clip
from paint.cat import cat

HERE = Path(__file__).parent
MOST = 400_000  # bytes of a still picture


def main() -> None:
    """Write every sample next to this file."""
    cv2.setNumThreads(1)
    write_clip(shots(), HERE / "sample.mp4")
    draw_mosaic.main()
    save(harbour(), HERE / "harbour.jpg", MOST)
    save(cat(), HERE / "portrait.jpg", MOST)
    for name in ("sample.mp4", "harbour.jpg", "portrait.jpg"):
        print(f"{name}: {(HERE / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
