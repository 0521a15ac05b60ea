"""The trainer: a Keras model around the style network whose loss is perceptual and temporal.

Johnson et al. 2016 (perceptual losses), Dumoulin et al. 2017 (several styles in one network), Gupta et al. 2017 and
Gao et al. 2018 (temporal consistency). Row 0 of the modulation table is the identity row: it learns to give the
input back, which it does by opening the gate of the input and shutting the paint off.
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
from streamer.trunk import Trunk, Weights, neutral_modulation
from training import losses, motion
from training.data import read_picture, shrink
from training.recipe import Recipe, StyleSource
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features

# Scales and shifts are near 1 where kernels are near 0.05; Adam moves both alike, so the table has larger units.
MODULATION_RATE = 5.0
LOSS_NAMES = ("content", "style", "variation", "temporal", "edge", "identity")
EDGE = 32  # pixels along the border of a second frame that the temporal loss leaves to the edge loss


def reflect(frames: Any) -> Any:
    """A border as at run time, where it is what keeps the network's zero padding out of a frame."""
    return ops.pad(frames, ((0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0)), mode="reflect")


def _unreflect(outputs: dict[str, Any]) -> Any:
    return ops.cast(outputs["frames"], "float32")[:, BORDER:-BORDER, BORDER:-BORDER]


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
        shape = (1 + len(recipe.styles), len(self._neutral))
        self.offsets = self.add_weight(shape=shape, initializer="zeros", name="modulation_offsets")
        self.progress_step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="progress_step")
        self._features = Features(vgg, (*STYLE_LAYERS, CONTENT_LAYER), recipe.precision)
        self._content = Features(vgg, (CONTENT_LAYER,), recipe.precision)
        self._assigned = np.arange(recipe.batch) % len(recipe.styles)
        self._grams = self._target_grams()
        self._style_weights = np.array([recipe.styles[i].style_weight for i in self._assigned], np.float32)
        # On a given trunk the identity row is given too.
        self._identity_weight = recipe.identity_weight if recipe.scope == "trunk" else 0.0
        inner = recipe.size - 2 * EDGE
        self._inner = np.pad(np.ones((1, inner, inner, 1), np.float32), ((0, 0), (EDGE, EDGE), (EDGE, EDGE), (0, 0)))
        self._means = {name: keras.metrics.Mean(name=name) for name in LOSS_NAMES}
        self.built = True

    def _target_grams(self) -> dict[str, Any]:
        by_style = [style_grams(self._features, source) for source in self.recipe.styles]
        return {layer: np.stack([by_style[i][layer] for i in self._assigned]) for layer in STYLE_LAYERS}

    def _sharing(self) -> NDArray[np.float32]:
        """(B, 1): 1 for the second frames that are normalised by the first one's statistics, as in a stream; half.

        Of every style as many as may be: where a style comes twice in a batch, once with and once without.
        """
        index, styles = np.arange(self.recipe.batch), len(self.recipe.styles)
        return ((index + index // styles) % 2).astype(np.float32)[:, None]

    def call(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Style both frames of every pair, and reproduce a second frame with the identity row."""
        count, size = self.recipe.batch, self.recipe.config.statistics_size
        modulation = self._neutral + MODULATION_RATE * self.offsets
        styles = ops.take(modulation, self._assigned + 1, axis=0)
        nothing, own = np.zeros((count, size), np.float32), np.eye(count, dtype=np.float32)
        first = self._run(batch["first"], styles, nothing, own, np.zeros((count, 1), np.float32))
        again = ops.concatenate([batch["second"], batch["second"][:1]], axis=0)
        sharing = np.concatenate([self._sharing(), [[0.0]]]).astype(np.float32)
        second = self._run(
            reflect(again),
            ops.concatenate([styles, modulation[:1]], axis=0),
            ops.concatenate([first["used"], nothing[:1]], axis=0),
            np.eye(count + 1, dtype=np.float32) * (1 - sharing),
            sharing,
        )
        # The middle of the first frame once more, now with its border where a real frame would have it.
        tight = reflect(motion.centre(batch["first"]))
        nothing_own, ones = np.zeros((count, count), np.float32), np.ones((count, 1), np.float32)
        cropped = self._run(tight, styles, first["used"], nothing_own, ones)
        frames = _unreflect(second)
        first_frames = ops.cast(first["frames"], "float32")
        return {
            "first": first_frames,
            "second": frames[:count],
            "identity": frames[count:],
            "cropped": _unreflect(cropped),
        }

    def _run(self, frames: Any, modulation: Any, given: Any, mix: Any, carry: Any) -> dict[str, Any]:
        inputs = {"frames": frames, "modulation": modulation, "given": given, "mix": mix, "carry": carry}
        outputs: dict[str, Any] = self.network(inputs)
        return outputs

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum; each part is also a metric of its own."""
        recipe = self.recipe
        styled = motion.centre(y_pred["first"])
        features = self._features(styled)
        wanted = self._content(motion.centre(x["first"]))[CONTENT_LAYER]
        style_terms = losses.style_terms(features, self._grams)
        warped = motion.warp(y_pred["first"], x["flow"])
        parts = {
            "content": losses.relative_square_error(features[CONTENT_LAYER], wanted),
            "style": sum(style_terms.values()),
            "variation": losses.total_variation(styled),
            "temporal": losses.temporal(y_pred["second"], warped, x["mask"] * self._inner, x["light"]),
            "edge": ops.mean(ops.abs(y_pred["cropped"] - ops.stop_gradient(styled)), axis=(1, 2, 3)) / 255.0,
            "identity": ops.mean(ops.abs(y_pred["identity"] - x["second"][:1])) / 255.0,
        }
        for name, value in parts.items():
            self._means[name].update_state(value)
        excess = ops.mean(ops.relu(ops.abs(styled - 127.5) - 127.5)) / 255.0
        total = (
            recipe.content_weight * ops.mean(parts["content"])
            + ops.mean(self._style_weights * parts["style"])
            + recipe.variation_weight * ops.mean(parts["variation"])
            + recipe.temporal_weight * self._temporal_ramp() * ops.mean(parts["temporal"])
            + recipe.edge_weight * ops.mean(parts["edge"])
            + self._identity_weight * parts["identity"]
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
            for s, row in zip(self.recipe.styles, self.table[1:], strict=True)
        ]

    def load(self, trunk: Trunk, modulations: dict[str, NDArray[np.float32]]) -> None:
        """Start from a trunk and the modulations of those styles that it already knows."""
        set_network_weights(self.network, trunk)
        table = self.table
        table[0] = trunk.identity
        for row, source in enumerate(self.recipe.styles, start=1):
            table[row] = modulations.get(source.name, table[row])
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
