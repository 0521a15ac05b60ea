"""Options of what looks at pictures with VGG-19: training, painting slowly, and the score card."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.blends import parse_layers
from streamer.errors import BadOption
from streamer.options import Checked, option

VGG_WEIGHTS = "imagenet"
VGG_HELP = "VGG-19 weights: `imagenet` (80 MB, downloaded once), an .npz, or an .h5 of keras.applications."
STYLE_STEPS, STYLE_RATE = 800, 3e-3
TRUNK_STEPS, TRUNK_RATE = 8000, 1.5e-3
TRIAL_STEPS = 150  # of a trial of --sweep
TEACHER_WEIGHT = 10.0


@dataclass(frozen=True)
class TrainOptions(Checked):
    """A training run. Several pictures and as many names train several styles at once."""

    scope: str = option(
        "style",
        "What is trained: the style's scales and shifts alone, or a network (trunk) of its own.",
        choices=("style", "trunk"),
    )
    model: str = option("live", "Which network: live, or quality for GPUs and files.", choices=("live", "quality"))
    vgg_weights: str = option(VGG_WEIGHTS, VGG_HELP, metavar="FILE")
    content_credit: str | None = option(
        None, "What the photographs are, for the style file; default: their folders' names.", metavar="TEXT"
    )
    minutes: float | None = option(
        None, "Train for about this long: a few steps are timed first.", low=0.05, high=100_000, metavar="M"
    )
    steps: int | None = option(
        None,
        f"Length of the run; default: {STYLE_STEPS}, with --scope trunk {TRUNK_STEPS}.",
        low=1,
        high=10_000_000,
        metavar="N",
    )
    reconstruction_steps: int = option(
        0,
        "With --scope trunk: steps before the others, in which a network from chance learns to give its input back; "
        "cheap, for they need no VGG.",
        low=0,
        high=1_000_000,
        metavar="N",
    )
    batch_size: int = option(2, "Crops in a batch.", low=1, high=4096, metavar="N")
    accumulate: int = option(1, "Batches whose gradients make one update.", low=1, high=1024, metavar="N")
    crop: int = option(256, "Side of a crop in pixels, a multiple of 8.", low=64, high=1024, metavar="PX")
    learning_rate: float | None = option(
        None,
        f"Peak of the cosine schedule; default: {STYLE_RATE:g}, with --scope trunk {TRUNK_RATE:g}.",
        low=1e-7,
        high=1,
        metavar="RATE",
    )
    content_weight: float = option(1.0, "Weight of the content loss.", low=0, high=1e6, metavar="W")
    temporal_weight: float = option(
        40.0, "Weight of the temporal loss; 0: no second frame.", low=0, high=1e6, metavar="W"
    )
    teacher: str | None = option(
        None,
        "Learn from what another network paints, too: a folder of its styles, of the same names, or a model such as "
        "quality. With --content-weight 0 --style-weight 0 from that alone, and without VGG weights.",
        metavar="DIR|MODEL",
    )
    teacher_weight: float | None = option(
        None,
        f"Weight of the difference from the teacher's pixels; default: {TEACHER_WEIGHT:g}.",
        low=0,
        high=1e6,
        metavar="W",
    )
    prune: float = option(
        0.0,
        "With --scope trunk: begin with the default network, or that of --start-from, less this share of its channels. "
        "A multiple of 8 is left; multiples of 16 are what saves time.",
        low=0,
        high=0.9,
        metavar="SHARE",
    )
    prune_where: str = option(
        "blocks", "Which channels: those inside of residual blocks, or all.", choices=("blocks", "everywhere")
    )
    precision: str = option(
        "auto",
        "Arithmetic; auto: mixed on a GPU, bfloat16 features on a CPU that has it, else float32.",
        choices=("auto", "float32", "mixed_float16", "mixed_bfloat16"),
    )
    quantization_aware: bool = option(
        False,
        "Learn with the rounding of 8-bit convolutions, so that the network can run in them; "
        "with --scope style as its network did.",
    )
    preview_every: int = option(250, "Steps between previews and checkpoints.", low=1, high=1_000_000, metavar="N")

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, or for two that contradict each other."""
        super().__post_init__()
        if self.minutes is not None and self.steps is not None:
            raise BadOption("--minutes and --steps exclude each other: both say how long to train.")
        if self.teacher_weight is not None and self.teacher is None:
            raise BadOption("--teacher-weight needs --teacher.")
        if self.prune and self.scope != "trunk":
            raise BadOption("--prune needs --scope trunk: what is left of a network must learn anew.")
        if self.reconstruction_steps and (self.scope != "trunk" or self.prune):
            raise BadOption(
                "--reconstruction-steps is for --scope trunk without --prune: a network that there is paints already."
            )
        if self.prune_where != "blocks" and not self.prune:
            raise BadOption(f"--prune-where {self.prune_where} needs --prune.")


