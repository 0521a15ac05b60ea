"""The trainer: a Keras model around the style network whose loss is perceptual and temporal.

Johnson et al. 2016 (perceptual losses), Dumoulin et al. 2017 (several styles in one network), Gupta et al. 2017 and
Gao et al. 2018 (temporal consistency).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.errors import BadOption
from streamer.geometry import BORDER
from streamer.model import StyleNetwork, build_network, network_weights, set_network_weights
from streamer.styles import Style
from streamer.trunk import Trunk, Weights, identity_modulation, neutral_modulation
from training import losses, motion
from training.data import read_style_picture, shrink
from training.devices import accelerators, replicas
from training.distil import teacher_of
from training.optimizer import make_optimizer
from training.quantised import quantise_convolutions
from training.recipe import Recipe, StyleSource
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features

# Scales and shifts are near 1 where kernels are near 0.05; steps move both alike, so the table has larger units.
MODULATION_RATE = 5.0


def reflect(frames: Any) -> Any:
    """A border as at run time."""
    return ops.pad(frames, ((0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0)), mode="reflect")


def unframe(frames: Any) -> Any:
    """Without that border, in float32."""
    return ops.cast(frames, "float32")[:, BORDER:-BORDER, BORDER:-BORDER]


def style_grams(features: Features, source: StyleSource) -> dict[str, NDArray[np.float32]]:
    """Gram matrices (C, C) of a style picture for each style layer, averaged over the sizes asked for."""
    picture = read_style_picture(Path(source.picture))
    found: dict[str, list[Any]] = {layer: [] for layer in STYLE_LAYERS}
    for size in source.sizes:
        activations = features(ops.convert_to_tensor(shrink(picture, size)[None].astype(np.float32)))
        for layer in STYLE_LAYERS:
            found[layer].append(ops.convert_to_numpy(losses.gram(activations[layer]))[0])
    return {layer: np.mean(grams, axis=0) for layer, grams in found.items()}


class Trainer(keras.Model):
    """Learns a trunk and the modulations of its styles. Feed it `training.data.Pairs`."""

    def __init__(self, recipe: Recipe, vgg: Weights | None) -> None:
        """vgg: see `training.vgg.Features`; not needed where `recipe.uses_features` is false."""
        super().__init__(name="trainer")
        self.recipe = recipe
        self.network: StyleNetwork = build_network(recipe.config, recipe.network_precision)
        if recipe.scope == "style":
            self.network.trainable = False  # never True: under JAX that would set its fixed blur to learning, too
        if recipe.quantised:
            quantise_convolutions(self.network)
        self._neutral = neutral_modulation(recipe.config)
        shape = (len(recipe.styles), len(self._neutral))
        self._identity = identity_modulation(recipe.config)
        self.offsets = self.add_weight(shape=shape, initializer="zeros", name="modulation_offsets")
        # Counts batches. Every device counts for itself, where there are several.
        self.progress_step = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="progress_step", aggregation="only_first_replica"
        )
        self._look(recipe, vgg)
        self._teacher = teacher_of(recipe)
        self._means = {name: keras.metrics.Mean(name=name) for name in self._weights_of_losses()}
        self.built = True

    def _look(self, recipe: Recipe, vgg: Weights | None) -> None:
        """What the perceptual losses need to know of the style pictures."""
        self._style_weights = np.array([source.style_weight for source in recipe.styles], np.float32)
        self._temporal_weights = np.array([source.temporal_weight for source in recipe.styles], np.float32)
        if not recipe.uses_features:
            return
        if vgg is None:
            raise BadOption("With a content or a style weight a run needs VGG weights.")
        # A GPU has kernels of its own for this, and a processor that multiplies bfloat16 is faster by those.
        quick = recipe.feature_precision == "float32" and not accelerators()
        self._features = Features(vgg, (*STYLE_LAYERS, CONTENT_LAYER), recipe.feature_precision, winograd=quick)
        self._content = Features(vgg, (CONTENT_LAYER,), recipe.feature_precision, winograd=quick)
        by_style = [style_grams(self._features, source) for source in recipe.styles]
        self._grams = {layer: np.stack([grams[layer] for grams in by_style]) for layer in STYLE_LAYERS}

    def _weights_of_losses(self) -> dict[str, float]:
        """The losses that this run has; the weights of styles are each style's own."""
        recipe = self.recipe
        weights = {
            "content": recipe.content_weight,
            "style": float(recipe.uses_features),
            "variation": recipe.variation_weight,
            "temporal": recipe.temporal_weight,
            "teacher": recipe.teacher_weight if recipe.teacher else 0.0,
        }
        return {name: weight for name, weight in weights.items() if weight}

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
        return {name: unframe(frames) for name, frames in styled.items()}

    def _run(self, frames: Any, modulation: Any, given: Any, mix: Any, carry: Any) -> dict[str, Any]:
        inputs = {"frames": reflect(frames), "modulation": modulation, "given": given, "mix": mix, "carry": carry}
        outputs: dict[str, Any] = self.network(inputs)
        return outputs

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum; each part is also a metric of its own."""
        weights, styled = self._weights_of_losses(), y_pred["first"]
        weights["style"] = ops.take(self._style_weights, x["style"])
        run_weight = self.recipe.temporal_weight * self._temporal_ramp()
        weights["temporal"] = run_weight * ops.take(self._temporal_weights, x["style"])
        total = ops.mean(ops.relu(ops.abs(styled - 127.5) - 127.5)) / 255.0  # what lies outside of 0..255
        for name, value in self._parts(x, y_pred).items():
            self._means[name].update_state(value)
            total = total + ops.mean(weights[name] * value)
        self.progress_step.assign_add(1.0)
        # Gradients are summed over devices that each take the mean over their share of a batch.
        return total / replicas()

    def _parts(self, x: dict[str, Any], y_pred: dict[str, Any]) -> dict[str, Any]:
        """Each loss that this run has, (B,), before its weight."""
        recipe, styled = self.recipe, y_pred["first"]
        parts: dict[str, Any] = {}
        if recipe.uses_features:
            features = self._features(styled)
            grams = {layer: ops.take(of_styles, x["style"], axis=0) for layer, of_styles in self._grams.items()}
            parts["style"] = sum(losses.style_terms(features, grams).values())
            if recipe.content_weight:
                wanted = self._content(x["first"])[CONTENT_LAYER]
                parts["content"] = losses.relative_square_error(features[CONTENT_LAYER], wanted)
        if recipe.variation_weight:
            parts["variation"] = losses.total_variation(styled)
        if recipe.temporal_weight:
            warped = motion.warp(styled, x["flow"])
            parts["temporal"] = losses.temporal(y_pred["second"], warped, x["mask"], x["light"])
        if self._teacher is not None and recipe.teacher_weight:
            wanted = unframe(self._teacher(reflect(x["first"]), x["style"]))
            parts["teacher"] = losses.pixel_difference(styled, wanted)
        return parts

    def _temporal_ramp(self) -> Any:
        begin, end = (share * self.recipe.steps for share in self.recipe.temporal_ramp)
        done = self.progress_step / self.recipe.accumulate
        return ops.clip((done - begin) / max(end - begin, 1.0), 0.0, 1.0)

    @property
    def batches_done(self) -> int:
        """How many batches it has learnt from, `recipe.accumulate` to a step."""
        return int(ops.convert_to_numpy(self.progress_step))

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
        if self.recipe.scope == "style":  # the trunk is given: its styles name the very file that there is
            self._identity = trunk.identity
        table = self.table
        # On a trained trunk the mean of what it knows is a better beginning than the neutral row.
        unknown = np.mean(list(modulations.values()), axis=0) if modulations else self._neutral
        for row, source in enumerate(self.recipe.styles):
            table[row] = modulations.get(source.name, unknown)
        self.offsets.assign((table - self._neutral) / MODULATION_RATE)


def compile_trainer(trainer: Trainer, optimizer: Any = None) -> None:
    """Make it ready to fit, by default with `make_optimizer`."""
    optimizer = optimizer or make_optimizer(trainer.recipe)
    optimizer.build(trainer.trainable_variables)
    # XLA compiles convolutions for a CPU without oneDNN: several times slower than plain graph execution.
    trainer.compile(optimizer=optimizer, jit_compile="auto" if keras.backend.backend() == "jax" else False)


@contextlib.contextmanager
def averaged(trainer: Trainer) -> Iterator[None]:
    """Inside, the trainer has the moving average of its weights; afterwards it goes on with those it had."""
    current = [np.array(ops.convert_to_numpy(v)) for v in trainer.trainable_variables]
    trainer.optimizer.finalize_variable_values(trainer.trainable_variables)
    try:
        yield
    finally:
        for variable, values in zip(trainer.trainable_variables, current, strict=True):
            variable.assign(values)


def synchronise(trainer: Trainer) -> None:
    """Bring the variables up to date inside a callback: under JAX, fit keeps them to itself."""
    if keras.backend.backend() == "jax":
        trainer.jax_state_sync()
