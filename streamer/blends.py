"""What `--style` takes: a name, or a blend of several by weight."""

from __future__ import annotations

import math

from streamer.errors import BadOption


def parse_blend(spec: str) -> dict[str, float]:
    """`mosaic:0.7,great_wave:0.3` -> {"mosaic": 0.7, "great_wave": 0.3}; a name alone weighs 1.

    Raises BadOption for an empty name or a weight that is not a positive finite number.
    """
    weights: dict[str, float] = {}
    for part in spec.split(","):
        name, _, text = part.strip().partition(":")
        weight = _weight(spec, text) if text or ":" in part else 1.0
        if not name:
            raise BadOption(f"--style takes a name or a blend such as mosaic:0.7,great_wave:0.3; received {spec!r}.")
        weights[name] = weights.get(name, 0.0) + weight
    if not sum(weights.values()) > 0:
        raise BadOption(f"The weights of a blend must not all be 0; received {spec!r}.")
    return weights


def _weight(spec: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise BadOption(f"A weight in --style must be a finite number of at least 0; received {text!r} in {spec!r}.")
    return weight
