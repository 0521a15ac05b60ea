"""Names with weights: what `--style` takes, a style or a blend of several, and the layers of `streamer paint`."""

from __future__ import annotations

import math
import re

from streamer.errors import BadOption

LAYER = re.compile(r"relu(1_[12]|2_[12]|3_[1-4]|4_[1-4]|5_[1-4])")  # of VGG-19


def parse_blend(spec: str) -> dict[str, float]:
    """`mosaic:0.7,great_wave:0.3` -> {"mosaic": 0.7, "great_wave": 0.3}; a name alone weighs 1.

    Raises BadOption for an empty name or a weight that is not a positive finite number.
    """
    weights = parse_weights(spec, "--style", "a name or a blend such as mosaic:0.7,great_wave:0.3")
    if not sum(weights.values()) > 0:
        raise BadOption(f"The weights of a blend must not all be 0; received {spec!r}.")
    return weights


def parse_layers(spec: str, flag: str) -> dict[str, float]:
    """`relu3_1:0.5,relu4_2` -> {"relu3_1": 0.5, "relu4_2": 1}. Raises BadOption also for what VGG-19 has not."""
    weights = parse_weights(spec, flag, "layers such as relu3_1:0.5,relu4_2")
    for name in weights:
        if not LAYER.fullmatch(name):
            raise BadOption(f"{flag} takes relu1_1 to relu5_4, as VGG-19 has them; received {name!r}.")
    return weights


def parse_weights(spec: str, flag: str, form: str) -> dict[str, float]:
    """Names with weights; one that is named twice weighs what both say together.

    form: what the flag takes, for messages. Raises BadOption for an empty name or a weight that is negative or no
    finite number.
    """
    weights: dict[str, float] = {}
    for part in spec.split(","):
        name, _, text = part.strip().partition(":")
        weight = _weight(spec, text, flag) if text or ":" in part else 1.0
        if not name:
            raise BadOption(f"{flag} takes {form}; received {spec!r}.")
        weights[name] = weights.get(name, 0.0) + weight
    return weights


def _weight(spec: str, text: str, flag: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise BadOption(f"A weight in {flag} must be a finite number of at least 0; received {text!r} in {spec!r}.")
    return weight
