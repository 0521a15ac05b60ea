"""Copies of frames, sample plane by sample plane."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray


def has_halved_chroma(frame: VideoFrame) -> bool:
    """Whether pixels share chroma samples that lie in planes of their own (4:2:0, 4:2:2, 4:1:1 ...)."""
    form = frame.format
    if form.is_rgb or not form.is_planar or len(form.components) < 3:
        return False
    return form.chroma_width(2) < 2 or form.chroma_height(2) < 2


def copied(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """A frame of planes of its own, cut to `width` x `height` or grown by repeating the last row and column.

    It has the matrix and the range of the original, but says nothing of where between the pixels chroma samples lie.
    """
    copy = VideoFrame(width, height, frame.format.name)
    for number in range(len(frame.planes)):
        _copy(samples_of(frame, number), samples_of(copy, number))
    copy.colorspace, copy.color_range = int(frame.colorspace), int(frame.color_range)
    return copy


def samples_of(frame: VideoFrame, number: int) -> NDArray[np.generic]:
    """One plane as rows of samples, a view of the frame's memory."""
    plane, components = frame.planes[number], frame.format.components
    sample = np.dtype(np.uint16 if components[0].bits > 8 else np.uint8)
    interleaved = sum(component.plane == number for component in components)  # 2 in the second plane of NV12
    memory: NDArray[np.generic] = np.frombuffer(memoryview(plane), sample)
    rows = memory.reshape(-1, abs(plane.line_size) // sample.itemsize)[: plane.height, : plane.width * interleaved]
    return rows if plane.line_size > 0 else rows[::-1]


def _copy(source: NDArray[np.generic], target: NDArray[np.generic]) -> None:
    height, width = (min(ours, theirs) for ours, theirs in zip(source.shape, target.shape, strict=True))
    target[:height, :width] = source[:height, :width]
    if target.shape[0] > height:
        target[height:, :width] = target[height - 1, :width]
    if target.shape[1] > width:
        target[:, width:] = target[:, width - 1 : width]
