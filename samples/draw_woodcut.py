"""Draw a woodcut: the style picture of the 'woodcut' style.

The harbour is cut in lines as a woodcut is: sets of near-parallel curves that swell where the tone is dark, a
second and a third set laid across where it is darker still, and contours where the tone breaks off (XDoG, Winnemoeller
2012).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

FINE = 2  # supersampling of the finished picture
WIDTH = 1000  # pixels
PERIOD = 17.0  # pixels between two lines of a set
PAPER, INK = (243, 234, 214), (22, 26, 44)
# Angle of the lines in degrees, and the tones (0 black .. 1 white) between which a set swells from all ink to none.
SETS = ((12.0, 0.05, 0.97), (-38.0, -0.10, 0.62), (68.0, -0.25, 0.36))


def cut(tone: Floats) -> Floats:
    """Tone (H, W) in 0..1 -> ink (H, W) in 0..1 at the same size."""
    height, width = tone.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    rng = np.random.default_rng(5)
    # A hand is not a ruler; and lines follow form, which the smoothed tone stands for.
    drift = cv2.resize(rng.normal(0, 1, (6, 9)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    form = cv2.GaussianBlur(tone, (0, 0), 14 * FINE)
    period = PERIOD * FINE
    ink = np.zeros_like(tone)
    for degrees, black, white in SETS:
        angle = np.deg2rad(degrees)
        across = -x * np.sin(angle) + y * np.cos(angle) + drift * 14 * FINE + form * 90 * FINE
        distance = np.abs(across / period % 1.0 - 0.5) * 2  # 0 on a line, 1 between two
        share = np.clip((white - tone) / (white - black), 0, 1)
        ink = np.maximum(ink, np.clip((share - distance) * period / 3 + 0.5, 0, 1) * (share > 0.04))
    return np.maximum(ink, contours(tone))


def contours(tone: Floats) -> Floats:
    """Ink (H, W) in 0..1 along the edges of a tone."""
    fine, coarse = (cv2.GaussianBlur(tone, (0, 0), sigma * FINE) for sigma in (1.6, 2.6))
    return np.clip((coarse - fine) * 26 - 0.35, 0, 1).astype(np.float32)


def main() -> None:
    """Write `woodcut.jpg` next to this file."""
    here = Path(__file__).parent
    photograph = np.asarray(Image.open(here / "harbour.jpg").convert("L"), np.float32) / 255
    height = round(photograph.shape[0] * WIDTH / photograph.shape[1])
    tone = cv2.resize(photograph, (WIDTH * FINE, height * FINE), interpolation=cv2.INTER_CUBIC)
    tone = cv2.bilateralFilter(tone.astype(np.float32), 0, 0.12, 5 * FINE)
    low, high = np.percentile(tone, (2, 96))
    ink = cut(np.clip((tone - low) / (high - low), 0, 1).astype(np.float32) ** 0.62)
    ink = cv2.resize(ink, (WIDTH, height), interpolation=cv2.INTER_AREA)[..., None]
    grain = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 9, (height, WIDTH, 1)), (0, 0), 1.2)[..., None]
    picture = np.array(PAPER) * (1 - ink) + np.array(INK) * ink + grain
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(here / "woodcut.jpg", quality=88)


if __name__ == "__main__":
    main()
