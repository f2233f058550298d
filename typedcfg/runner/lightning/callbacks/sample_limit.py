"""End a training by the samples that it saw."""

from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.errors import Problem, RunError
from typedcfg.runner.lightning.callbacks.listener import Listener
from typedcfg.runner.lightning.metrics import batch_length


class SampleLimit(Listener):
    """Ends the training with the step in which all ranks together have seen so many samples.

    Samples are counted batch by batch, as they come: a last batch that is short counts as what it is. Ranks agree
    once a step, so that none goes on alone.

    Example:
        `Trainer(max_epochs=-1, callbacks=[SampleLimit(1_000_000)])`
    """

    def __init__(self, samples: int) -> None:
        """End after so many."""
        self.limit = samples
        self.seen = 0
        """Samples on all ranks together, of whole steps; travels in checkpoints."""
        self._of_this_step = 0
        self._step = 0

    @override
    def state_dict(self) -> dict[str, Any]:
        """The samples seen."""
        return {"seen": self.seen}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.seen = state_dict["seen"]

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End at once what had reached its end when it was saved."""
        self._step, self._of_this_step = trainer.global_step, 0
        self._look(trainer)

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch, and look whether its step was the last."""
        length = batch_length(batch)
        if length is None:
            what = "trainer.max_samples ends the training, and a batch does not tell how many samples it holds"
            raise RunError(Problem(what, expected="a batch with a tensor in it", fix="set trainer.max_steps instead"))
        self._of_this_step += length
        if trainer.global_step > self._step:  # else gradients are still being accumulated
            self._step = trainer.global_step
            counted = torch.tensor(self._of_this_step, device=trainer.strategy.root_device)
            self.seen += int(trainer.strategy.reduce(counted, reduce_op="sum"))
            self._of_this_step = 0
            self._look(trainer)

    def _look(self, trainer: Trainer) -> None:
        if self.seen >= self.limit:
            trainer.should_stop = True
