"""What a training run is: its pictures, weights and length. Saved beside the checkpoint; equal recipes resume."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from streamer.errors import BadOption
from streamer.training_settings import TEACHER_WEIGHT
from streamer.trunk import DEFAULT_MODEL, MODELS, TrunkConfig

# What the arithmetic is done in. The mixed ones are Keras policies and hold for the style network and the VGG alike;
# `bfloat16` is for processors that have it: VGG in bfloat16 beside a style network in float32.
PRECISIONS = ("float32", "bfloat16", "mixed_float16", "mixed_bfloat16")
_OF_MODEL = TrunkConfig(width=0)  # stands for the architecture that the model's name means


@dataclass(frozen=True)
class StyleSource:
    """One style to learn: its picture and what is written of it into the style file."""

    name: str
    picture: str
    sizes: tuple[int, ...] = (256,)  # short sides in pixels at which the picture's Gram matrices are averaged
    style_weight: float = 1.0
    temporal_weight: float = 1.0  # times that of the run
    title: str = ""
    artist: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run computes. Losses are relative (`training.losses`), so weights are near 1.

    A step is one update of the weights, from `batch * accumulate` pairs of frames.
    """

    styles: tuple[StyleSource, ...]
    content: tuple[str, ...]  # folders of photographs and videos
    content_credit: str = ""  # what the photographs are, for the style files
    vgg: str = "imagenet"
    scope: str = "trunk"  # what learns: `trunk`, or `style` for the modulations alone on a given trunk
    trunk: str = ""  # with scope `style`: the checksum of the trunk; with `prune`: of the one that was cut
    model: str = DEFAULT_MODEL  # which network: a key of MODELS
    config: TrunkConfig = _OF_MODEL  # its architecture, if not that of the model's name
    steps: int = 3200
    reconstruction_steps: int = 0  # before those: `training.reconstruct`
    batch: int = 2
    accumulate: int = 1  # batches whose gradients are averaged into one update
    size: int = 256  # side of a crop in pixels, a multiple of the network's stride
    learning_rate: float = 1.8e-3
    content_weight: float = 1.0
    variation_weight: float = 0.0
    temporal_weight: float = 40.0
    temporal_ramp: tuple[float, float] = (0.03, 0.15)  # where in the run the temporal term fades in
    quantised: bool = False  # learn with convolutions of 8 bits: `training.quantised`
    teacher: str = ""  # a folder of styles of the same names, or a key of MODELS: what it paints is to be matched
    teacher_trunk: str = ""  # the checksum of the teacher's network
    teacher_weight: float = TEACHER_WEIGHT
    prune: float = 0.0  # share of the channels that are cut out of the network that the run begins with
    prune_where: str = "blocks"  # see `training.prune`
    average: float = 0.998  # decay of the moving average of the weights, a step
    precision: str = "float32"  # one of PRECISIONS
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise BadOption for what no run can be made of."""
        if self.model not in MODELS:
            raise BadOption(f"There is no model {self.model!r}; there are {', '.join(MODELS)}.")
        if self.precision not in PRECISIONS:
            raise BadOption(f"The precision is one of {', '.join(PRECISIONS)}; received {self.precision!r}.")
        if min(self.steps, self.batch, self.accumulate) < 1:
            received = f"{self.steps}, {self.batch} and {self.accumulate}"
            raise BadOption(f"Steps, batch and accumulate are at least 1; received {received}.")
        if self.config == _OF_MODEL:
            object.__setattr__(self, "config", MODELS[self.model])

    @property
    def network_precision(self) -> str:
        """The Keras policy of the style network."""
        return self.precision if self.precision.startswith("mixed_") else "float32"

    @property
    def feature_precision(self) -> str:
        """The type that VGG computes in."""
        return self.precision.removeprefix("mixed_")

    @property
    def uses_features(self) -> bool:
        """Whether any loss looks at VGG features; without, a run costs a fraction."""
        return self.content_weight > 0 or any(style.style_weight > 0 for style in self.styles)

    @property
    def learns(self) -> bool:
        """Whether there is anything to learn from: pictures, or a teacher."""
        return self.uses_features or bool(self.teacher and self.teacher_weight)

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
