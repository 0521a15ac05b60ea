"""The options of `streamer export`."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.errors import BadOption
from streamer.options import Checked, option

FORMATS = ("saved-model", "litert", "onnx")
PRECISIONS = ("none", "float16", "dynamic", "int8")


@dataclass(frozen=True)
class ExportOptions(Checked):
    """What is written, and how small."""

    format: str = option("onnx", "TensorFlow's SavedModel, LiteRT's .tflite, or .onnx.", choices=FORMATS)
    quantize: str = option(
        "none",
        "float16: half the bytes. dynamic: weights of 8 bits. int8: convolutions of 8 bits, measured on frames.",
        choices=PRECISIONS,
    )
    freeze: bool = option(False, "One file for each STYLE, frames in and frames out, the style folded into it.")
    statistics: str = option(
        "own",
        "With --freeze: normalise each frame by its own statistics, or all by those of --content.",
        choices=("own", "frozen"),
    )
    strength: float = option(1.0, "With --freeze: 0 is the input, 1 is the style.", low=0, high=1)
    content: tuple[str, ...] = option(
        (),
        "A photograph, clip or folder of them, for int8 and frozen statistics; repeatable. Default: a shipped sample.",
        metavar="PATH",
    )
    model: str = option("live", "Which network: live, or quality for GPUs and files.", choices=("live", "quality"))
    overwrite: bool = option(False, "Replace existing files.")

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, or for options that mean nothing together."""
        super().__post_init__()
        if self.format == "saved-model" and self.quantize != "none":
            raise BadOption(
                f"--format saved-model has no --quantize {self.quantize}: TensorFlow computes in float32; "
                "--format litert and onnx have it."
            )
        for name, is_given in (("statistics frozen", self.statistics != "own"), ("strength", self.strength != 1)):
            if is_given and not self.freeze:
                raise BadOption(f"--{name} needs --freeze: in a trunk's file these are inputs.")
        if self.content and not self.needs_frames:
            raise BadOption("--content needs --quantize int8 or --statistics frozen: nothing else measures frames.")

    @property
    def needs_frames(self) -> bool:
        """Whether something is measured on frames."""
        return self.quantize == "int8" or self.statistics == "frozen"
