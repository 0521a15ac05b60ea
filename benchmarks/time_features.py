"""Times VGG-19's features and their gradient with plain convolutions and with those of `training.winograd`, in turns.

    .venv/bin/python benchmarks/time_features.py [--size 256] [--batch 2] [--turns 9]

The weights are of chance: time does not depend on them. Each turn is what a training step asks of VGG: the content of
the photographs, the features of what was painted, and the gradient of these.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, random_weights

CHANNELS, LAYERS = (64, 128, 256, 512, 512), (2, 2, 4, 4, 1)  # of each block of VGG-19, to conv5_1


def step_of(weights: dict[str, Any], pictures: Any, winograd: bool) -> Callable[[], Any]:
    """What a training step asks of VGG."""
    features = Features(weights, (*STYLE_LAYERS, CONTENT_LAYER), winograd=winograd)

    def step() -> Any:
        wanted = features(pictures)[CONTENT_LAYER]
        painted = pictures * 0.9
        found = features(painted)
        total = sum(tf.reduce_sum(value) for value in found.values()) - tf.reduce_sum(wanted)
        return tf.gradients(total, painted)[0]

    graph: Callable[[], Any] = tf.function(step)
    graph()
    return graph


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--turns", type=int, default=9)
    asked = parser.parse_args()
    weights = random_weights(CHANNELS, layers=LAYERS)
    pictures = tf.random.stateless_uniform((asked.batch, asked.size, asked.size, 3), (0, 0), 0, 255)
    plain, quick = (step_of(weights, pictures, winograd) for winograd in (False, True))
    far = float(tf.norm(quick() - plain()) / tf.norm(plain()))
    times: dict[str, list[float]] = {"plain": [], "winograd": []}
    for _ in range(asked.turns):
        for name, step in (("plain", plain), ("winograd", quick)):
            begun = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - begun)
    ratios = [after / before for before, after in zip(times["plain"], times["winograd"], strict=True)]
    medians = ", ".join(f"{name} {statistics.median(seen):.2f} s" for name, seen in times.items())
    print(f"{medians}; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"The gradients differ by {far:.1e} of their norm")


if __name__ == "__main__":
    main()
