"""What a run exports, read back: a trunk and its styles, in a folder of the layout of a style library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamer.errors import BadStyle
from streamer.styles import Style, load_style
from streamer.trunk import Trunk, load_trunk


@dataclass(frozen=True)
class Export:
    """Styles by name, and the one trunk that they were made for."""

    trunk: Trunk
    styles: dict[str, Style]


def read_export(folder: Path) -> Export:
    """The styles of a folder, with their trunk from `trunks/` there or beside it.

    Raises BadStyle where there are no styles, where they are for different trunks, or where theirs is missing.
    """
    styles = {path.stem: load_style(path) for path in sorted(folder.glob("*.safetensors"))}
    wanted = {style.trunk for style in styles.values()}
    if len(wanted) != 1:
        found = f"styles of {len(wanted)} trunks" if wanted else "no styles"
        raise BadStyle(f"{folder} must hold styles of one trunk to begin with or to learn from; it holds {found}.")
    for place in (folder / "trunks", folder.parent / "trunks"):
        for path in sorted(place.glob("*.safetensors")):
            trunk = load_trunk(path)
            if trunk.checksum in wanted:
                return Export(trunk, styles)
    raise BadStyle(f"The trunk {min(wanted)[:12]} of the styles in {folder} is not in {folder / 'trunks'}.")
