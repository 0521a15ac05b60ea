"""The score of the shipped styles on our own samples, kept in the style files so that a test can work it out again.

`python -m tests.sample_scores VGG [PICTURES]` writes it, once new styles have been put into the library: VGG is a file
of VGG-19 weights, PICTURES a folder of style pictures, NAME.jpg or NAME.png; those that we drew are found without it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from streamer.engine import Engine
from streamer.settings import EngineOptions
from streamer.styles import SHIPPED, StyleLibrary, save_style

SAMPLES = Path(__file__).parent.parent / "samples"
PHOTOGRAPHS = ("portrait.jpg", "harbour.jpg")
SIDE = 256  # pixels, short side of the samples that are scored
KEY = "sample_scores"  # in a style's metadata


def style_picture(name: str, folder: Path | None) -> Path | None:
    """The picture that a style was learnt from, where it is at hand."""
    places = [folder, SAMPLES] if folder else [SAMPLES]
    found = (place / f"{name}{ending}" for place in places for ending in (".jpg", ".png"))
    return next((path for path in found if path.exists()), None)


def sample_scores(engine: Engine, name: str, picture: Path, vgg: Path) -> dict[str, float]:
    """Content, style and the style's part at each layer, of a style of the engine's library on the samples."""
    from training.data import read_picture, shrink
    from training.evaluate import score
    from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights

    features = Features(load_weights(str(vgg)), (*STYLE_LAYERS, CONTENT_LAYER))
    row = engine.library.resolve(name)
    photographs = [shrink(read_picture(SAMPLES / photograph), SIDE) for photograph in PHOTOGRAPHS]
    return score(features, lambda photograph: engine.stylize(photograph, row), read_picture(picture), photographs)


def main() -> None:
    """Write the scores into the style files of every model."""
    vgg, folder = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for model in ("live", "quality"):
        library = StyleLibrary([SHIPPED], model=model)
        for name in library.names():
            picture = style_picture(name, folder)
            if picture is None:
                raise SystemExit(f"The picture of {name} is neither in {folder} nor in {SAMPLES}.")
            with Engine(library.select(name), EngineOptions(device="cpu")) as engine:
                scores = sample_scores(engine, name, picture, vgg)
            style = library.get(name)
            path = SHIPPED / ("" if model == "live" else model) / f"{name}.safetensors"
            save_style(replace(style, metadata=style.metadata | {KEY: json.dumps(scores)}), path)


if __name__ == "__main__":
    main()
