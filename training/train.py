"""The trainer: a Keras model around the style network whose loss is perceptual and temporal.

Johnson et al. 2016 (perceptual losses), Dumoulin et al. 2017 (several styles in one network), Gupta et al. 2017 and
Gao et al. 2018 (temporal consistency). Row 0 of the modulation table is the identity row: it learns to give the
input back through the whole network.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.model import StyleNetwork, build_network, network_weights
from streamer.styles import Style
from streamer.trunk import Trunk, Weights, neutral_modulation
from training import losses, motion
from training.data import read_picture, shrink
from training.recipe import Recipe, StyleSource
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features

# Scales and shifts are near 1 where kernels are near 0.05; Adam moves both alike, so the table is stored in larger units.
MODULATION_RATE = 5.0
LOSS_NAMES = ("content", "style", "variation", "temporal", "identity")


def style_grams(features: Features, source: StyleSource) -> dict[str, NDArray[np.float32]]:
    """Gram matrices (C, C) of a style picture for each style layer, averaged over the sizes asked for."""
    picture = read_picture(source.picture)
    found: dict[str, list[Any]] = {layer: [] for layer in STYLE_LAYERS}
    for size in source.sizes:
        activations = features(ops.convert_to_tensor(shrink(picture, size)[None].astype(np.float32)))
        for layer in STYLE_LAYERS:
            found[layer].append(ops.convert_to_numpy(losses.gram(activations[layer]))[0])
    return {layer: np.mean(grams, axis=0) for layer, grams in found.items()}


class Trainer(keras.Model):
    """Learns a trunk and the modulations of its styles. Feed it `training.data.Pairs`."""

    def __init__(self, recipe: Recipe, vgg: Weights) -> None:
        super().__init__(name="trainer")
        self.recipe = recipe
        self.network: StyleNetwork = build_network(recipe.config)
        self._neutral = neutral_modulation(recipe.config)
        shape = (1 + len(recipe.styles), len(self._neutral))
        self.offsets = self.add_weight(shape=shape, initializer="zeros", name="modulation_offsets")
        self.progress_step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="progress_step")
        self._features = Features(vgg, (*STYLE_LAYERS, CONTENT_LAYER), recipe.precision)
        self._content = Features(vgg, (CONTENT_LAYER,), recipe.precision)
        self._assigned = np.arange(recipe.batch) % len(recipe.styles)
        self._grams = self._target_grams()
        self._style_weights = np.array([recipe.styles[i].style_weight for i in self._assigned], np.float32)
        self._mix = self._mixing()
        self._means = {name: keras.metrics.Mean(name=name) for name in LOSS_NAMES}
        self.built = True

    def _target_grams(self) -> dict[str, Any]:
        by_style = [style_grams(self._features, source) for source in self.recipe.styles]
        return {layer: np.stack([by_style[i][layer] for i in self._assigned]) for layer in STYLE_LAYERS}

    def _mixing(self) -> NDArray[np.float32]:
        """Of the pairs, every other second frame uses the first one's statistics, as a stream at run time does."""
        batch, styles = self.recipe.batch, len(self.recipe.styles)
        mix = np.eye(2 * batch + 1, dtype=np.float32)
        for i in range(batch):
            if (i // styles) % 2 == 0:
                mix[batch + i] = np.eye(2 * batch + 1)[i]
        return mix

    def call(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Style both frames of every pair, and reproduce one frame with the identity row."""
        count = self.recipe.batch
        rows = np.concatenate([self._assigned + 1, self._assigned + 1, [0]])
        outputs = self.network(
            {
                "frames": ops.concatenate([batch["first"], batch["second"], batch["first"][:1]], axis=0),
                "modulation": self._neutral + MODULATION_RATE * ops.take(self.offsets, rows, axis=0),
                "given": np.zeros((2 * count + 1, self.recipe.config.statistics_size), np.float32),
                "mix": self._mix,
                "carry": np.zeros((2 * count + 1, 1), np.float32),
            }
        )
        frames = ops.cast(outputs["frames"], "float32")
        return {"first": frames[:count], "second": frames[count : 2 * count], "identity": frames[2 * count :]}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum; each part is also a metric of its own."""
        recipe = self.recipe
        features = self._features(y_pred["first"])
        wanted = self._content(x["first"])[CONTENT_LAYER]
        style_terms = losses.style_terms(features, self._grams)
        warped = motion.warp(y_pred["first"], x["flow"])
        parts = {
            "content": losses.relative_square_error(features[CONTENT_LAYER], wanted),
            "style": sum(style_terms.values()),
            "variation": losses.total_variation(y_pred["first"]),
            "temporal": losses.temporal(y_pred["second"], warped, x["mask"], x["light"]),
            "identity": ops.mean(ops.abs(y_pred["identity"] - x["first"][:1])) / 255.0,
        }
        for name, value in parts.items():
            self._means[name].update_state(value)
        excess = ops.mean(ops.relu(ops.abs(y_pred["first"] - 127.5) - 127.5)) / 255.0
        total = (
            recipe.content_weight * ops.mean(parts["content"])
            + ops.mean(self._style_weights * parts["style"])
            + recipe.variation_weight * ops.mean(parts["variation"])
            + recipe.temporal_weight * self._temporal_ramp() * ops.mean(parts["temporal"])
            + recipe.identity_weight * parts["identity"]
            + excess
        )
        self.progress_step.assign_add(1.0)
        return total

    def _temporal_ramp(self) -> Any:
        begin, end = (share * self.recipe.steps for share in self.recipe.temporal_ramp)
        return ops.clip((self.progress_step - begin) / max(end - begin, 1.0), 0.0, 1.0)

    @property
    def table(self) -> NDArray[np.float32]:
        """The modulations as they are now, (1 + styles, modulation_size); row 0 is the identity row."""
        return np.asarray(self._neutral + MODULATION_RATE * ops.convert_to_numpy(self.offsets), np.float32)

    def trunk(self, metadata: dict[str, str] | None = None) -> Trunk:
        """The weights as they are now, as a trunk with its identity row."""
        return Trunk(self.recipe.config, network_weights(self.network), self.table[0], metadata or {})

    def styles(self, metadata: dict[str, str] | None = None) -> list[Style]:
        """The styles as they are now."""
        checksum = self.trunk().checksum
        return [
            Style(s.name, s.title or s.name, s.artist or "unknown", s.licence or "unknown", checksum, row, {}, metadata or {})
            for s, row in zip(self.recipe.styles, self.table[1:], strict=True)
        ]

    def load(self, trunk: Trunk, modulations: dict[str, NDArray[np.float32]]) -> None:
        """Start from a trunk and the modulations of those styles that it already knows."""
        for weight, values in zip(self.network.trainable_weights, _in_order(self.network, trunk), strict=True):
            weight.assign(values)
        table = self.table
        table[0] = trunk.identity
        for row, source in enumerate(self.recipe.styles, start=1):
            table[row] = modulations.get(source.name, table[row])
        self.offsets.assign((table - self._neutral) / MODULATION_RATE)


def _in_order(network: StyleNetwork, trunk: Trunk) -> list[NDArray[np.float32]]:
    return [trunk.weights[name] for name in network_weights(network)]


def compile_trainer(trainer: Trainer) -> None:
    """Adam with warm-up, cosine decay, clipped gradients and a moving average of the weights."""
    recipe = trainer.recipe
    warmup = max(1, min(100, recipe.steps // 10))
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 10, max(1, recipe.steps - warmup), alpha=0.02, warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.Adam(
        schedule, beta_2=0.99, global_clipnorm=2.0, use_ema=True, ema_momentum=recipe.average
    )
    optimizer.build(trainer.trainable_variables)
    # XLA compiles convolutions for a CPU without oneDNN: several times slower than plain graph execution.
    trainer.compile(optimizer=optimizer, jit_compile="auto" if keras.backend.backend() == "jax" else False)
