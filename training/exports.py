"""A trunk and its styles: what a run has exported, in a folder of the layout of a style library, or a model's own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import BadStyle
from streamer.styles import FILES, TRUNKS, Style, StyleLibrary, load_style
from streamer.trunk import MODELS, Trunk, load_trunk


@dataclass(frozen=True)
class Export:
    """Styles by name, and the one trunk that they were made for."""

    trunk: Trunk
    styles: dict[str, Style]


def read_export(folder: Path, names: Collection[str] = ()) -> Export:
    """The styles of a folder, or those of these names, with their trunk from `trunks/` there or beside it.

    Raises BadStyle where there are no styles, where they are for different trunks, or where theirs is missing.
    """
    paths = [path for path in sorted(folder.glob(FILES)) if not names or path.stem in names]
    styles = {path.stem: load_style(path) for path in paths}
    wanted = {style.trunk for style in styles.values()}
    if len(wanted) != 1:
        found = f"styles of {len(wanted)} trunks" if wanted else "no styles"
        raise BadStyle(f"{folder} must hold styles of one trunk to begin with or to learn from; it holds {found}.")
    for place in (folder / TRUNKS, folder.parent / TRUNKS):
        for path in sorted(place.glob(FILES)):
            trunk = load_trunk(path)
            if trunk.checksum in wanted:
                return Export(trunk, styles)
    raise BadStyle(f"The trunk {min(wanted)[:12]} of the styles in {folder} is not in {folder / TRUNKS}.")


def beginning_of(where: Path) -> Export:
    """What a run starts from: by its model's name what the library has, or a folder as `read_export` takes it."""
    if str(where) in MODELS:
        return own_styles(StyleLibrary.default(str(where)))
    if not where.is_dir():
        raise BadStyle(f"There is no folder {where} of styles to begin with; a model is one of {', '.join(MODELS)}.")
    return read_export(where)


def model_of(export: Export, default: str) -> str:
    """The model that a network was made for: by its architecture; of a pruned or older one, by its styles' recipe."""
    for name, config in MODELS.items():
        if config == export.trunk.config:
            return name
    for style in export.styles.values():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            if (name := json.loads(style.metadata["recipe"])["model"]) in MODELS:
                return str(name)
    return default


def own_styles(library: StyleLibrary) -> Export:
    """A library's trunk, and all styles that were made for it, also those that later ones of the same name hide.

    Damaged files are left out. Raises BadStyle when there is no trunk.
    """
    styles: dict[str, Style] = {}
    for folder in library.folders:
        shelf = StyleLibrary([folder], library.trunk_path, library.model)
        for name in shelf.names():
            with contextlib.suppress(BadStyle):
                if (style := shelf.get(name)).trunk == library.trunk.checksum:
                    styles[name] = style
    return Export(library.trunk, styles)
