"""The page that paints on the visitor's own device, as a folder that any static host can serve."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import MissingDependency, OutputError
from streamer.on_device import FOLDER, GRAPH, STYLES, described, usable
from streamer.runtimes import graph_of
from streamer.styles import StyleLibrary
from streamer.thumbnails import Stylize, thumbnail

PAGES = Path(__file__).parent / "live"
STATIC = "static"  # as `streamer serve` calls it: the page finds its parts in the same places
RUNTIME = "runtime"
PAGE = "local.html"
PARTS = (
    *("icon.svg", "sample.jpg", "theme.css", "notice.css", "live.css", "panel.css", "local.css"),
    *(
        "api.js",
        "capture.js",
        "coalesced.js",
        "controls.js",
        "dom.js",
        "dropping.js",
        "enlarge.js",
        "feed.js",
        "frame.js",
    ),
    *("gallery.js", "local-stage.js", "local.js", "look.js", "messages.js", "pace.js", "painter.js", "pictures.js"),
    *("source.js", "split.js", "tools.js"),
)
FOLDERS = ("device", RUNTIME)
# Netlify, Cloudflare Pages and others read this. Without these two headers WebAssembly has one thread.
HEADERS = "/*\n  Cross-Origin-Opener-Policy: same-origin\n  Cross-Origin-Embedder-Policy: require-corp\n"


@dataclass(frozen=True)
class Site:
    """A folder that was written."""

    folder: Path
    files: dict[str, int]  # bytes by path
    styles: int

    @property
    def size(self) -> int:
        """Bytes in all. A visitor needs one of the three builds of the runtime, so about 4 MB."""
        return sum(self.files.values())


def has_runtime() -> bool:
    """Whether what paints in the browser was fetched."""
    return (PAGES / RUNTIME / "litert.js").exists()


def write_site(folder: Path, library: StyleLibrary, open_stylize: Callable[[], Stylize], *, overwrite: bool) -> Site:
    """Write the page, the runtime, the network and all its styles into a new folder, which appears when it is whole.

    open_stylize: called if a style has no thumbnail, for something to paint it with. overwrite: replaces a folder that
    this function wrote; never another one. Raises MissingDependency without the runtime, OutputError where the folder
    cannot be made, BadStyle for a damaged trunk.
    """
    if not has_runtime():
        raise MissingDependency("What paints in a browser is not here; `make web` fetches it, once.")
    with _appearing(folder, overwrite) as draft:
        shutil.copy(PAGES / PAGE, draft / "index.html")
        (draft / "_headers").write_text(HEADERS)
        (draft / STATIC).mkdir()
        for name in PARTS:
            shutil.copy(PAGES / name, draft / STATIC)
        for name in FOLDERS:
            shutil.copytree(PAGES / name, draft / STATIC / name)
        styles = _write_styles(draft / FOLDER, library, open_stylize)
        found = [path for path in sorted(draft.rglob("*")) if path.is_file()]
        files = {str(path.relative_to(draft)): path.stat().st_size for path in found}
    return Site(folder, files, styles)


def _write_styles(folder: Path, library: StyleLibrary, open_stylize: Callable[[], Stylize]) -> int:
    """The network, its styles as numbers, and a picture of each; returns how many there are."""
    (folder / "thumbnails").mkdir(parents=True)
    shutil.copy(graph_of(library), folder / GRAPH)
    stylize: Stylize | None = None
    styles = usable(library)
    for style in styles:
        picture = library.thumbnail(style.name)
        if picture is None:
            stylize = stylize or open_stylize()
            picture = thumbnail(library, style.name, stylize)
        (folder / "thumbnails" / f"{style.name}.jpg").write_bytes(picture)
    facts = described(library, lambda name: f"{FOLDER}/thumbnails/{name}.jpg")
    (folder / STYLES).write_text(json.dumps(facts))
    return len(styles)


@contextlib.contextmanager
def _appearing(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A hidden folder beside `folder`, which takes its place when all went well, and is removed when not."""
    if not folder.parent.is_dir():
        raise OutputError(f"There is no folder {str(folder.parent)!r} to write {folder.name!r} to.")
    is_ours = (folder / FOLDER / STYLES).exists() and (folder / "index.html").exists()
    if folder.exists() and not (overwrite and is_ours):
        hint = "--overwrite replaces it." if is_ours else "and it is no page of ours: choose another name."
        raise OutputError(f"{str(folder)!r} exists already{';' if is_ours else ','} {hint}")
    draft, old = (folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.{kind}") for kind in ("partial", "old"))
    try:
        draft.mkdir()
        yield draft
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"Cannot write {str(folder)!r}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)  # the new one could not take its place
