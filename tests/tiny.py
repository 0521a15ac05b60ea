"""A tiny trunk with random weights and a few random styles: fast, and nothing shipped is needed."""

from __future__ import annotations

import functools
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from streamer.compiled import compile_trunk, compiled_path, write_int8
from streamer.styles import Style, StyleLibrary, save_style
from streamer.trunk import INT8, TRAINED_FOR, Trunk, TrunkConfig, Weights, neutral_modulation, save_trunk

CONFIG = TrunkConfig(width=8, blocks=1, deep_width=8, deep_dilations=(1,), head_width=8)
STYLES = ("alpha", "beta", "gamma")


def random_trunk(config: TrunkConfig = CONFIG, seed: int = 0) -> Trunk:
    """A trunk whose weights are drawn at random; its identity row lets the input through and adds nothing."""
    from streamer.model import build_network, network_weights

    rng = np.random.default_rng(seed)
    shapes = {name: value.shape for name, value in network_weights(build_network(config)).items()}
    weights: Weights = {
        name: rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype(np.float32) for name, shape in shapes.items()
    }
    identity = neutral_modulation(config)
    identity[-9:] = [0, 0, 0, 0, 0, 0, 1, 1, 1]  # gain, bias, gate
    return Trunk(config, weights, identity)


def random_style(trunk: Trunk, name: str, seed: int) -> Style:
    """A style some way off the neutral one."""
    rng = np.random.default_rng(seed)
    modulation = neutral_modulation(trunk.config) + rng.normal(0, 0.3, trunk.config.modulation_size)
    return Style(name, name.title(), "A script", "CC0-1.0", trunk.checksum, modulation.astype(np.float32))


@functools.cache
def compiled() -> dict[str, bytes]:
    """The compiled forms of the random trunk, by file name; made once in a process, for it takes seconds."""
    with tempfile.TemporaryDirectory() as folder:
        compile_trunk(random_trunk(), Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def write_library(folder: Path) -> StyleLibrary:
    """A library folder with the random trunk, compiled, and its styles."""
    trunk = random_trunk()
    path = folder / "trunks" / "live.safetensors"
    path.parent.mkdir(parents=True)
    save_trunk(trunk, path)
    for name, graph in compiled().items():
        (path.parent / name).write_bytes(graph)
    for seed, name in enumerate(STYLES, start=1):
        save_style(random_style(trunk, name, seed), folder / f"{name}.safetensors")
    return StyleLibrary([folder], path)


def copy_for_int8(library: StyleLibrary, folder: Path) -> StyleLibrary:
    """The same library of a trunk that says it learnt for 8 bits, with the form that `compile_trunk` would give it."""
    shutil.copytree(library.folders[0], folder, dirs_exist_ok=True)
    path = folder / "trunks" / library.trunk_path.name
    save_trunk(replace(library.trunk, metadata={TRAINED_FOR: INT8}), path)
    graph = compiled_path(library.trunk, path.parent)
    write_int8(graph, print)
    return StyleLibrary([folder], path)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth random colours (H, W, 3) uint8, so that neighbouring pixels are alike as in a photograph."""
    import cv2

    coarse = np.random.default_rng(seed).uniform(0, 255, (max(2, height // 12), max(2, width // 12), 3))
    smooth = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth.reshape(height, width, 3), 0, 255).astype(np.uint8)
