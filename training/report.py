"""A folder that tells of a score card: tables, numbers, plots and contact sheets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import OutputError
from streamer.files import write_atomically
from training.card import ScoreCard
from training.contact import clip_sheet, photograph_sheet
from training.measure import Sheets
from training.plots import content_against_style, warping_errors
from training.tables import markdown, tables

JPEG_QUALITY = 90


def check_folder(folder: Path) -> None:
    """Raise OutputError where a report cannot be written: better before hours of measuring than after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / ".writable", b"")
        (folder / ".writable").unlink()
    except OSError as error:
        raise OutputError(f"The report cannot be written to {folder}: {error.strerror or error}.") from error


def write_report(card: ScoreCard, sheets: Sheets, folder: Path) -> list[Path]:
    """Write `report.md`, `scores.json`, plots and contact sheets; returns their paths. Raises OutputError."""
    pictures = _pictures(card, sheets)
    files = pictures | {
        "scores.json": (json.dumps(card.to_dict(), indent=1) + "\n").encode(),
        "report.md": report_text(card, list(pictures)).encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_atomically(folder / name, data)
    except OSError as error:
        raise OutputError(f"The report cannot be written to {folder}: {error.strerror or error}.") from error
    return [folder / name for name in files]


def report_text(card: ScoreCard, pictures: Sequence[str]) -> str:
    """All tables in Markdown, what they were measured on, and the pictures that lie beside."""
    facts = [f"* {name}: {_plain(value)}" for name, value in card.settings.items()]
    shown = [f"![{name}]({name})" for name in pictures]
    parts = ["# Score card\n", "\n".join(facts) + "\n", *map(markdown, tables(card)), "\n\n".join(shown)]
    return "\n".join(parts).rstrip() + "\n"


def _pictures(card: ScoreCard, sheets: Sheets) -> dict[str, bytes]:
    made = {
        "content-style.png": content_against_style(card.cards),
        "warping-1.png": warping_errors(card.cards, 1),
        "warping-10.png": warping_errors(card.cards, 10),
        "photographs.jpg": _jpeg(photograph_sheet(sheets.photographs)) if sheets.photographs else None,
        "clips.jpg": _jpeg(clip_sheet(sheets.clips)) if sheets.clips else None,
    }
    return {name: data for name, data in made.items() if data is not None}


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
