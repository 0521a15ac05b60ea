"""What an output is called when nobody says."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from streamer.media.containers import CONTAINERS
from streamer.media.problems import is_url, without_file_url

_UNSAFE = re.compile(r"[^\w.+-]+")


def default_output(source: str, style: str) -> Path:
    """`in.mp4` in the style `mosaic` -> `in.mosaic.mp4` beside it; a URL's goes to the working directory.

    The container is kept where it can be written, else it is MP4. A blend `mosaic:0.7,great_wave:0.3` is called
    `mosaic+great_wave`. A URL's query and fragment are no part of the name.
    """
    source = without_file_url(source)
    path = Path(unquote(urlsplit(source).path)) if is_url(source) else Path(source)
    folder = Path() if is_url(source) else path.parent
    stem = (_UNSAFE.sub("_", path.stem) if is_url(source) else path.stem) or "stream"
    suffix = path.suffix if path.suffix.lower() in CONTAINERS else ".mp4"
    return folder / f"{stem}.{style_label(style)}{suffix}"


def style_label(style: str) -> str:
    """A style or blend as part of a file name: its names without their weights."""
    names = [part.partition(":")[0].strip() for part in style.split(",")]
    return _UNSAFE.sub("_", "+".join(name for name in names if name)) or "styled"
