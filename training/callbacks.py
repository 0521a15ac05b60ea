"""What happens at the end of a step: fit tells of batches, of which `accumulate` make one step."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from training.train import Trainer


class StepCallback(keras.callbacks.Callback):
    """A callback of a Trainer that is called once a step. Under JAX, `synchronise` before looking at variables."""

    model: Trainer

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Remember where the run goes on."""
        self._begun = self.model.batches_done

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Count."""
        step, rest = divmod(self._begun + batch + 1, self.model.recipe.accumulate)
        if rest == 0:
            self.on_step_end(step, logs or {})

    def on_step_end(self, step: int, losses: Mapping[str, float]) -> None:
        """`step` updates of the weights are done; `losses` are means over the last few."""
        raise NotImplementedError
