"""How far a picture is from the content of one picture and the style of another, and which way is nearer.

Every term is relative to the norm of its target (`training.losses`), so weights are near 1 for any pair of pictures
and the style term is the `style` of the score card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.training_settings import PaintOptions
from training import losses
from training.vgg import Features

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Losses = dict[str, float]


@dataclass(frozen=True)
class Terms:
    """What counts how much: weights of VGG's layers within content and style, and of the three sums."""

    content_layers: Mapping[str, float]
    style_layers: Mapping[str, float]
    content: float = 1.0
    style: float = 1.0
    variation: float = 0.0

    @classmethod
    def of(cls, options: PaintOptions) -> Terms:
        """Those that were asked for; what weighs nothing is left out, and not computed."""
        contents = _above_zero(options.contents) if options.content_weight else {}
        styles = _above_zero(options.styles) if options.style_weight else {}
        return cls(contents, styles, options.content_weight, options.style_weight, options.variation_weight)

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that is looked at."""
        return tuple(dict.fromkeys((*self.style_layers, *self.content_layers)))


def _above_zero(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if weight > 0}


class Objective:
    """The loss of a picture of one size, and its gradient."""

    def __init__(self, features: Features, terms: Terms, content: Picture, style: Picture) -> None:
        """content (H, W, 3) has the size of the pictures to judge; style (h, w, 3) may have any."""
        self._features, self._terms = features, terms
        seen = features(as_batch(content)) if terms.content_layers else {}
        self._content = {layer: seen[layer] for layer in terms.content_layers}
        seen = features(as_batch(style)) if terms.style_layers else {}
        self._grams = {layer: losses.gram(seen[layer]) for layer in terms.style_layers}
        self._evaluate = value_and_gradient(self._losses)

    def __call__(self, picture: Float32) -> tuple[Losses, Float32]:
        """picture (H, W, 3) in 0..255 -> `loss` and its weighted parts; the gradient of the loss, (H, W, 3)."""
        parts, gradient = self._evaluate(as_batch(picture))
        told = {name: float(ops.convert_to_numpy(value)) for name, value in parts.items()}
        return told, np.asarray(ops.convert_to_numpy(gradient), np.float32)[0]

    def _losses(self, pictures: Any) -> tuple[Any, dict[str, Any]]:
        """pictures (1, H, W, 3) -> the loss and its parts, scalars."""
        terms, seen = self._terms, self._features(pictures)
        parts: dict[str, Any] = {}
        if self._content:
            found = {name: losses.relative_square_error(seen[name], wanted) for name, wanted in self._content.items()}
            parts["content"] = terms.content * _weighted(found, terms.content_layers)
        if self._grams:
            parts["style"] = terms.style * _weighted(losses.style_terms(seen, self._grams), terms.style_layers)
        if terms.variation:
            parts["variation"] = terms.variation * losses.total_variation(pictures)[0]
        loss = sum(parts.values())
        return loss, {"loss": loss, **parts}


def _weighted(values: Mapping[str, Any], weights: Mapping[str, float]) -> Any:
    return sum(weights[layer] * value[0] for layer, value in values.items())


def as_batch(picture: NDArray[Any]) -> Any:
    """A picture (H, W, 3) as a tensor (1, H, W, 3) of float32."""
    return ops.convert_to_tensor(picture[None].astype(np.float32))


def value_and_gradient(function: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], tuple[Any, Any]]:
    """From x -> (a scalar, something beside it), compiled: x -> (that, the scalar's gradient by x)."""
    if keras.backend.backend() == "jax":
        import jax

        compiled = jax.jit(jax.value_and_grad(function, has_aux=True))

        def by_jax(x: Any) -> tuple[Any, Any]:
            (_, beside), gradient = compiled(x)
            return beside, gradient

        return by_jax
    import tensorflow as tf

    @tf.function(jit_compile=False)  # XLA compiles convolutions for a CPU without oneDNN: several times slower
    def by_tensorflow(x: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value, beside = function(x)
        return beside, tape.gradient(value, x)

    return by_tensorflow
