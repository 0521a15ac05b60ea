"""A trunk as data: its architecture and its weights in a file. Needs no deep-learning framework.

One `.safetensors` file holds the weights by name, the identity row, and in its metadata the architecture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from streamer.errors import BadStyle
from streamer.files import write_atomically

Weights = dict[str, NDArray[np.float32]]
Version = tuple[int, int, int]  # of a file: when it was written, its bytes, its inode
IDENTITY = "identity"  # the tensor of a trunk file that holds its identity row
TRAINED_FOR, INT8 = "trained_for", "int8"  # in the metadata of a trunk that knows the rounding of 8-bit convolutions
# The last floats of a modulation: gain, bias and gate of RGB. With these the network gives its input back exactly,
# whatever the rest of the modulation paints.
OUTPUT_TERMS = slice(-9, None)
UNPAINTED = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1], np.float32)


_MAY_BE_LEFT_OUT = ("inside_width", "deep_inside_width")


@dataclass(frozen=True)
class TrunkConfig:
    """The architecture of a trunk; it travels in the metadata of the trunk's weights.

    The defaults are the `live` trunk: 98 thousand parameters and 1.23 GMAC at 640x360. Widths are multiples of 16 or 32
    because that is how many channels the CPU kernels compute at once: 40 would take as long as 64.
    """

    width: int = 32  # channels at 1/4 resolution
    blocks: int = 2  # residual blocks at 1/4 resolution
    deep_width: int = 32  # channels at 1/8 resolution
    deep_dilations: tuple[int, ...] = field(default=(1, 2))  # one residual block at 1/8 for each entry
    head_width: int = 16  # channels at 1/2 resolution
    # Channels inside the residual blocks, between their two convolutions; 0: as many as around them.
    inside_width: int = 0
    deep_inside_width: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` is the inverse. What is 0 is left out: checksums go over this."""
        values = asdict(self) | {"deep_dilations": list(self.deep_dilations)}
        return {name: value for name, value in values.items() if value or name not in _MAY_BE_LEFT_OUT}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrunkConfig:
        """Build from JSON values. Raises TypeError on unknown keys."""
        return cls(**values | {"deep_dilations": tuple(values["deep_dilations"])})

    @property
    def inside(self) -> int:
        """Channels inside the residual blocks at 1/4 resolution."""
        return self.inside_width or self.width

    @property
    def deep_inside(self) -> int:
        """Channels inside the residual blocks at 1/8 resolution."""
        return self.deep_inside_width or self.deep_width

    def normalised(self) -> dict[str, int]:
        """The convolutions that a normalisation follows, and their channels, in the order in which they run."""
        w, d = self.width, self.deep_width
        widths = {"stem": w, "down": d}
        for i in range(len(self.deep_dilations)):
            widths |= {f"deep{i}_0": self.deep_inside, f"deep{i}_1": d}
        widths["fuse"] = w
        for i in range(self.blocks):
            widths |= {f"body{i}_0": self.inside, f"body{i}_1": w}
        return widths | {"head": self.head_width}

    def norm_widths(self) -> list[int]:
        """Channels of every normalisation layer, in the order in which the network runs them."""
        return list(self.normalised().values())

    @property
    def modulation_size(self) -> int:
        """Floats of one style: gamma and beta of every normalisation, then gain, bias, gate of RGB."""
        return 2 * sum(self.norm_widths()) + 9

    @property
    def statistics_size(self) -> int:
        """Floats of one stream's state: mean and second moment of every normalised channel."""
        return 2 * sum(self.norm_widths())


# By the name that `--model` takes. `quality` is for GPUs and files that may take their time.
MODELS = {
    "live": TrunkConfig(),
    "quality": TrunkConfig(width=64, blocks=4, deep_width=96, deep_dilations=(1, 2, 1, 2), head_width=32),
}
DEFAULT_MODEL = "live"


