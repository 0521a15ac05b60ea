"""3x3 convolutions with a quarter of the multiplications, for the frozen VGG on processors.

Winograd's minimal filtering F(4x4, 3x3), as in Lavin and Gray 2016 (https://arxiv.org/abs/1509.09308): tiles of 6x6
pixels that overlap by two give 4x4 outputs each, by 36 products a pair of channels where the sum has 144. Both changes
of basis are matrix products as well, so all of it runs at the speed of matrix products.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

STEP, TILE = 4, 6  # pixels from one tile to the next, and that a tile reads
# Below so many pairs of channels the changes of basis cost more than they save: measured on AVX-512, with TensorFlow.
WORTHWHILE = 64 * 128
TILES_AT_ONCE = 4096  # of each picture: tiles take more memory than the frame that they are cut from
_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_KERNEL = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
_OUTPUT = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
# Over both axes at once: of the 36 pixels of a tile, and of the 36 sums of products.
_INPUT_2D, _OUTPUT_2D = (np.kron(basis, basis).astype(np.float32) for basis in (_INPUT, _OUTPUT))


class FrozenConvolution:
    """A 3x3 convolution with stride 1 and zero padding whose kernel does not learn."""

    def __init__(self, kernel: NDArray[np.float32]) -> None:
        """kernel (3, 3, channels in, channels out)."""
        self._forward = _in_basis(kernel)
        self._backward = _in_basis(np.flip(kernel, (0, 1)).swapaxes(2, 3))

        # Derived by hand: the gradient of cutting out tiles would add up 36 copies of the frame.
        @ops.custom_gradient
        def convolve(x: Any) -> Any:
            def gradient(*arguments: Any, upstream: Any = None) -> Any:
                return _convolve(arguments[0] if upstream is None else upstream, self._backward)

            return _convolve(x, self._forward), gradient

        self._convolve = convolve

    def __call__(self, x: Any) -> Any:
        """(B, H, W, channels in) -> (B, H, W, channels out), float32; H and W must be known."""
        return self._convolve(x)


def _in_basis(kernel: NDArray[np.float32]) -> Any:
    """A kernel (3, 3, C, O) as (36, C, O)."""
    wide = np.einsum("ai,bj,ijco->abco", _KERNEL, _KERNEL, kernel)
    return ops.convert_to_tensor(wide.reshape(TILE * TILE, *kernel.shape[2:]).astype(np.float32))


def _convolve(x: Any, kernel: Any) -> Any:
    """x (B, H, W, C), kernel (36, C, O)."""
    height, width = x.shape[1:3]
    down, right = -(-height // STEP), -(-width // STEP)  # tiles
    ends = [(1, STEP * (tiles + 1) - 1 - size) for tiles, size in ((down, height), (right, width))]
    padded = ops.pad(x, ((0, 0), *ends, (0, 0)))
    rows = max(1, TILES_AT_ONCE // right)
    bands = [_band(padded[:, STEP * top : STEP * (min(top + rows, down) + 1)], kernel) for top in range(0, down, rows)]
    whole = bands[0] if len(bands) == 1 else ops.concatenate(bands, axis=1)
    return whole[:, :height, :width]


def _band(padded: Any, kernel: Any) -> Any:
    """Rows of tiles: (B, 4 h + 4, 4 w + 4, C) -> (B, 4 h, 4 w, O)."""
    channels, outputs = kernel.shape[1:]
    down, right = padded.shape[1] // STEP - 1, padded.shape[2] // STEP - 1
    # Each tile is one of these squares, and the nearest two rows and columns of those below and to the right.
    squares = ops.reshape(padded, (-1, down + 1, STEP, right + 1, STEP, channels))
    tiles = [
        squares[:, i // STEP : i // STEP + down, i % STEP, j // STEP : j // STEP + right, j % STEP]
        for i in range(TILE)
        for j in range(TILE)
    ]
    changed = ops.matmul(_INPUT_2D, ops.reshape(ops.stack(tiles), (TILE * TILE, -1)))
    products = ops.matmul(ops.reshape(changed, (TILE * TILE, -1, channels)), kernel)
    back = ops.matmul(_OUTPUT_2D, ops.reshape(products, (TILE * TILE, -1)))
    blocks = ops.transpose(ops.reshape(back, (STEP, STEP, -1, down, right, outputs)), (2, 3, 0, 4, 1, 5))
    return ops.reshape(blocks, (-1, down * STEP, right * STEP, outputs))
