"""What the tests of exported files have in common: batches that need everything, and what must come out of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streamer.export.run import Exported, export
from streamer.export.subject import Subject, frozen_subject
from streamer.export_settings import ExportOptions
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import Batch, Runtime, Styled
from streamer.styles import StyleLibrary
from tests import tiny

SIZES = [(1, 48, 64), (3, 33, 57), (2, 19, 90), (1, 121, 16)]  # number, height and width


def written(library: StyleLibrary, folder: Path, *styles: str, **options: object) -> Exported:
    """The one file that was asked for."""
    (file,) = export(library, styles, folder, ExportOptions(**options))
    return file


def random_batch(library: StyleLibrary, count: int, height: int, width: int, seed: int = 0) -> Batch:
    """Frames of several styles whose statistics come from everywhere: their own, each other's and given ones."""
    rng = np.random.default_rng(seed)
    names = library.names()
    return Batch(
        frames(count, height, width, seed),
        np.stack([library.resolve(names[number % len(names)]) for number in range(count)]),
        rng.uniform(0, 1, (count, library.trunk.config.statistics_size)).astype(np.float32),
        np.tril(rng.uniform(0, 1, (count, count))).astype(np.float32),
        rng.uniform(0, 1, (count, 1)).astype(np.float32),
    )


def frames(count: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    """(count, height, width, 3)."""
    return np.stack([tiny.picture(height, width, seed + number) for number in range(count)])


def frozen(library: StyleLibrary, *, statistics: str) -> Subject:
    """Half of a blend, for good."""
    measured_by = frames(3, 64, 96, seed=40) if statistics == "frozen" else None
    return frozen_subject(library, "alpha:0.6,beta:0.4", 0.8, measured_by)


def keras_frames(subject: Subject, pictures: np.ndarray) -> np.ndarray:
    """What the trunk itself gives, asked for the same style and statistics."""
    return KerasRuntime(subject.trunk, precision="float32").run(subject.batch(pictures)).frames


def assert_same(got: Styled, wanted: Styled) -> None:
    """Frames and statistics, but for rounding."""
    assert_same_frames(got.frames, wanted.frames)
    for name in ("used", "own"):
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), rtol=1e-3, atol=1e-4)


def assert_same_frames(got: np.ndarray, wanted: np.ndarray) -> None:
    """But for rounding."""
    assert got.shape == wanted.shape and got.dtype == np.uint8
    assert np.abs(got.astype(int) - wanted).max() <= 1


def assert_same_stream(library: StyleLibrary, one: Runtime, other: Runtime) -> None:
    """Each goes on from its own statistics over six frames that change."""
    states = [np.zeros((1, library.trunk.config.statistics_size), np.float32)] * 2
    row = library.resolve("beta")[None]
    for number in range(6):
        frame = tiny.picture(40, 56, seed=number)[None]
        carry = np.full((1, 1), 0.8 if number else 0.0, np.float32)
        results = [
            runtime.run(Batch(frame, row, state, 1 - carry, carry))
            for runtime, state in zip((one, other), states, strict=True)
        ]
        assert_same(*results)
        states = [result.used for result in results]