def neutral_modulation(config: TrunkConfig) -> NDArray[np.float32]:
    """The modulation a new style starts from, shape (modulation_size,).

    gamma 1, beta 0; of the output: gain 1, bias 0, and a quarter of the input let through.
    """
    parts: list[NDArray[np.float32]] = []
    for width in config.norm_widths():
        parts += [np.ones(width, np.float32), np.zeros(width, np.float32)]
    parts += [np.ones(3, np.float32), np.zeros(3, np.float32), np.full(3, 0.25, np.float32)]
    return np.concatenate(parts)


def identity_modulation(config: TrunkConfig) -> NDArray[np.float32]:
    """The modulation that gives the input back exactly: nothing is painted, everything is let through."""
    row = neutral_modulation(config)
    row[OUTPUT_TERMS] = UNPAINTED
    return row


@dataclass(frozen=True)
class Trunk:
    """Weights of a network by layer name, and the modulation that reproduces the input."""

    config: TrunkConfig
    weights: Weights
    identity: NDArray[np.float32]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def is_for_int8(self) -> bool:
        """Whether it learnt with convolutions of 8 bits, so that little is lost when they are used."""
        return self.metadata.get(TRAINED_FOR) == INT8

    @property
    def checksum(self) -> str:
        """SHA-256 over architecture, weights and identity row, hexadecimal; styles name their trunk by it."""
        digest = hashlib.sha256(json.dumps(self.config.to_dict(), sort_keys=True).encode())
        for name, values in sorted((self.weights | {IDENTITY: self.identity}).items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(values, "<f4").tobytes())
        return digest.hexdigest()


def save_trunk(trunk: Trunk, path: Path) -> None:
    """Write a trunk file."""
    metadata = trunk.metadata | {
        "kind": "trunk",
        "config": json.dumps(trunk.config.to_dict()),
        "checksum": trunk.checksum,
    }
    write_atomically(path, save(trunk.weights | {IDENTITY: trunk.identity}, metadata=metadata))


def load_trunk(path: Path) -> Trunk:
    """Read a trunk file. Raises BadStyle when it is damaged: unreadable, of another kind, or of another checksum."""
    tensors, metadata = read_tensors(path)
    if metadata.get("kind") != "trunk" or IDENTITY not in tensors:
        raise BadStyle(f"{path.name} is not a trunk: its kind is {metadata.get('kind', 'unknown')!r}.")
    identity = tensors.pop(IDENTITY)
    try:
        config = TrunkConfig.from_dict(json.loads(metadata["config"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadStyle(f"Trunk {path.name} does not say its architecture: {error}.") from error
    trunk = Trunk(config, tensors, identity, metadata)
    if trunk.checksum != metadata.get("checksum"):
        raise BadStyle(f"Trunk {path.name} is damaged: its weights do not match their checksum.")
    return trunk


@lru_cache(maxsize=64)
def checksum_said(path: Path, version: Version) -> str:
    """The checksum that a trunk file says it has, by its header alone; "" when it cannot be read or says none."""
    try:
        with safe_open(path, framework="numpy") as archive:
            return str((archive.metadata() or {}).get("checksum", ""))
    except (OSError, SafetensorError):
        return ""


@lru_cache(maxsize=8)
def known_trunk(path: Path, version: Version) -> Trunk:
    """`load_trunk`, once for each version of a file."""
    return load_trunk(path)


def version_of(path: Path) -> Version:
    """What changes whenever a file is written anew; zeros when there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_tensors(path: Path) -> tuple[Weights, dict[str, str]]:
    """All tensors and the metadata of a `.safetensors` file. Raises BadStyle when it cannot be read."""
    try:
        with safe_open(path, framework="numpy") as archive:
            tensors: Mapping[str, Any] = {name: archive.get_tensor(name) for name in archive.keys()}
            return {name: np.asarray(value, np.float32) for name, value in tensors.items()}, archive.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise BadStyle(f"{path.name} cannot be read as safetensors: {error}.") from error
