"""Writes exported files, whole or not at all, and measures each."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import BadOption, MissingDependency, OutputError
from streamer.export.check import Answer, Difference, measured
from streamer.export.frames import representative
from streamer.export.subject import Subject, frozen_subject, trunk_subject
from streamer.export_settings import ExportOptions
from streamer.files import write_atomically
from streamer.media.atomic import check_output, published
from streamer.runtime import Frames
from streamer.styles import StyleLibrary

# Writes a subject under a path that is not its last, and says how it is run from there.
Maker = Callable[[Subject, Path], Answer]


@dataclass(frozen=True)
class Exported:
    """What was written: a file, or a SavedModel's folder. `card`: the JSON that says what it is."""

    path: Path
    card: Path
    size: int  # bytes
    off: Difference


def export(library: StyleLibrary, specs: Sequence[str], folder: Path, options: ExportOptions) -> Iterator[Exported]:
    """Write the files that were asked for into a folder, one after the other.

    Raises BadOption, UnknownStyle, BadStyle, BadMedia, OutputError or MissingDependency.
    """
    if options.freeze and not specs:
        raise BadOption("--freeze needs the name of a STYLE, or a blend; received none.")
    frames = representative([Path(path) for path in options.content]) if options.needs_frames else None
    for subject in subjects(library, specs, options, frames):
        yield write(subject, folder, options, frames)


def subjects(
    library: StyleLibrary, specs: Sequence[str], options: ExportOptions, frames: Frames | None
) -> list[Subject]:
    """One for the trunk, or one for each style that is frozen."""
    if not options.freeze:
        return [trunk_subject(library, specs)]
    measured_by = frames if options.statistics == "frozen" else None
    return [frozen_subject(library, spec, options.strength, measured_by) for spec in specs]


def write(subject: Subject, folder: Path, options: ExportOptions, frames: Frames | None) -> Exported:
    """One file, or a SavedModel, and what is said of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {str(folder)!r}: {error.strerror}.") from error
    stem = subject.name if options.quantize == "none" else f"{subject.name}.{options.quantize}"
    if options.format == "saved-model":
        return _write_saved_model(subject, folder / stem, overwrite=options.overwrite)
    suffix, make = _file_format(options, frames)
    path = folder / f"{stem}{suffix}"
    check_output(path, overwrite=options.overwrite)
    with published(path, overwrite=options.overwrite) as draft:
        off = measured(subject, make(subject, draft))
        size = draft.stat().st_size
    card = path.with_name(f"{path.name}.json")
    write_atomically(card, json.dumps(subject.card(), indent=1).encode())
    return Exported(path, card, size, off)


def _file_format(options: ExportOptions, frames: Frames | None) -> tuple[str, Maker]:
    """The ending of a format's files, and what makes them."""
    try:
        if options.format == "onnx":
            from streamer.export.onnx_file import SUFFIX, onnx_answer, onnx_model
            from streamer.export.onnx_quantised import onnx_quantised

            def make(subject: Subject, path: Path) -> Answer:
                path.write_bytes(onnx_quantised(onnx_model(subject), subject, options.quantize, frames))
                return onnx_answer(path, subject)

        else:
            from streamer.export.litert import SUFFIX, litert_answer, litert_bytes
            from streamer.export.litert_quantised import litert_quantised

            def make(subject: Subject, path: Path) -> Answer:
                path.write_bytes(litert_quantised(litert_bytes(subject), subject, options.quantize, frames))
                return litert_answer(path, subject)

    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"--format {options.format} needs {error.name}: pip install '.[train,export]' in the checkout, "
            "or make train-env."
        ) from error
    return SUFFIX, make


def _write_saved_model(subject: Subject, folder: Path, *, overwrite: bool) -> Exported:
    from streamer.export.saved_model import CARD, VERSION, saved_model_answer, write_saved_model

    path = folder / VERSION
    if path.exists() and not overwrite:
        raise OutputError(f"{str(path)!r} exists already; --overwrite replaces it.")
    with _published_folder(path) as draft:
        write_saved_model(subject, draft)
        off = measured(subject, saved_model_answer(draft, subject))
        size = sum(file.stat().st_size for file in draft.rglob("*") if file.is_file())
    return Exported(path, path / CARD, size, off)


@contextmanager
def _published_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside the one that it becomes when all is well."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.mkdir()
    try:
        yield draft
        if path.exists():
            old = path.with_name(f"{draft.name}.old")
            os.rename(path, old)
            os.rename(draft, path)
            shutil.rmtree(old)
        else:
            os.rename(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
