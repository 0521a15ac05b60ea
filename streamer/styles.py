"""The style library: names to modulations. Needs no deep-learning framework.

A style is one `.safetensors` file of a few kilobytes: its modulation, and as metadata the name, a title, the artist
and licence of its picture, the checksum of the trunk it belongs to, how it was trained and its measured scores.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from streamer.errors import BadOption, BadStyle, UnknownStyle
from streamer.files import write_atomically
from streamer.trunk import Trunk, load_trunk, read_tensors

SHIPPED = Path(__file__).parent / "library"
DEFAULT_TRUNK = "live"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
REQUIRED = ("name", "title", "artist", "licence", "trunk", "checksum")


@dataclass(frozen=True)
class Style:
    """A trained style of one trunk. `modulation` has shape (modulation_size,)."""

    name: str
    title: str
    artist: str
    licence: str
    trunk: str
    modulation: NDArray[np.float32]
    scores: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def checksum(self) -> str:
        """SHA-256 of the modulation and of all that is said of it, hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.modulation, "<f4").tobytes())
        digest.update(json.dumps(self.facts(), sort_keys=True).encode())
        return digest.hexdigest()

    def facts(self) -> dict[str, str]:
        """What the file says of the style, besides its checksum."""
        said = {name: str(getattr(self, name)) for name in REQUIRED if name != "checksum"}
        return self.metadata | said | {"scores": json.dumps(self.scores), "kind": "style"}


def save_style(style: Style, path: Path) -> None:
    """Write a style file."""
    write_atomically(
        path, save({"modulation": style.modulation}, metadata=style.facts() | {"checksum": style.checksum})
    )


def load_style(path: Path) -> Style:
    """Read a style file. Raises BadStyle when it is damaged or says too little of itself."""
    tensors, metadata = read_tensors(path)
    if metadata.get("kind") != "style" or "modulation" not in tensors:
        raise BadStyle(f"{path.name} is not a style: its kind is {metadata.get('kind', 'unknown')!r}.")
    if missing := [name for name in REQUIRED if not metadata.get(name)]:
        raise BadStyle(f"Style {path.name} lacks {', '.join(missing)} in its metadata.")
    facts = {name: metadata[name] for name in REQUIRED if name != "checksum"}
    scores = _scores(path, metadata.get("scores", "{}"))
    told = {name: value for name, value in metadata.items() if name != "checksum"}
    style = Style(**facts, modulation=tensors["modulation"], scores=scores, metadata=told)
    if style.checksum != metadata["checksum"] or not np.isfinite(style.modulation).all():
        raise BadStyle(f"Style {path.name} is damaged: it does not match its checksum.")
    return style


def _scores(path: Path, text: str) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadStyle(f"Style {path.name} is damaged: its scores are {text[:40]!r}.") from error


def user_folder() -> Path:
    """Where a user's own styles live: STREAMER_LIBRARY, or the platform's data folder."""
    if folder := os.environ.get("STREAMER_LIBRARY"):
        return Path(folder)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "streamer" / "styles"


class StyleLibrary:
    """Styles of one trunk from several folders; a later folder's style hides an earlier one of the same name."""

    def __init__(
        self, folders: Sequence[Path], trunk: Path = SHIPPED / "trunks" / f"{DEFAULT_TRUNK}.safetensors"
    ) -> None:
        self._folders = list(folders)
        self._trunk_path = trunk

    @classmethod
    def default(cls) -> StyleLibrary:
        """The shipped styles and the user's own; or the user's alone, if that folder has a trunk of its own."""
        own = user_folder()
        trunk = own / "trunks" / f"{DEFAULT_TRUNK}.safetensors"
        return cls([own], trunk) if trunk.exists() else cls([SHIPPED, own])

    @cached_property
    def trunk(self) -> Trunk:
        """The trunk that all styles here belong to. Raises BadStyle when its file is damaged."""
        return load_trunk(self._trunk_path)

    @property
    def trunk_path(self) -> Path:
        """The trunk's file; compiled forms of it lie beside it."""
        return self._trunk_path

    @property
    def folders(self) -> list[Path]:
        """Where it looks for styles."""
        return list(self._folders)

    def names(self) -> list[str]:
        """Names of all styles, sorted."""
        return sorted(self._paths())

    def get(self, name: str) -> Style:
        """The style of that name. Raises UnknownStyle, naming the known and the nearest, or BadStyle."""
        paths = self._paths()
        if name not in paths:
            near = difflib.get_close_matches(name, paths, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnknownStyle(f"There is no style {name!r}.{hint} Known styles: {', '.join(sorted(paths)) or 'none'}.")
        style = load_style(paths[name])
        if style.trunk != self.trunk.checksum:
            raise BadStyle(
                f"Style {name} was made for another trunk ({style.trunk[:12]}, here {self.trunk.checksum[:12]})."
            )
        if len(style.modulation) != self.trunk.config.modulation_size or style.name != name:
            raise BadStyle(f"Style {paths[name].name} is damaged: it says that it is {style.name!r}.")
        return style

    def resolve(self, spec: str, strength: float = 1.0) -> NDArray[np.float32]:
        """The modulation of a style or a blend such as `mosaic:0.7,great_wave:0.3`, at a strength from 0 to 1.

        Weights of a blend are normalised to sum to 1. Shape (modulation_size,).
        Raises UnknownStyle, BadStyle, or BadOption for a weight that is not a positive finite number.
        """
        weights = parse_blend(spec)
        total = sum(weights.values())
        rows = [weight / total * self.get(name).modulation for name, weight in weights.items()]
        blend = np.sum(rows, axis=0)
        return np.asarray(self.trunk.identity + np.float32(strength) * (blend - self.trunk.identity), np.float32)

    def _paths(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted(folder.glob("*.safetensors")):
                if NAME.fullmatch(path.stem):
                    found[path.stem] = path
        return found


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
