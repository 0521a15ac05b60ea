"""The score of photographs: how much of the content a styled one keeps, and how near it comes to the style.

``content = |phi42(y) - phi42(x)|^2 / |phi42(x)|^2`` and ``style`` = the sum over relu1_1 .. relu5_1 of
``|G(y) - G(s)|^2 / |G(s)|^2`` with the style picture at 256 pixels short side; VGG-19 with max pooling; means over
photographs. Both are lower for better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from training import losses
from training.data import shrink
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features

Picture = NDArray[np.uint8]
Grams = Mapping[str, Any]
STYLE_SIZE = 256  # pixels, short side of the style picture
LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)  # what `Features` must give


def score(
    features: Features, stylize: Callable[[Picture], Picture], style_picture: Picture, photographs: Iterable[Picture]
) -> dict[str, float]:
    """Mean `content` and `style`, and the style's part at each layer, over photographs (H, W, 3)."""
    grams = style_grams(features, style_picture)
    return mean_scores([score_one(features, content_of(features, x), stylize(x), grams) for x in photographs])


def style_grams(features: Features, style_picture: Picture) -> Grams:
    """The style picture's Gram matrices, by layer."""
    seen = features(_as_batch(shrink(style_picture, STYLE_SIZE)))
    return {layer: losses.gram(seen[layer]) for layer in STYLE_LAYERS}


def content_of(features: Features, photograph: Picture) -> Any:
    """What of a photograph is to be kept."""
    return features(_as_batch(photograph))[CONTENT_LAYER]


def score_one(features: Features, content: Any, styled: Picture, grams: Grams | None) -> dict[str, float]:
    """The terms of one styled photograph, whose content was `content`; without Gram matrices the content alone."""
    after = features(_as_batch(styled))
    kept = {"content": float(losses.relative_square_error(after[CONTENT_LAYER], content)[0])}
    if grams is None:
        return kept
    terms = {name: float(value[0]) for name, value in losses.style_terms(after, grams).items()}
    return kept | {"style": sum(terms.values())} | {f"style_{layer}": value for layer, value in terms.items()}


def mean_scores(cards: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over photographs, term by term."""
    return {name: round(float(np.mean([card[name] for card in cards])), 4) for name in cards[0]}


def _as_batch(picture: Picture) -> object:
    return ops.convert_to_tensor(picture[None].astype(np.float32))
