"""Writes exported files, whole or not at all, and measures each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import BadOption, OutputError
from streamer.export.check import Difference, measured
from streamer.export.onnx_file import SUFFIX, OnnxTrunk, onnx_bytes
from streamer.export.subject import Subject, frozen_subject, trunk_subject
from streamer.export_settings import ExportOptions
from streamer.files import write_atomically
from streamer.media.atomic import check_output, published
from streamer.styles import StyleLibrary


@dataclass(frozen=True)
class Exported:
    """A file that was written. `card`: the JSON beside it."""

    path: Path
    card: Path
    size: int  # bytes
    off: Difference


def export(library: StyleLibrary, specs: Sequence[str], folder: Path, options: ExportOptions) -> Iterator[Exported]:
    """Write the files that were asked for into a folder, one after the other.

    Raises BadOption, UnknownStyle, BadStyle, OutputError or MissingDependency.
    """
    for subject in subjects(library, specs, options):
        yield write(subject, folder, options)


def subjects(library: StyleLibrary, specs: Sequence[str], options: ExportOptions) -> list[Subject]:
    """One for the trunk, or one for each style that is frozen."""
    if not options.freeze:
        return [trunk_subject(library, specs)]
    if not specs:
        raise BadOption("--freeze needs the name of a STYLE, or a blend; received none.")
    return [frozen_subject(library, spec, options.strength) for spec in specs]


def write(subject: Subject, folder: Path, options: ExportOptions) -> Exported:
    """One file, and the JSON beside it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {str(folder)!r}: {error.strerror}.") from error
    stem = subject.name if options.quantize == "none" else f"{subject.name}.{options.quantize}"
    path, card = folder / f"{stem}{SUFFIX}", folder / f"{stem}{SUFFIX}.json"
    check_output(path, overwrite=options.overwrite)
    data = onnx_bytes(subject)
    with published(path, overwrite=options.overwrite) as draft:
        draft.write_bytes(data)
        off = measured(subject, lambda batch: OnnxTrunk(draft).run(batch).frames)
    write_atomically(card, json.dumps(subject.card(), indent=1).encode())
    return Exported(path, card, len(data), off)
