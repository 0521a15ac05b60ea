"""What an exported file holds: a trunk whose style is an input, or one style for good; and whose pictures these are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import streamer
from streamer.blends import parse_blend
from streamer.errors import BadStyle
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import Batch, Frames, still
from streamer.styles import Style, StyleLibrary
from streamer.trunk import Trunk, TrunkConfig

CREDITS = ("name", "title", "artist", "licence")


@dataclass(frozen=True)
class Subject:
    """What one file holds."""

    name: str  # the file's, without its ending
    library: StyleLibrary  # bound to the trunk
    styles: tuple[Style, ...]  # those that are told of
    spec: str  # the style that the file is checked in: for good, or one that it can be given
    strength: float = 1.0
    is_frozen: bool = False
    statistics: NDArray[np.float32] | None = None  # (statistics_size,): frozen, too

    @property
    def trunk(self) -> Trunk:
        """The network's weights."""
        return self.library.trunk

    @property
    def config(self) -> TrunkConfig:
        """The network's architecture."""
        return self.trunk.config

    def row(self, spec: str | None = None) -> NDArray[np.float32]:
        """The modulation of a style, (modulation_size,); by default of `spec`."""
        return self.library.resolve(spec or self.spec, self.strength)

    def batch(self, frames: Frames, spec: str | None = None) -> Batch:
        """Frames (B, H, W, 3) in a style, by the statistics that this file would use."""
        batch = still(frames, self.row(spec), self.config.statistics_size)
        if self.statistics is None:
            return batch
        given = np.repeat(self.statistics[None], len(frames), axis=0)
        return replace(batch, given=given, mix=np.zeros_like(batch.mix), carry=np.ones_like(batch.carry))

    def facts(self) -> dict[str, str]:
        """What the file's metadata says, where its format has such."""
        said = {
            "producer": f"streamer {streamer.__version__}",
            "model": self.library.model,
            "trunk": self.trunk.checksum,
            "credits": json.dumps([{key: getattr(style, key) for key in CREDITS} for style in self.styles]),
        }
        if not self.is_frozen:
            return said
        statistics = "own" if self.statistics is None else "frozen"
        return said | {"style": self.spec, "strength": f"{self.strength:g}", "statistics": statistics}

    def card(self) -> dict[str, Any]:
        """What the JSON beside the file says: as `facts`, and the modulations that the trunk can be given."""
        said = self.facts() | {"credits": json.loads(self.facts()["credits"])}
        if self.is_frozen:
            return said
        rows = {style.name: style.modulation.tolist() for style in self.styles}
        return said | {"identity": self.trunk.identity.tolist(), "modulations": rows}


def trunk_subject(library: StyleLibrary, specs: Sequence[str]) -> Subject:
    """The trunk of some styles, or, where none is named, the model's own with all that belong to it.

    Raises UnknownStyle, or BadStyle, also for styles of several trunks.
    """
    if specs:
        names = list(dict.fromkeys(name for spec in specs for name in parse_blend(spec)))
        bound = library.select(",".join(names))
        styles = [bound.get(name) for name in names]
    else:
        bound = library
        known = [library.get(name) for name in library.names()]
        styles = [style for style in known if style.trunk == library.trunk.checksum]
    if not styles:
        raise BadStyle(f"No style belongs to the trunk of the {library.model} model, so there is nothing to export.")
    return Subject(library.model, bound, tuple(styles), styles[0].name)


def frozen_subject(library: StyleLibrary, spec: str, strength: float, frames: Frames | None = None) -> Subject:
    """One style, or a blend, for good.

    frames: (B, H, W, 3) by whose statistics all are to be normalised; None: each by its own. Raises UnknownStyle,
    BadOption or BadStyle.
    """
    bound = library.select(spec)
    styles = tuple(bound.get(name) for name in parse_blend(spec))
    name = "+".join(part.strip().replace(":", "-") for part in spec.split(","))
    subject = Subject(name, bound, styles, spec, strength, is_frozen=True)
    return subject if frames is None else replace(subject, statistics=_statistics(subject, frames))


def _statistics(subject: Subject, frames: Frames) -> NDArray[np.float32]:
    """Of all pixels of some frames together: the means of their means and second moments."""
    keras = KerasRuntime(subject.trunk, precision="float32")
    return np.mean([keras.run(subject.batch(frame[None])).own[0] for frame in frames], axis=0)
