"""The style library: names to modulations. Needs no deep-learning framework.

A style is one `.safetensors` file of a few kilobytes: its modulation, and as metadata the name, a title, the artist
and licence of its picture, the checksum of the trunk it belongs to, how it was trained and its measured scores.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from streamer.blends import parse_blend
from streamer.errors import BadStyle, UnknownStyle
from streamer.files import write_atomically
from streamer.trunk import (
    DEFAULT_MODEL,
    MODELS,
    OUTPUT_TERMS,
    UNPAINTED,
    Trunk,
    Version,
    checksum_said,
    known_trunk,
    read_tensors,
    version_of,
)

SHIPPED = Path(__file__).parent / "library"
FILES, TRUNKS, THUMBNAILS = "*.safetensors", "trunks", "thumbnails"
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


@lru_cache(maxsize=256)
def _known_style(path: Path, version: Version) -> Style:
    """`load_style`, once for each version of a file."""
    return load_style(path)


def _scores(path: Path, text: str) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadStyle(f"Style {path.name} is damaged: its scores are {text[:40]!r}.") from error


def name_of(text: str) -> str:
    """A style's name from what a picture is called: `My Cat (2)` -> `my_cat_2`; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9-]+", "_", plain).strip("_-")[:64]


def user_folder() -> Path:
    """Where a user's own styles live: STREAMER_LIBRARY, or the platform's data folder."""
    if folder := os.environ.get("STREAMER_LIBRARY"):
        return Path(folder)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "streamer" / "styles"


