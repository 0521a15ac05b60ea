"""Scores what exported forms of the shipped network paint, and rewrites a table in docs/export.md.

Content and style of photographs, and the warping error of clips styled as streams, each as a share of what the float32
form has; means over styles. Needs the extras train and export, photographs and clips that nothing was trained on, and
the pictures of the styles:

    .venv/bin/python benchmarks/score_exports.py --content DIR --clips DIR --pictures DIR --vgg-weights FILE
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from compare_exports import PAGE, publish

from streamer.engine import Engine
from streamer.export.frames import representative
from streamer.export.litert import litert_bytes
from streamer.export.litert_quantised import litert_quantised
from streamer.export.onnx_file import onnx_model
from streamer.export.onnx_quantised import onnx_quantised
from streamer.export.subject import trunk_subject
from streamer.export_settings import PRECISIONS
from streamer.onnx_runtime import OnnxRuntime
from streamer.runtime import LiteRTRuntime, Runtime
from streamer.settings import Look
from streamer.styles import StyleLibrary
from training.data import read_picture, shrink
from training.evaluate import content_of, score_one, style_grams
from training.material import StylePictures, find_clips, find_measured, read_clip
from training.measure import GAPS, LARGEST, steadiness
from training.stability import motions
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, Features, load_weights

STYLES = ("great_wave", "mosaic", "the_scream")
FIGURES = ("content", "style", "e_warp", "contrast", "sharpness")
Values = dict[str, float]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--content", type=Path, action="append", required=True, help="a folder of photographs")
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips")
    parser.add_argument("--pictures", action="append", required=True, help="a folder, or NAME=FILE")
    parser.add_argument("--vgg-weights", default="imagenet")
    parser.add_argument("--limit", type=int, default=10, help="photographs")
    parser.add_argument("--frames", type=int, default=10, help="of each clip")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page whose table is rewritten")
    arguments = parser.parse_args()
    material = Material(arguments)
    with tempfile.TemporaryDirectory() as folder:
        measured = {name: material.measure(runtime) for name, runtime in runtimes(Path(folder))}
    publish(arguments.page, "scores", table(measured))


def runtimes(folder: Path) -> Iterator[tuple[tuple[str, str], Runtime]]:
    """Every form of the trunk, by format and precision, in its runtime."""
    subject, examples = trunk_subject(StyleLibrary.default(), []), representative()
    whole, model = litert_bytes(subject), onnx_model(subject)
    for precision in PRECISIONS:
        path = folder / f"{precision}.tflite"
        path.write_bytes(litert_quantised(whole, subject, precision, examples))
        yield ("LiteRT", precision), LiteRTRuntime(path)
    for precision in PRECISIONS:
        yield ("ONNX", precision), OnnxRuntime(onnx_quantised(model, subject, precision, examples))


class Material:
    """What is measured on, looked at once."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._features = Features(load_weights(arguments.vgg_weights), (*STYLE_LAYERS, CONTENT_LAYER))
        pictures = StylePictures(arguments.pictures)
        self._grams = {style: style_grams(self._features, read_picture(_found(pictures, style))) for style in STYLES}
        photographs = map(read_picture, find_measured(arguments.content, None, arguments.limit).values())
        self._photographs = [shrink(each, min(LARGEST, *each.shape[:2])) for each in photographs]
        self._contents = [content_of(self._features, each) for each in self._photographs]
        self._clips = [read_clip(path, arguments.frames, 320) for path in find_clips(arguments.clips, None).values()]
        self._motions = [{GAPS[0]: motions(clip.frames, GAPS[0])} for clip in self._clips]

    def measure(self, runtime: Runtime) -> dict[str, Values]:
        """Of each style, what a runtime makes of it."""
        with Engine(StyleLibrary.default(), runtime=runtime) as engine:
            return {style: self._scores(engine, style) | self._steadiness(engine, style) for style in STYLES}

    def _scores(self, engine: Engine, style: str) -> Values:
        modulation, found = engine.library.resolve(style), []
        for photograph, content in zip(self._photographs, self._contents, strict=True):
            painted = engine.stylize(photograph, modulation)
            found.append(score_one(self._features, content, painted, self._grams[style]))
        return {name: float(np.mean([card[name] for card in found])) for name in ("content", "style")}

    def _steadiness(self, engine: Engine, style: str) -> Values:
        found = []
        for clip, known in zip(self._clips, self._motions, strict=True):
            stream = engine.stream(Look(style))
            pairs = zip(clip.frames, clip.times, strict=True)
            card = steadiness(clip.frames, [stream([frame], [time])[0] for frame, time in pairs], known)
            found.append((card.e_warp[GAPS[0]] - card.own[GAPS[0]], card.contrast, card.sharpness))
        return dict(zip(FIGURES[2:], np.mean(found, axis=0).tolist(), strict=True))


def _found(pictures: StylePictures, style: str) -> Path:
    path = pictures.of(style)
    if path is None:
        raise SystemExit(f"--pictures has none of {style}.")
    return path


def table(measured: dict[tuple[str, str], dict[str, Values]]) -> str:
    """Each form's figures as shares of the first's, means over the styles."""
    head = f"| format | precision | {' | '.join(name.replace('e_warp', 'warping error') for name in FIGURES)} |"
    lines = [f"Means over {', '.join(STYLES)}.", "", head, "|" + "---|" * (2 + len(FIGURES))]
    (first, *_) = measured.values()
    for (format, precision), cards in measured.items():
        shares = [np.mean([cards[style][name] / first[style][name] for style in STYLES]) for name in FIGURES]
        lines.append(f"| {format} | {precision} | {' | '.join(f'{share:.3f}' for share in shares)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
