"""The frozen VGG network whose features define content and style (Simonyan and Zisserman 2015).

Caffe preprocessing: RGB 0..255 -> BGR minus the ImageNet mean; zero padding; max pooling, as in the original, or that
of averages, which Gatys et al. found to give smoother paintings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from keras import ops
from numpy.typing import NDArray

from streamer.errors import BadMedia
from training.download import Progress, fetch_vgg
from training.winograd import WORTHWHILE, FrozenConvolution

IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
FLOAT16_UNIT = 64.0  # activations of VGG-19 reach tens of thousands


class Features:
    """Maps pictures to the activations of named layers."""

    def __init__(
        self,
        weights: dict[str, NDArray[np.float32]],
        layers: tuple[str, ...],
        dtype: str = "float32",
        pooling: str = "max",
        winograd: bool = False,
    ) -> None:
        """weights: `NAME/kernel` (HWIO) and `NAME/bias` for each convolution, in order.

        dtype is that of the arithmetic; activations come back as float32. For float16, which ends at 65504, all is
        computed a constant factor smaller: convolutions, ReLU and pooling pass it through unchanged.
        pooling: `max` or `average`.
        winograd: convolve by `training.winograd` where that saves time. Its graphs are larger and take longer to build,
        so it is for what runs often: a short painting was slower by it, and took more memory.
        """
        names = [key.removesuffix("/kernel") for key in weights if key.endswith("/kernel")]
        self.wanted = {layer.replace("relu", "conv"): layer for layer in layers}
        if missing := sorted(set(self.wanted) - set(names)):
            raise BadMedia(f"The VGG weights have no layer {missing[0]}; they have {', '.join(names)}.")
        self._pool = ops.max_pool if pooling == "max" else ops.average_pool
        self._dtype, self._unit = dtype, FLOAT16_UNIT if dtype == "float16" else 1.0
        self._chain = names[: max(names.index(name) for name in self.wanted) + 1]
        self._convolutions = {name: _convolution(weights[f"{name}/kernel"], dtype, winograd) for name in self._chain}
        self._biases = {name: _constant(weights[f"{name}/bias"] / self._unit, dtype) for name in self._chain}

    def __call__(self, pictures: Any) -> dict[str, Any]:
        """pictures (B, H, W, 3), RGB 0..255 -> {layer: (B, h, w, C) float32} for the layers asked for."""
        centred = ops.flip(pictures, axis=-1) - np.array(IMAGENET_MEAN_BGR, np.float32)
        x = ops.cast(centred if self._unit == 1.0 else centred / self._unit, self._dtype)
        found: dict[str, Any] = {}
        block = "1"
        for name in self._chain:
            if name[4] != block:
                x, block = self._pool(x, 2, 2, padding="valid"), name[4]
            x = ops.relu(self._convolutions[name](x) + self._biases[name])
            if name in self.wanted:
                whole = ops.cast(x, "float32")
                found[self.wanted[name]] = whole if self._unit == 1.0 else whole * self._unit
        return found


def _convolution(kernel: NDArray[np.float32], dtype: str, winograd: bool) -> Callable[[Any], Any]:
    """Convolves (B, H, W, C) with zero padding."""
    if winograd and kernel.shape[2] * kernel.shape[3] >= WORTHWHILE:
        return FrozenConvolution(kernel)
    constant = _constant(kernel, dtype)
    return lambda x: ops.conv(x, constant, padding="same")


def _constant(values: NDArray[np.float32], dtype: str) -> Any:
    return ops.cast(ops.convert_to_tensor(values.astype(np.float32)), dtype)


def load_weights(source: str, progress: Progress = lambda there, whole: None) -> dict[str, NDArray[np.float32]]:
    """VGG-19 weights from a file, or `imagenet` for those of keras.applications, downloaded if they are not here yet.

    An `.npz` holds `convX_Y/kernel` and `/bias`; an `.h5` is one of keras.applications, with or without its top.
    Raises BadMedia when the file is missing or holds something else, or cannot be had.
    """
    path = fetch_vgg(progress) if source == "imagenet" else Path(source)
    weights = _from_h5(path) if path.suffix in (".h5", ".hdf5") else _from_npz(path)
    if not any(re.fullmatch(r"conv\d_\d/kernel", name) for name in weights):
        raise BadMedia(f"VGG weights {path} hold no arrays named convX_Y/kernel; found {', '.join(list(weights)[:4])}.")
    return weights


def _from_npz(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise BadMedia(f"VGG weights {path} cannot be read as .npz: {error}.") from error


def _from_h5(path: Path) -> dict[str, NDArray[np.float32]]:
    """Keras keeps each layer's arrays in a group of its name: blockX_convY. What else there is, is left out."""
    weights: dict[str, NDArray[np.float32]] = {}

    def take(name: str, item: Any) -> None:
        match = re.match(r"block(\d)_conv(\d)/", name)
        if match and isinstance(item, h5py.Dataset):
            kind = "kernel" if item.ndim == 4 else "bias"
            weights[f"conv{match[1]}_{match[2]}/{kind}"] = np.asarray(item, np.float32)

    try:
        with h5py.File(path, "r") as archive:
            archive.visititems(take)
            found = ", ".join(list(archive)[:4]) or "nothing"
    except OSError as error:
        raise BadMedia(f"VGG weights {path} cannot be read as .h5: {error}.") from error
    if not weights:
        raise BadMedia(f"VGG weights {path} hold no layers named blockX_convY; found {found}.")
    return weights


def random_weights(
    channels: tuple[int, ...] = (4, 6, 8, 8, 8), seed: int = 0, layers: tuple[int, ...] = (2, 2, 2, 2, 2)
) -> dict[str, NDArray[np.float32]]:
    """A VGG-shaped network of He-normal random weights, for tests: same names, same pooling, few channels."""
    rng = np.random.default_rng(seed)
    weights: dict[str, NDArray[np.float32]] = {}
    depth = 3
    for block, (width, count) in enumerate(zip(channels, layers, strict=True), start=1):
        for position in range(1, count + 1):
            kernel = rng.normal(0, np.sqrt(2 / (9 * depth)), (3, 3, depth, width))
            weights[f"conv{block}_{position}/kernel"] = kernel.astype(np.float32)
            weights[f"conv{block}_{position}/bias"] = np.zeros(width, np.float32)
            depth = width
    return weights