class StyleLibrary:
    """The styles of one model in several folders, and their trunks; a later folder's style hides an earlier one's.

    A folder holds NAME.safetensors for the live model, quality/NAME.safetensors for the quality one, trunks under any
    names in trunks/, and thumbnails/NAME.jpg. A style names its trunk by checksum, so trunks live side by side, and
    what was made for one goes on working when another becomes the default. Nothing is read before it is asked for, and
    every question looks at the folders anew: files that were put there a moment ago are found.
    """

    def __init__(self, folders: Sequence[Path], trunk: Path | None = None, model: str = DEFAULT_MODEL) -> None:
        """trunk: the file of the one trunk that `resolve` is for; default: the model's own."""
        self._folders = list(folders)
        self._bound_to = trunk
        self.model = model

    @classmethod
    def default(cls, model: str = DEFAULT_MODEL) -> StyleLibrary:
        """The shipped styles and the user's own."""
        return cls([SHIPPED, user_folder()], model=model)

    def for_model(self, model: str) -> StyleLibrary:
        """The same folders for another model, one of `streamer.trunk.MODELS`."""
        return StyleLibrary(self._folders, model=model)

    def select(self, spec: str) -> StyleLibrary:
        """This library bound to the trunk that all styles of a blend belong to: what an engine runs for them.

        Raises UnknownStyle, BadOption, or BadStyle, also for a blend across trunks.
        """
        first, *others = [self.get(name) for name in parse_blend(spec)]
        for other in others:
            if other.trunk != first.trunk:
                raise BadStyle(
                    f"{first.name} and {other.name} cannot be blended: they belong to different trunks "
                    f"({first.trunk[:12]} and {other.trunk[:12]})."
                )
        return StyleLibrary(self._folders, self._trunk_file(first), self.model)

    @cached_property
    def trunk(self) -> Trunk:
        """The trunk that `resolve` is for; stays what it was, whatever becomes of its file. Raises BadStyle."""
        return known_trunk(self.trunk_path, version_of(self.trunk_path))

    @cached_property
    def trunk_path(self) -> Path:
        """The trunk's file; compiled forms of it lie beside it. Raises BadStyle when the model has none."""
        if self._bound_to:
            return self._bound_to
        name = f"{self.model}.safetensors"
        for folder in self._folders:
            if (path := folder / TRUNKS / name).exists():
                return path
        raise BadStyle(f"There is no trunk for the {self.model} model: {name} is in no {TRUNKS} folder of the library.")

    @property
    def folders(self) -> list[Path]:
        """Where it looks for styles."""
        return list(self._folders)

    def names(self) -> list[str]:
        """Names of all styles of this model, sorted."""
        return sorted(self._found())

    def models_of(self, name: str) -> list[str]:
        """The models that have a style of that name."""
        return [model for model in MODELS if name in self.for_model(model)._found()]

    def get(self, name: str) -> Style:
        """The style of that name, whichever trunk it belongs to.

        Raises UnknownStyle, naming the known and the nearest, or BadStyle when the style or its trunk is damaged, or
        its trunk is missing.
        """
        _, path = self._find(name)
        style = _known_style(path, version_of(path))
        if style.name != name or len(style.modulation) != self._trunk_of(style).config.modulation_size:
            raise BadStyle(f"Style {path.name} is damaged: it says that it is {style.name!r}.")
        return style

    def resolve(self, spec: str, strength: float = 1.0) -> NDArray[np.float32]:
        """The modulation of a style or a blend such as `mosaic:0.7,great_wave:0.3`, at a strength from 0 to 1.

        Weights of a blend are normalised to sum to 1. Strength fades gain, bias and gate of the output alone, from
        those that give the input back to the style's: the network paints the same picture at every strength, and more
        or less of it is laid over the input. Fading every layer's scales and shifts too would multiply one fade by
        the other: at strength 0.2, 0.4, 0.6, 0.8 four styles had then gone 0.16, 0.33, 0.52, 0.75 of the way from a
        portrait to its painting, where they now go 0.20, 0.40, 0.60, 0.80. And a stream's statistics hold while a
        slider moves, for no layer that is normalised depends on the strength.

        Shape (modulation_size,). Raises UnknownStyle, BadOption for a weight that is not a positive finite number, or
        BadStyle, also for a style of another trunk than this library's.
        """
        weights = parse_blend(spec)
        total = sum(weights.values())
        rows = [weight / total * self._at_home(name).modulation for name, weight in weights.items()]
        blend = np.stack(rows).sum(axis=0)
        blend[OUTPUT_TERMS] = (1 - strength) * UNPAINTED + strength * blend[OUTPUT_TERMS]
        return np.asarray(blend, np.float32)

    def thumbnail(self, name: str) -> bytes | None:
        """A small JPEG of our sample picture in that style, if there is one. Raises UnknownStyle."""
        folder, _ = self._find(name)
        try:
            return (folder / THUMBNAILS / f"{name}.jpg").read_bytes()
        except FileNotFoundError:
            return None

    def _at_home(self, name: str) -> Style:
        """The style of that name if it belongs to this library's trunk. Raises as `get`, and BadStyle if not."""
        style = self.get(name)
        if style.trunk != self.trunk.checksum:
            raise BadStyle(
                f"Style {name} was made for another trunk ({style.trunk[:12]}, here {self.trunk.checksum[:12]})."
            )
        return style

    def _trunk_of(self, style: Style) -> Trunk:
        if self._bound_to and style.trunk == self.trunk.checksum:
            return self.trunk
        path = self._trunk_file(style)
        return known_trunk(path, version_of(path))

    def _trunk_file(self, style: Style) -> Path:
        """The file of a style's trunk, by checksum. Raises BadStyle."""
        bound = [self._bound_to] if self._bound_to else []
        damaged = []
        for path in [*bound, *(file for folder in self._folders for file in sorted((folder / TRUNKS).glob(FILES)))]:
            said = checksum_said(path, version_of(path))
            if said == style.trunk:
                return path
            damaged += [] if said else [path.name]
        hint = f" ({', '.join(damaged)} cannot be read)" if damaged else ""
        raise BadStyle(
            f"Style {style.name} needs the trunk {style.trunk[:12]}, which is not here{hint}: put its file into "
            f"{self._folders[-1] / TRUNKS}, or train the style anew."
        )

    def _find(self, name: str) -> tuple[Path, Path]:
        """The library folder in which a style is, and its file. Raises UnknownStyle."""
        found = self._found()
        if name in found:
            return found[name]
        if not found and (
            others := [f"{m}: {', '.join(names)}" for m in MODELS if (names := self.for_model(m).names())]
        ):
            raise UnknownStyle(f"There are no styles for the {self.model} model; there are for {'; '.join(others)}.")
        if models := self.models_of(name):
            raise UnknownStyle(
                f"There is no style {name!r} for the {self.model} model, only for {' and '.join(models)}."
            )
        near = difflib.get_close_matches(name, found, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UnknownStyle(f"There is no style {name!r}.{hint} Known styles: {', '.join(sorted(found)) or 'none'}.")

    def _found(self) -> dict[str, tuple[Path, Path]]:
        """Library folder and file of each style of this model."""
        inner = "" if self.model == DEFAULT_MODEL else self.model
        return {
            path.stem: (folder, path)
            for folder in self._folders
            for path in sorted((folder / inner).glob(FILES))
            if NAME.fullmatch(path.stem)
        }
