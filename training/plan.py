"""From pictures and options to a recipe, with everything checked that can be before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from streamer.errors import BadMedia, BadOption
from streamer.geometry import STRIDE
from streamer.styles import NAME
from streamer.training_settings import STYLE_RATE, STYLE_STEPS, TEACHER_WEIGHT, TRUNK_RATE, TRUNK_STEPS, TrainOptions
from streamer.trunk import MODELS
from training.data import read_style_picture
from training.distil import find_teacher
from training.recipe import Recipe, StyleSource

MIN_STYLE_SIZE, MAX_STYLE_SIZE = 32, 4096  # pixels; below the first relu5_1 has nothing to look at
MAX_WEIGHT = 1e6
FAST_BFLOAT16 = {"avx512_bf16", "amx_bf16"}  # what a processor says of itself when it multiplies bfloat16 quickly


@dataclass(frozen=True)
class Picture:
    """A picture to learn a style from, and what is to be said of it. The last three: see StyleSource."""

    path: Path
    name: str
    title: str = ""
    artist: str = "unknown"
    licence: str = "unknown"
    sizes: tuple[int, ...] = StyleSource.sizes
    weight: float = 1.0
    steadiness: float = 1.0  # its temporal weight


def make_recipe(pictures: Sequence[Picture], content: Sequence[Path], options: TrainOptions) -> Recipe:
    """The recipe of these pictures and options; its length is the default's where only minutes are known.

    Raises BadOption for a bad name, weight or size, or where there is nothing to learn from, BadMedia for a picture
    that is missing, none, or of one colour, BadStyle for a teacher that does not know the styles.
    """
    for picture in pictures:
        check_picture(picture)
    names = [picture.name for picture in pictures]
    if len(set(names)) < len(names):
        raise BadOption(f"Every picture needs a --name of its own; received {', '.join(names)}.")
    if options.crop % STRIDE:
        raise BadOption(f"--crop must be a multiple of {STRIDE}; received {options.crop}.")
    steps, rate = (STYLE_STEPS, STYLE_RATE) if options.scope == "style" else (TRUNK_STEPS, TRUNK_RATE)
    recipe = Recipe(
        styles=tuple(
            StyleSource(
                p.name,
                str(p.path.resolve()),
                p.sizes,
                p.weight,
                p.steadiness,
                title=p.title or p.name,
                artist=p.artist,
                licence=p.licence,
            )
            for p in pictures
        ),
        content=tuple(str(path.resolve()) for path in content),
        content_credit=options.content_credit or "",
        vgg=options.vgg_weights if options.vgg_weights == "imagenet" else str(Path(options.vgg_weights).resolve()),
        scope=options.scope,
        model=options.model,
        steps=options.steps or steps,
        reconstruction_steps=options.reconstruction_steps,
        batch=options.batch_size,
        accumulate=options.accumulate,
        size=options.crop,
        learning_rate=options.learning_rate or rate,
        content_weight=options.content_weight,
        temporal_weight=options.temporal_weight,
        quantised=options.quantization_aware,
        prune=options.prune,
        prune_where=options.prune_where,
        precision=best_precision() if options.precision == "auto" else options.precision,
        **_teacher(options, names),
    )
    if not recipe.learns:
        raise BadOption(
            "With --content-weight 0 and --style-weight 0 there is nothing to learn from but a --teacher with a weight."
        )
    return recipe


def _teacher(options: TrainOptions, names: Sequence[str]) -> dict[str, Any]:
    """What a recipe says of the teacher. Raises BadStyle."""
    if options.teacher is None:
        return {}
    weight = TEACHER_WEIGHT if options.teacher_weight is None else options.teacher_weight
    where = options.teacher if options.teacher in MODELS else str(Path(options.teacher).resolve())
    checksum = find_teacher(where, names).trunk.checksum
    return {"teacher": where, "teacher_trunk": checksum, "teacher_weight": weight}


def check_picture(picture: Picture) -> None:
    """Raise BadOption or BadMedia unless a style can be learnt from this picture under this name."""
    if not NAME.fullmatch(picture.name):
        raise BadOption(f"--name takes small letters, digits, '-' and '_', at most 64; received {picture.name!r}.")
    for flag, value in (("--style-weight", picture.weight), ("--steadiness", picture.steadiness)):
        if not (math.isfinite(value) and 0 <= value <= MAX_WEIGHT):
            raise BadOption(f"{flag} must be from 0 to {MAX_WEIGHT:g}; received {value:g} for {picture.name}.")
    if not all(MIN_STYLE_SIZE <= size <= MAX_STYLE_SIZE for size in picture.sizes):
        raise BadOption(
            f"--style-size must be from {MIN_STYLE_SIZE} to {MAX_STYLE_SIZE} pixels; "
            f"received {', '.join(map(str, picture.sizes))} for {picture.name}."
        )
    if not picture.path.is_file():
        raise BadMedia(f"There is no picture {picture.path}.")
    read_style_picture(picture.path)


def best_precision(cpu_facts: Path = Path("/proc/cpuinfo")) -> str:
    """What `--precision auto` means here.

    A GPU computes mixed: bfloat16 where it has it, which needs no scaling of the loss. A CPU that multiplies bfloat16
    quickly has VGG's arithmetic in it and keeps the network, which is small, in float32.
    """
    if on_gpu := _gpu_precision():
        return on_gpu
    try:
        flags = set(cpu_facts.read_text(errors="replace").split())
    except OSError:
        return "float32"
    return "bfloat16" if flags & FAST_BFLOAT16 else "float32"


def _gpu_precision() -> str:
    """The mixed policy of the GPU here, or nothing without one."""
    if keras.backend.backend() == "jax":
        import jax

        return "mixed_bfloat16" if jax.default_backend() == "gpu" else ""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return ""
    capability = tf.config.experimental.get_device_details(devices[0]).get("compute_capability", (0, 0))
    return "mixed_bfloat16" if tuple(capability) >= (8, 0) else "mixed_float16"
