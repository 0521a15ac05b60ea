"""The score card: how much of the content a styled photograph keeps, and how near it comes to the style.

``content = |phi42(y) - phi42(x)|^2 / |phi42(x)|^2`` and ``style`` = the sum over relu1_1 .. relu5_1 of
``|G(y) - G(s)|^2 / |G(s)|^2`` with the style picture at 256 pixels short side; VGG-19 with max pooling; means over
photographs. Both are lower for better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from keras import ops
from numpy.typing import NDArray

from training import losses
from training.data import shrink
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features

Picture = NDArray[np.uint8]
STYLE_SIZE = 256  # pixels, short side of the style picture


def score(
    features: Features, stylize: Callable[[Picture], Picture], style_picture: Picture, photographs: Iterable[Picture]
) -> dict[str, float]:
    """Mean `content` and `style`, and the style's part at each layer, over photographs (H, W, 3)."""
    target = features(_as_batch(shrink(style_picture, STYLE_SIZE)))
    grams = {layer: losses.gram(target[layer]) for layer in STYLE_LAYERS}
    cards = [_score_one(features, photograph, stylize(photograph), grams) for photograph in photographs]
    return {name: round(float(np.mean([card[name] for card in cards])), 4) for name in cards[0]}


def _score_one(features: Features, photograph: Picture, styled: Picture, grams: dict[str, object]) -> dict[str, float]:
    before, after = features(_as_batch(photograph)), features(_as_batch(styled))
    terms = {name: float(value[0]) for name, value in losses.style_terms(after, grams).items()}
    content = losses.relative_square_error(after[CONTENT_LAYER], before[CONTENT_LAYER])
    return {"content": float(content[0]), "style": sum(terms.values())} | {f"style_{k}": v for k, v in terms.items()}


def _as_batch(picture: Picture) -> object:
    return ops.convert_to_tensor(picture[None].astype(np.float32))
