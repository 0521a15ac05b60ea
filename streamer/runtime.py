"""How a network is run: one small interface, and the CPU runtime (LiteRT with XNNPACK).

A runtime takes a batch of equally large uint8 frames with their modulations and statistics, pads them by reflection,
runs the network and crops back. It is not thread-safe: the engine's device thread owns it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.errors import BadStyle, MissingDependency
from streamer.geometry import padding
from streamer.settings import cores
from streamer.trunk import TrunkConfig

Float32 = NDArray[np.float32]
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Batch:
    """B frames and what each is to be normalised by; see `streamer.model`."""

    frames: Frames  # (B, H, W, 3)
    modulation: Float32  # (B, modulation_size)
    given: Float32  # (B, statistics_size)
    mix: Float32  # (B, B)
    carry: Float32  # (B, 1)
    # Top, left, bottom, right in STRIDE; given these, the frames are padded already.
    margins: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Styled:
    """What came of a Batch."""

    frames: Frames  # (B, H, W, 3)
    used: Float32  # (B, statistics_size): hand these back with the stream's next frame
    own: Float32  # (B, statistics_size)


class Runtime(Protocol):
    """Runs one trunk. `batch_size`: how many frames at once it is best at."""

    name: str
    batch_size: int

    def run(self, batch: Batch) -> Styled:
        """Style a batch."""
        ...

    def close(self) -> None:
        """Release memory and threads."""
        ...


def still(frames: Frames, modulation: Float32, statistics_size: int) -> Batch:
    """A batch of unrelated stills, each normalised by its own statistics; modulation (modulation_size,) for all."""
    count = len(frames)
    return Batch(
        frames,
        np.repeat(modulation[None], count, axis=0),
        np.zeros((count, statistics_size), np.float32),
        np.eye(count, dtype=np.float32),
        np.zeros((count, 1), np.float32),
    )


def pad(frames: Frames, into: Frames | None = None) -> tuple[Frames, tuple[slice, slice]]:
    """Reflect a border around (B, H, W, 3); returns the larger frames and the slices that crop it off again."""
    height, width = frames.shape[1:3]
    top, bottom, left, right = padding(height, width)
    if into is None:
        into = np.empty((len(frames), top + height + bottom, left + width + right, 3), np.uint8)
    for source, target in zip(frames, into, strict=True):
        cv2.copyMakeBorder(source, top, bottom, left, right, cv2.BORDER_REFLECT_101, dst=target)
    return into, (slice(top, top + height), slice(left, left + width))


def padded_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """What `pad` makes of frames of this shape (B, H, W, 3)."""
    top, bottom, left, right = padding(shape[1], shape[2])
    return shape[0], top + shape[1] + bottom, left + shape[2] + right, 3


class LiteRTRuntime:
    """The trunk compiled to a `.tflite` graph, run by LiteRT's XNNPACK kernels on CPU threads."""

    batch_size = 1  # a batch only adds latency on a CPU: one frame keeps all cores busy
    # Interpreters of different shapes are kept: a live server meets a few, a file exactly one. Each holds its
    # activations, some 300 bytes a pixel, so large pictures are not kept beside others.
    _KEPT_SHAPES, _KEPT_PIXELS = 8, 4_000_000

    def __init__(
        self, graph: Path, threads: int | None = None, *, int8: Path | bytes | None = None, name: str = "LiteRT"
    ) -> None:
        """graph: the compiled trunk; its sibling `NAME.tiles.tflite` also takes margins.

        int8: a graph that runs whole frames in its place. Tiles stay float32: the ranges that 8 bits are scaled by are
        measured over what is run at once, and would differ from tile to tile.
        Raises BadStyle when a graph is missing, MissingDependency when LiteRT is.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingDependency("The CPU runtime needs the package ai-edge-litert.") from error
        for path in (graph, int8):
            if isinstance(path, Path) and not path.exists():
                raise BadStyle(f"The compiled trunk {path.name} is missing; `streamer compile` builds it.")
        self.name = name
        self._interpreter_class = Interpreter
        self._whole, self._tiles = int8 or graph, graph.with_suffix(".tiles.tflite")
        self._threads = threads or cores()
        self._interpreters: OrderedDict[tuple[tuple[int, ...], bool], _Interpreter] = OrderedDict()

    def run(self, batch: Batch) -> Styled:
        """Style a batch on the CPU."""
        if batch.margins is not None:
            return self._interpreter(batch.frames.shape, tiles=True).run(batch)
        return self._interpreter(padded_shape(batch.frames.shape)).run(batch)

    def close(self) -> None:
        """Drop all interpreters."""
        self._interpreters.clear()

    def _interpreter(self, shape: tuple[int, ...], tiles: bool = False) -> _Interpreter:
        key = (shape, tiles)
        if key not in self._interpreters:
            graph = self._tiles if tiles else self._whole
            self._make_room(shape)
            source = {"model_path": str(graph)} if isinstance(graph, Path) else {"model_content": graph}
            raw = self._interpreter_class(**source, num_threads=self._threads)
            self._interpreters[key] = _Interpreter(raw, shape)
        self._interpreters.move_to_end(key)
        return self._interpreters[key]

    def _make_room(self, shape: tuple[int, ...]) -> None:
        def pixels(shape: tuple[int, ...]) -> int:
            return shape[0] * shape[1] * shape[2]

        kept = self._interpreters
        while kept and (
            len(kept) >= self._KEPT_SHAPES
            or sum(pixels(other) for other, _ in kept) + pixels(shape) > self._KEPT_PIXELS
        ):
            kept.popitem(last=False)


class _Interpreter:
    """One LiteRT interpreter, its tensors allocated for one shape."""

    def __init__(self, raw: Any, shape: tuple[int, ...]) -> None:
        self._raw = raw
        signature = raw.get_signature_runner()
        inputs = {name: (detail["index"], detail["shape"]) for name, detail in signature.get_input_details().items()}
        self._inputs = {name: index for name, (index, _) in inputs.items()}
        self._outputs = {name: detail["index"] for name, detail in signature.get_output_details().items()}
        del signature  # it holds tensors, which LiteRT does not resize while anybody does
        for name, (index, declared) in inputs.items():
            width = int(declared[-1])
            wanted = {"frames": shape, "mix": (shape[0], shape[0]), "margins": (4,)}.get(name, (shape[0], width))
            raw.resize_tensor_input(index, wanted)
        raw.allocate_tensors()

    def run(self, batch: Batch) -> Styled:
        inside = self._place(batch)
        values = {"modulation": batch.modulation, "given": batch.given, "mix": batch.mix, "carry": batch.carry}
        if batch.margins is not None:
            values["margins"] = np.asarray(batch.margins, np.int32)
        for name in values.keys() & self._inputs.keys():
            self._raw.set_tensor(self._inputs[name], values[name])
        self._raw.invoke()
        # The frames are cropped straight out of LiteRT's memory: at video rate a copy of the whole would show.
        frames = self._raw.tensor(self._outputs["frames"])()[:, *inside].copy()
        return Styled(frames, *(self._raw.get_tensor(self._outputs[name]) for name in ("used", "own")))

    def _place(self, batch: Batch) -> tuple[slice, slice]:
        """Put the frames, padded unless they are tiles, into LiteRT's memory; returns where in the output they are."""
        memory = self._raw.tensor(self._inputs["frames"])()
        if batch.margins is None:
            return pad(batch.frames, into=memory)[1]
        np.copyto(memory, batch.frames)
        return slice(None), slice(None)


def bytes_per_pixel(config: TrunkConfig) -> int:
    """Memory of the network for each pixel of a tile.

    Fitted to the peaks of LiteRT for four trunks, which it meets within 6 %; the live trunk's is 323.
    """
    return round(160 + 8 * config.head_width + 1.6 * config.width)


class PassthroughRuntime:
    """Gives back what it is given: to measure and test all that is around a network."""

    name = "passthrough"

    def __init__(self, seconds_a_megapixel: float = 0.0, batch_size: int = 1) -> None:
        """seconds_a_megapixel: how long it pretends to work."""
        self.batch_size = batch_size
        self._pace = seconds_a_megapixel / 1e6

    def run(self, batch: Batch) -> Styled:
        """The frames themselves, and the statistics that they brought."""
        pixels = batch.frames.size // 3
        if self._pace:
            time.sleep(self._pace * pixels)
        return Styled(batch.frames, batch.given, batch.given)

    def close(self) -> None:
        """Nothing is held."""
