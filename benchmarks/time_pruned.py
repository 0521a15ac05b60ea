"""Measures what pruning saves, and rewrites the table in docs/training.md.

Weights, multiply-adds and the compiled file of the shipped network after each cut, and what a frame of 640x360 costs:
CPU time of one thread in LiteRT as a share of what the whole network takes, in turns, medians. The time does not depend
on what the weights are, so nothing is trained:

    .venv/bin/python benchmarks/time_pruned.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from streamer.bench import convolution_macs
from streamer.compiled import compile_trunk
from streamer.runtime import Batch, LiteRTRuntime
from streamer.styles import StyleLibrary
from streamer.trunk import Trunk
from training.prune import prune

PAGE = Path(__file__).resolve().parent.parent / "docs" / "training.md"
MARKS = ("<!-- pruned: begin -->", "<!-- pruned: end -->")
HEIGHT, WIDTH = 360, 640
CUTS = ((0.25, "blocks"), (0.5, "blocks"), (0.25, "everywhere"), (0.5, "everywhere"))
STYLE = "great_wave"


@dataclass
class Candidate:
    """A network, compiled, and what its turns took."""

    title: str
    trunk: Trunk
    runtime: LiteRTRuntime
    batch: Batch
    file_size: int
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="turns of each network")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page whose table is rewritten")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        candidates = build(Path(folder))
        for turn in range(arguments.rounds + 1):
            for each in candidates:
                begun = time.process_time()
                each.runtime.run(each.batch)
                if turn:  # the first allocates
                    each.seconds.append(time.process_time() - begun)
    written = table(candidates)
    print("\n".join(written))
    page = arguments.page.read_text(encoding="utf-8")
    before, _, after = page.partition(MARKS[0])
    arguments.page.write_text(
        "\n".join([before + MARKS[0], *written, MARKS[1]]) + after.partition(MARKS[1])[2], encoding="utf-8"
    )


def build(folder: Path) -> list[Candidate]:
    """The shipped network, whole and after each cut."""
    library = StyleLibrary.default()
    rows = {STYLE: library.get(STYLE).modulation}
    pruned = [("whole", library.trunk, rows[STYLE])]
    for share, where in CUTS:
        trunk, left = prune(library.trunk, rows, share, where)
        flags = f"`--prune {share:g}" + ("" if where == "blocks" else f" --prune-where {where}") + "`"
        pruned.append((flags, trunk, left[STYLE]))
    return [candidate(title, trunk, row, folder) for title, trunk, row in pruned]


def candidate(title: str, trunk: Trunk, row: np.ndarray, folder: Path) -> Candidate:
    """One of them, with a frame to paint."""
    path = compile_trunk(trunk, folder)
    frame = np.random.default_rng(0).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    given = np.zeros((1, trunk.config.statistics_size), np.float32)
    batch = Batch(frame, row[None], given, np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))
    return Candidate(title, trunk, LiteRTRuntime(path, threads=1), batch, path.stat().st_size)


def table(candidates: list[Candidate]) -> list[str]:
    """As Markdown."""
    rows = [
        "| | inside blocks, around them, at 1/2 | weights | GMAC | file | CPU time |",
        "|---|---|---|---|---|---|",
    ]
    whole = statistics.median(candidates[0].seconds)
    for each in candidates:
        config = each.trunk.config
        weights = sum(values.size for values in each.trunk.weights.values())
        macs = convolution_macs(config, HEIGHT, WIDTH) / 1e9
        rows.append(
            f"| {each.title} | {config.inside}, {config.width}, {config.head_width} | {weights:,} | {macs:.2f} "
            f"| {each.file_size / 1000:.0f} kB | {statistics.median(each.seconds) / whole:.2f} |"
        )
    return rows


if __name__ == "__main__":
    main()
