"""What a training run is: its pictures, weights and length. Saved beside the checkpoint; equal recipes resume."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from streamer.trunk import TrunkConfig


@dataclass(frozen=True)
class StyleSource:
    """One style to learn: its picture and what is written of it into the style file."""

    name: str
    picture: str
    sizes: tuple[int, ...] = (256,)  # short sides in pixels at which the picture's Gram matrices are averaged
    style_weight: float = 1.0
    title: str = ""
    artist: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run computes. Losses are relative (`training.losses`), so weights are near 1."""

    styles: tuple[StyleSource, ...]
    content: tuple[str, ...]  # folders of photographs
    content_credit: str = ""  # what the photographs are, for the style files
    vgg: str = "imagenet"
    scope: str = "trunk"  # what learns: `trunk`, or `style` for the modulations alone on a given trunk
    trunk: str = ""  # with scope `style`: the checksum of the trunk
    config: TrunkConfig = field(default_factory=TrunkConfig)
    steps: int = 3200
    batch: int = 2
    size: int = 256  # side of a crop in pixels, a multiple of the network's stride
    learning_rate: float = 1.8e-3
    content_weight: float = 1.0
    variation_weight: float = 0.0
    temporal_weight: float = 5.0
    temporal_ramp: tuple[float, float] = (0.03, 0.15)  # where in the run the temporal term fades in
    average: float = 0.998  # decay of the moving average of the weights
    precision: str = "float32"  # of the VGG arithmetic
    seed: int = 0

    def to_json(self) -> str:
        """As text; `from_json` is the inverse."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values["styles"] = tuple(StyleSource(**style | {"sizes": tuple(style["sizes"])}) for style in values["styles"])
        values["config"] = TrunkConfig.from_dict(values["config"])
        for name in ("content", "temporal_ramp"):
            values[name] = tuple(values[name])
        return cls(**values)
