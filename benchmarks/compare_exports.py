"""Measures exported files of the shipped network and rewrites the tables in docs/export.md.

Size, how far the frames are from those of the Keras network, and what a frame of 640x360 costs: the CPU time of one
thread as a multiple of what the LiteRT trunk takes in float32, in turns, medians. Needs the extras train and export:

    .venv/bin/python benchmarks/compare_exports.py
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from streamer.bench.clip import bench_clip
from streamer.bench.machine import machine_facts
from streamer.export.check import Answer
from streamer.export.frames import representative
from streamer.export.litert import litert_answer, litert_bytes
from streamer.export.litert_quantised import litert_quantised
from streamer.export.onnx_file import onnx_answer, onnx_model
from streamer.export.onnx_quantised import onnx_quantised
from streamer.export.subject import Subject, frozen_subject, trunk_subject
from streamer.export_settings import PRECISIONS
from streamer.keras_runtime import KerasRuntime
from streamer.media import VideoReader
from streamer.runtime import Frames
from streamer.styles import StyleLibrary

PAGE = Path(__file__).resolve().parent.parent / "docs" / "export.md"
MARKS = ("<!-- {}: begin -->", "<!-- {}: end -->")
PACKAGES = ("tensorflow", "ai-edge-litert", "ai-edge-quantizer", "onnxruntime")
STYLES = ("mosaic", "the_scream", "great_wave")
PLACES = (15, 50, 100, 150)  # frames of the clip, none of which int8 is scaled by
KEPT = ((), ("head",), ("stem", "head"), ("stem", "down", "head"), ("stem", "head", "paint", "smooth"))
FORMS = {"trunk": "trunk", "own": "frozen, own statistics", "frozen": "frozen, fixed statistics"}

Asked = tuple[str, str | None, int]  # form, style and frame


@dataclass
class Candidate:
    """An exported file, ready to run."""

    form: str
    format: str
    precision: str
    subject: Subject
    answer: Answer
    size: int
    largest: int = 0
    means: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each file")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page whose table is rewritten")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frames = clip_frames(Path(folder))
        candidates = list(build(Path(folder)))
        wanted = keras_frames(candidates, frames)
        for each in candidates:
            compare(each, wanted, frames)
        take_turns(candidates, frames[:1], arguments.rounds)
        others = list(build_exceptions(Path(folder)))
        for each in others:
            compare(each, wanted, frames)
        take_turns([candidates[0], *others], frames[:1], arguments.rounds)
    publish(arguments.page, "measured", table(candidates, arguments.rounds))
    publish(arguments.page, "exceptions", exceptions_table(others, candidates[0]))


def publish(page: Path, name: str, text: str) -> None:
    """Print a table, and put it between its marks on the page."""
    sys.stdout.write(text)
    begin, end = (mark.format(name) for mark in MARKS)
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


def clip_frames(folder: Path) -> Frames:
    """Real frames, (B, 360, 640, 3)."""
    with VideoReader(str(bench_clip(folder, PLACES[-1] + 1))) as reader:
        pictures = [frame.pixels for frame in itertools.islice(reader, PLACES[-1] + 1)]
    return np.stack([pictures[place] for place in PLACES])


def build(folder: Path) -> Iterator[Candidate]:
    """Every form in every format and precision."""
    library, examples = StyleLibrary.default(), representative()
    subjects = {
        "trunk": trunk_subject(library, []),
        "own": frozen_subject(library, STYLES[0], 1.0),
        "frozen": frozen_subject(library, STYLES[0], 1.0, examples),
    }
    for form, subject in subjects.items():
        whole, model = litert_bytes(subject), onnx_model(subject)
        for precision in PRECISIONS:
            for format, data, run in (
                ("LiteRT", litert_quantised(whole, subject, precision, examples), litert_answer),
                ("ONNX", onnx_quantised(model, subject, precision, examples), onnx_answer),
            ):
                path = folder / f"{form}.{format}.{precision}"
                path.write_bytes(data)
                yield Candidate(form, format, precision, subject, run(path, subject, 1), len(data))


def build_exceptions(folder: Path) -> Iterator[Candidate]:
    """The trunk for LiteRT in 8 bits, but for some convolutions; its `format` names them."""
    subject, examples = trunk_subject(StyleLibrary.default(), []), representative()
    whole = litert_bytes(subject)
    for kept, precision in itertools.product(KEPT, ("int8", "dynamic")):
        data = litert_quantised(whole, subject, precision, examples, kept)
        path = folder / f"{'-'.join(kept)}.{precision}.tflite"
        path.write_bytes(data)
        names = ", ".join(f"`{name}`" for name in kept) or "none"
        yield Candidate("trunk", names, precision, subject, litert_answer(path, subject, 1), len(data))


def compare(candidate: Candidate, wanted: dict[Asked, Frames], frames: Frames) -> None:
    """Note how far its frames are from those of the Keras network."""
    for style, number in asked(candidate.subject, len(frames)):
        batch = candidate.subject.batch(frames[number : number + 1], style)
        gap = np.abs(candidate.answer(batch).astype(np.int16) - wanted[candidate.form, style, number])
        candidate.largest = max(candidate.largest, int(gap.max()))
        candidate.means.append(float(gap.mean()))


def asked(subject: Subject, count: int) -> Iterator[tuple[str | None, int]]:
    """Style and frame of each comparison."""
    return itertools.product((None,) if subject.is_frozen else STYLES, range(count))


def keras_frames(candidates: list[Candidate], frames: Frames) -> dict[Asked, Frames]:
    """What the Keras network gives, by form, style and frame."""
    keras = KerasRuntime(candidates[0].subject.trunk, precision="float32")
    subjects = {each.form: each.subject for each in candidates}
    return {
        (form, style, number): keras.run(subject.batch(frames[number : number + 1], style)).frames
        for form, subject in subjects.items()
        for style, number in asked(subject, len(frames))
    }


def take_turns(candidates: list[Candidate], frame: Frames, rounds: int) -> None:
    """Note what each takes."""
    for _ in range(rounds):
        for each in candidates:
            batch = each.subject.batch(frame)
            begin = time.process_time()
            each.answer(batch)
            each.seconds.append(time.process_time() - begin)


def table(candidates: list[Candidate], rounds: int) -> str:
    """Markdown: the conditions and a row for every file."""
    base = statistics.median(candidates[0].seconds)
    facts = machine_facts()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        f"{facts['cpu']}, 1 thread, {rounds} rounds, Python {facts['python']}, {packages}.",
        "",
        "| what | format | precision | kB | off Keras, max | mean | CPU time |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {FORMS[each.form]} | {each.format} | {each.precision} | {each.size / 1000:.0f} | {each.largest}/255 "
        f"| {statistics.mean(each.means):.3f}/255 | {statistics.median(each.seconds) / base:.2f} |"
        for each in sorted(candidates, key=lambda each: (list(FORMS).index(each.form), each.format))
    ]
    return "\n".join(lines) + "\n"


def exceptions_table(candidates: list[Candidate], whole: Candidate) -> str:
    """Markdown: a row for each choice of convolutions that stay float32."""
    base = statistics.median(whole.seconds)
    lines = [
        "| float32 stay | int8: kB | off Keras, max | mean | CPU time | dynamic: kB | max | mean | CPU time |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for pair in zip(candidates[::2], candidates[1::2], strict=True):
        cells = [
            f"{each.size / 1000:.0f} | {each.largest}/255 | {statistics.mean(each.means):.3f}/255 "
            f"| {statistics.median(each.seconds) / base:.2f}"
            for each in pair
        ]
        lines.append(f"| {pair[0].format} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
