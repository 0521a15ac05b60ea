"""The score card as data: what was measured of each style of each program. Lower is better unless it says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Steadiness:
    """A moving scene, beside what is true of the unstyled one. Keys of `e_warp` are gaps in frames."""

    frames: int
    e_warp: dict[int, float]  # frames scaled to 0..1, see `training.stability`
    own: dict[int, float]  # the same of the input: the floor
    contrast: float  # standard deviation of luminance, in 1/255
    sharpness: float  # mean gradient of luminance, in 1/255 a pixel
    input_contrast: float
    input_sharpness: float

    @property
    def added(self) -> dict[int, float]:
        """What styling adds to the input's own warping error."""
        return {gap: error - self.own[gap] for gap, error in self.e_warp.items()}


def mean_steadiness(scenes: Sequence[Steadiness]) -> Steadiness:
    """The mean over scenes; gaps that a scene was too short for are left out."""
    gaps = [gap for gap in scenes[0].e_warp if all(gap in scene.e_warp for scene in scenes)]

    def mean(name: str) -> float:
        return sum(getattr(scene, name) for scene in scenes) / len(scenes)

    return Steadiness(
        sum(scene.frames for scene in scenes),
        {gap: sum(scene.e_warp[gap] for scene in scenes) / len(scenes) for gap in gaps},
        {gap: sum(scene.own[gap] for scene in scenes) / len(scenes) for gap in gaps},
        *map(mean, ("contrast", "sharpness", "input_contrast", "input_sharpness")),
    )


@dataclass(frozen=True)
class Stillness:
    """A scene in which nothing moves: mean deviation of a pixel over time, in 1/255."""

    running: float  # styled as a stream: its noise filtered, normalised by the stream's statistics
    per_frame: float  # each frame as it is, by its own statistics
    own: float  # of the input

    @property
    def ratio(self) -> float:
        """How much of the flicker of frames styled apart is left."""
        return self.running / max(self.per_frame, 1e-6)


@dataclass(frozen=True)
class Artefacts:
    """What the network draws by itself, in 1/255; see `training.artefacts`."""

    quarter: float  # amplitude at 1/4 cycle per pixel on a flat grey frame: the grid of a depth-to-space of 4
    half: float  # the same at 1/2 cycle per pixel
    border: float  # mean absolute difference in the outer 16 pixels of a crop to the same place of a larger frame
    middle: float  # the same in the middle
    border_shift: float  # mean signed difference there: what lies outside cannot be known, but it has no sign

    @property
    def border_ratio(self) -> float:
        """Border to middle, where a middle below one level, all that 8 bits tell apart, counts as one."""
        return self.border / max(self.middle, 1.0)


@dataclass(frozen=True)
class StyleCard:
    """All of one style of one program; what was not measured is empty or None."""

    program: str
    style: str
    scores: dict[str, float] = field(default_factory=dict)  # means over photographs
    photographs: dict[str, dict[str, float]] = field(default_factory=dict)  # the terms of each
    clips: dict[str, Steadiness] = field(default_factory=dict)
    moved: dict[str, Steadiness] = field(default_factory=dict)  # photographs moved by exactly known motions
    still: dict[str, Stillness] = field(default_factory=dict)
    artefacts: Artefacts | None = None

    @property
    def label(self) -> str:
        """Program and style."""
        return f"{self.program} {self.style}"


@dataclass(frozen=True)
class ScoreCard:
    """What was measured, and how."""

    cards: tuple[StyleCard, ...]
    settings: Mapping[str, Any]  # what was measured on, with which options

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the derived figures beside the measured ones."""
        return {"settings": dict(self.settings), "styles": [_with_derived(card) for card in self.cards]}


def _with_derived(card: StyleCard) -> dict[str, Any]:
    values = asdict(card)
    for group in ("clips", "moved"):
        for name, steadiness in getattr(card, group).items():
            values[group][name]["added"] = steadiness.added
    for name, stillness in card.still.items():
        values["still"][name]["ratio"] = stillness.ratio
    if card.artefacts is not None:
        values["artefacts"]["border_ratio"] = card.artefacts.border_ratio
    return values
