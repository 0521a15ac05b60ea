"""The trainer: a Keras model around the style network whose loss is perceptual and temporal.

Johnson et al. 2016 (perceptual losses), Dumoulin et al. 2017 (several styles in one network), Gupta et al. 2017 and
Gao et al. 2018 (temporal consistency).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.geometry import BORDER
from streamer.model import StyleNetwork, build_network, network_weights, set_network_weights
from streamer.styles import Style
from streamer.trunk import Trunk, Weights, identity_modulation, neutral_modulation
from training import losses, motion
from training.data import read_picture, shrink
from training.recipe import Recipe, StyleSource
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features

# Scales and shifts are near 1 where kernels are near 0.05; Adam moves both alike, so the table has larger units.
MODULATION_RATE = 5.0
LOSS_NAMES = ("content", "style", "variation", "temporal")


def reflect(frames: Any) -> Any:
    """A border as at run time."""
    return ops.pad(frames, ((0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0)), mode="reflect")


def style_grams(features: Features, source: StyleSource) -> dict[str, NDArray[np.float32]]:
    """Gram matrices (C, C) of a style picture for each style layer, averaged over the sizes asked for."""
    picture = read_picture(Path(source.picture))
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
        self.network.trainable = recipe.scope == "trunk"
        self._neutral = neutral_modulation(recipe.config)
        shape = (len(recipe.styles), len(self._neutral))
        self._identity = identity_modulation(recipe.config)
        self.offsets = self.add_weight(shape=shape, initializer="zeros", name="modulation_offsets")
        self.progress_step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="progress_step")
        self._features = Features(vgg, (*STYLE_LAYERS, CONTENT_LAYER), recipe.precision)
        self._content = Features(vgg, (CONTENT_LAYER,), recipe.precision)
        by_style = [style_grams(self._features, source) for source in recipe.styles]
        self._grams = {layer: np.stack([grams[layer] for grams in by_style]) for layer in STYLE_LAYERS}
        self._style_weights = np.array([source.style_weight for source in recipe.styles], np.float32)
        self._means = {name: keras.metrics.Mean(name=name) for name in LOSS_NAMES}
        self.built = True

    def call(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Style the first frame of every pair and, where steadiness counts, the second."""
        count, size = ops.shape(batch["style"])[0], self.recipe.config.statistics_size
        modulation = ops.take(self._neutral + MODULATION_RATE * self.offsets, batch["style"], axis=0)
        own = ops.eye(count)
        first = self._run(batch["first"], modulation, ops.zeros((count, size)), own, ops.zeros((count, 1)))
        styled = {"first": first["frames"]}
        if self.recipe.temporal_weight:
            share = batch["share"]
            second = self._run(batch["second"], modulation, first["used"], own * (1 - share), share)
            styled["second"] = second["frames"]
        return {name: ops.cast(frames, "float32")[:, BORDER:-BORDER, BORDER:-BORDER] for name, frames in styled.items()}

    def _run(self, frames: Any, modulation: Any, given: Any, mix: Any, carry: Any) -> dict[str, Any]:
        inputs = {"frames": reflect(frames), "modulation": modulation, "given": given, "mix": mix, "carry": carry}
        outputs: dict[str, Any] = self.network(inputs)
        return outputs

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum; each part is also a metric of its own."""
        recipe, styled = self.recipe, y_pred["first"]
        features = self._features(styled)
        wanted = self._content(x["first"])[CONTENT_LAYER]
        grams = {layer: ops.take(of_styles, x["style"], axis=0) for layer, of_styles in self._grams.items()}
        parts = {
            "content": losses.relative_square_error(features[CONTENT_LAYER], wanted),
            "style": sum(losses.style_terms(features, grams).values()),
            "variation": losses.total_variation(styled),
            "temporal": ops.zeros_like(x["share"]),
        }
        if recipe.temporal_weight:
            warped = motion.warp(styled, x["flow"])
            parts["temporal"] = losses.temporal(y_pred["second"], warped, x["mask"], x["light"])
        for name, value in parts.items():
            self._means[name].update_state(value)
        excess = ops.mean(ops.relu(ops.abs(styled - 127.5) - 127.5)) / 255.0
        total = (
            recipe.content_weight * ops.mean(parts["content"])
            + ops.mean(ops.take(self._style_weights, x["style"]) * parts["style"])
            + recipe.variation_weight * ops.mean(parts["variation"])
            + recipe.temporal_weight * self._temporal_ramp() * ops.mean(parts["temporal"])
            + excess
        )
        self.progress_step.assign_add(1.0)
        return total

    def _temporal_ramp(self) -> Any:
        begin, end = (share * self.recipe.steps for share in self.recipe.temporal_ramp)
        return ops.clip((self.progress_step - begin) / max(end - begin, 1.0), 0.0, 1.0)

    @property
    def table(self) -> NDArray[np.float32]:
        """The modulations as they are now, (styles, modulation_size)."""
        return np.asarray(self._neutral + MODULATION_RATE * ops.convert_to_numpy(self.offsets), np.float32)

    def trunk(self, metadata: dict[str, str] | None = None) -> Trunk:
        """The weights as they are now, as a trunk with its identity row."""
        return Trunk(self.recipe.config, network_weights(self.network), self._identity, metadata or {})

    def styles(self, metadata: dict[str, str] | None = None) -> list[Style]:
        """The styles as they are now."""
        checksum = self.trunk().checksum
        return [
            Style(
                s.name,
                s.title or s.name,
                s.artist or "unknown",
                s.licence or "unknown",
                checksum,
                row,
                {},
                metadata or {},
            )
            for s, row in zip(self.recipe.styles, self.table, strict=True)
        ]

    def load(self, trunk: Trunk, modulations: dict[str, NDArray[np.float32]]) -> None:
        """Start from a trunk and the modulations of those styles that it already knows."""
        set_network_weights(self.network, trunk)
        table = self.table
        # On a trained trunk the mean of what it knows is a better beginning than the neutral row.
        unknown = np.mean(list(modulations.values()), axis=0) if modulations else self._neutral
        for row, source in enumerate(self.recipe.styles):
            table[row] = modulations.get(source.name, unknown)
        self.offsets.assign((table - self._neutral) / MODULATION_RATE)


def compile_trainer(trainer: Trainer) -> None:
    """Adam with warm-up, cosine decay, clipped gradients and a moving average of the weights."""
    recipe = trainer.recipe
    warmup = max(1, min(100, recipe.steps // 10))
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 10,
        max(1, recipe.steps - warmup),
        alpha=0.02,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.Adam(
        schedule, beta_2=0.99, global_clipnorm=2.0, use_ema=True, ema_momentum=recipe.average
    )
    optimizer.build(trainer.trainable_variables)
    # XLA compiles convolutions for a CPU without oneDNN: several times slower than plain graph execution.
    trainer.compile(optimizer=optimizer, jit_compile="auto" if keras.backend.backend() == "jax" else False)