@dataclass(frozen=True)
class UpgradeOptions(Checked):
    """Learning a style again on the trunk that a model has now; what is not said is as it was learnt before."""

    model: str = option("live", "Which network: live, or quality for GPUs and files.", choices=("live", "quality"))
    steps: int | None = option(None, "Length of each run; default: as before.", low=1, high=10_000_000, metavar="N")
    vgg_weights: str | None = option(None, VGG_HELP, metavar="FILE")


@dataclass(frozen=True)
class PaintOptions(Checked):
    """Painting slowly: a picture is itself the variable, by the features of VGG-19 (Gatys et al. 2016)."""

    long_side: int = option(512, "Longer side of the result in pixels.", low=64, high=2048, metavar="PX")
    steps: int = option(
        50,
        "Steps at the full size; each coarser size, half as large, comes before and has twice as many.",
        low=1,
        high=100_000,
        metavar="N",
    )
    optimizer: str = option("lbfgs", "How it is improved.", choices=("lbfgs", "adam"))
    begin: str = option("content", "What it begins with: the photograph, or noise.", choices=("content", "noise"))
    content_weight: float = option(1.0, "Weight of the content.", low=0, high=1e6, metavar="W")
    style_weight: float = option(1.0, "Weight of the style.", low=0, high=1e6, metavar="W")
    variation_weight: float = option(1.0, "Weight of smoothness.", low=0, high=1e6, metavar="W")
    content_layers: str = option(
        "relu4_2", "Layers of VGG-19 that hold the content; weights follow a colon.", metavar="LAYER[:W],..."
    )
    style_layers: str = option(
        "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
        "Layers whose Gram matrices hold the style; weights follow a colon.",
        metavar="LAYER[:W],...",
    )
    style_scale: float = option(
        1.0, "Size of the style picture beside the result: larger is coarser strokes.", low=0.125, high=8, metavar="S"
    )
    pooling: str = option(
        "average", "Between VGG's layers: smoother by averages, or as it was trained.", choices=("average", "max")
    )
    preserve_color: bool = option(False, "Luminance of the painting, colours of the photograph.")
    seed: int = option(0, "Of the noise.", low=0, high=2**31 - 1, metavar="N")
    vgg_weights: str = option(VGG_WEIGHTS, VGG_HELP, metavar="FILE")
    overwrite: bool = option(False, "Replace an existing output.")

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, for a layer that is not there, or where nothing has a weight."""
        super().__post_init__()
        sums = [self.content_weight * sum(self.contents.values()), self.style_weight * sum(self.styles.values())]
        if not any(sums):
            raise BadOption("Neither the content nor the style has a weight above 0: there is nothing to paint.")

    @property
    def contents(self) -> dict[str, float]:
        """Layers of the content, with weights."""
        return parse_layers(self.content_layers, "--content-layers")

    @property
    def styles(self) -> dict[str, float]:
        """Layers of the style, with weights."""
        return parse_layers(self.style_layers, "--style-layers")


@dataclass(frozen=True)
class EvaluateOptions(Checked):
    """The score card."""

    vgg_weights: str = option(VGG_WEIGHTS, VGG_HELP, metavar="FILE")
    limit: int = option(20, "Measure on at most this many photographs.", low=1, high=100_000, metavar="N")
    clip_frames: int = option(24, "Frames of each clip, from its first.", low=2, high=10_000, metavar="N")
    clip_width: int = option(320, "Width of the clips; wider ones are scaled down.", low=64, high=16384, metavar="PX")
    per_frame: bool = option(False, "Style each frame of a clip by itself, not as one of a stream.")
