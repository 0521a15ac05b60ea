"""Smaller LiteRT files: which convolutions change, and by which frames they are scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamer.export.frozen import layer_order
from streamer.export.litert import litert_convolutions
from streamer.export.precision import kept_float
from streamer.export.subject import Subject
from streamer.quantised import quantised
from streamer.runtime import Frames, pad


def litert_quantised(
    data: bytes, subject: Subject, precision: str, frames: Frames | None, kept: tuple[str, ...] | None = None
) -> bytes:
    """A float32 file in another precision. Raises MissingDependency without AI Edge Quantizer.

    frames: (B, H, W, 3), which int8 is scaled by; kept: convolutions that stay float32 where others get 8 bits, by
    default those of `streamer.export.precision`.
    """
    if precision == "none":
        return data
    kept = kept_float(subject.trunk, precision) if kept is None else kept
    outputs = dict(zip(layer_order(subject.config), litert_convolutions(data), strict=True))
    chosen = [name for layer, name in outputs.items() if precision == "float16" or layer not in kept]
    examples = None
    if precision == "int8" and frames is not None:
        examples = [_inputs(subject, frame, number) for number, frame in enumerate(frames)]
    return quantised(data, precision, chosen, examples)


def _inputs(subject: Subject, frame: Frames, number: int) -> dict[str, Any]:
    """Of the file's signature; the styles take turns."""
    if subject.is_frozen:
        return {"frames": frame[None]}
    batch = subject.batch(frame[None], subject.styles[number % len(subject.styles)].name)
    values = {name: getattr(batch, name) for name in ("modulation", "given", "mix", "carry")}
    return {"frames": np.asarray(pad(batch.frames)[0])} | values
