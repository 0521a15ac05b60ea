"""Two ways down: L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995; SciPy's), and Adam (Kingma and Ba 2015).

Both keep a picture in 0..255 and call `on_step` after every step; whatever that raises ends them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import scipy.optimize
from keras import ops
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Losses = dict[str, float]
Evaluate = Callable[[Float32], tuple[Losses, Float32]]  # a picture (H, W, 3) -> losses, and the gradient of `loss`
OnStep = Callable[[int, Float32, Losses], None]  # steps done, the picture, its losses
Descent = Callable[[Evaluate, Float32, int, OnStep], None]

BRIGHTEST = 255.0
MEMORY = 10  # steps that L-BFGS remembers the curvature of
ADAM_RATE, ADAM_LAST = 8.0, 0.1  # levels of 255 a step; what is left of that in the end


def lbfgs(evaluate: Evaluate, start: Float32, steps: int, on_step: OnStep) -> None:
    """At most `steps` steps from a picture (H, W, 3); fewer where no way leads further down."""
    done = 0

    def callback(intermediate_result: scipy.optimize.OptimizeResult) -> None:  # SciPy goes by the argument's name
        nonlocal done
        done += 1
        on_step(done, slope.picture(intermediate_result.x), slope.losses)

    slope = _Slope(evaluate, start.shape)
    scipy.optimize.minimize(
        slope,
        start.ravel().astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=scipy.optimize.Bounds(0.0, BRIGHTEST),
        callback=callback,
        # It is over when the steps are: neither a small gradient nor little progress says that a painting is done.
        options={"maxiter": steps, "maxfun": 100 * steps, "maxcor": MEMORY, "ftol": 0.0, "gtol": 0.0},
    )


class _Slope:
    """A loss as SciPy wants it: a function of a flat vector of float64.

    Between bounds the first step of L-BFGS-B is as long as the gradient, so the loss is multiplied until that is about
    one level of 255 a pixel, whatever the weights and the size of the picture. Later steps know the curvature.
    """

    def __init__(self, evaluate: Evaluate, shape: tuple[int, ...]) -> None:
        self._evaluate, self._shape = evaluate, shape
        self._scale: float | None = None
        self.losses: Losses = {}

    def __call__(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        self.losses, found = self._evaluate(self.picture(flat))
        gradient = found.ravel().astype(np.float64)
        if self._scale is None:
            self._scale = 1.0 / (float(np.sqrt(np.mean(gradient**2))) or 1.0)
        return self.losses["loss"] * self._scale, gradient * self._scale

    def picture(self, flat: NDArray[np.float64]) -> Float32:
        """The vector as a picture."""
        return flat.astype(np.float32).reshape(self._shape)


def adam(evaluate: Evaluate, start: Float32, steps: int, on_step: OnStep) -> None:
    """`steps` steps from a picture (H, W, 3), each shorter than the one before."""
    schedule = keras.optimizers.schedules.CosineDecay(ADAM_RATE, steps, alpha=ADAM_LAST)
    optimizer = keras.optimizers.Adam(schedule, beta_2=0.99)
    variable = keras.Variable(start.astype(np.float32))
    for step in range(1, steps + 1):
        losses, gradient = evaluate(_values(variable))
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        variable.assign(ops.clip(variable, 0.0, BRIGHTEST))
        on_step(step, _values(variable), losses)


def _values(variable: Any) -> Float32:
    return np.asarray(ops.convert_to_numpy(variable), np.float32)


DESCENTS: dict[str, Descent] = {"lbfgs": lbfgs, "adam": adam}
