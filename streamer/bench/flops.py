"""How much arithmetic a frame is, from the architecture alone."""

from __future__ import annotations

from streamer.trunk import TrunkConfig

FLOP_PER_MAC = 2
SUBPIXELS = 12  # channels of an RGB frame at half resolution


def convolution_macs(config: TrunkConfig, height: int, width: int) -> int:
    """Multiply-adds of all convolutions for one unpadded frame, the fixed blur at the end included.

    Normalisation, activations and resampling are not counted. height and width: multiples of `geometry.STRIDE`.
    """
    half, quarter, eighth = (height * width // step**2 for step in (2, 4, 8))
    w, d, h = config.width, config.deep_width, config.head_width
    macs = quarter * 4 * 4 * SUBPIXELS * w  # stem
    macs += eighth * 9 * w * d  # down
    macs += eighth * 9 * d * config.deep_inside * 2 * len(config.deep_dilations)
    macs += eighth * d * w  # up
    macs += quarter * 2 * w * w  # fuse
    macs += quarter * 9 * w * config.inside * 2 * config.blocks
    macs += quarter * w * h  # rise
    macs += half * 9 * (h + SUBPIXELS) * h  # head
    macs += half * 9 * h * SUBPIXELS  # paint
    return macs + blur_macs(height, width)


def blur_macs(height: int, width: int) -> int:
    """Multiply-adds of the fixed blur at the end, a dense convolution of the sub-pixels."""
    return height * width // 4 * 9 * SUBPIXELS * SUBPIXELS


def activation_values(config: TrunkConfig, height: int, width: int) -> int:
    """Numbers that the convolutions of one unpadded frame read and write when each reads its input and writes its
    output once, everything in between (normalisation, activation, resampling) being done on the way: the least.
    """
    half, quarter, eighth = (height * width // step**2 for step in (2, 4, 8))
    w, d, h = config.width, config.deep_width, config.head_width
    values = half * SUBPIXELS + quarter * w  # stem
    values += quarter * w + eighth * d  # down
    # Of each block: two convolutions, and the sum reads its input.
    values += eighth * (3 * d + 2 * config.deep_inside) * len(config.deep_dilations)
    values += eighth * (d + w)  # up
    values += quarter * 3 * w  # fuse
    values += quarter * (3 * w + 2 * config.inside) * config.blocks
    values += quarter * (w + h)  # rise
    values += half * (h + SUBPIXELS + h)  # head
    return values + half * (h + SUBPIXELS) + half * 2 * SUBPIXELS  # paint, blur
