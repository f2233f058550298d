"""Extent: how long a training is, in epochs, batches and steps."""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from typedcfg.errors import Problem, RunError
from typedcfg.runner.state import RunState
from typedcfg.sections.scaling import batch_size_equivalent, processes
from typedcfg.sections.trainer import Trainer


class LoaderShape(NamedTuple):
    """What a loader of all samples says of itself."""

    batch_size: int | None
    """Samples a batch; None where it does not tell."""
    batches: int | None
    """Batches an epoch, on one rank alone; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a training is.

    Example:
        >>> extent = Extent(Trainer(max_epochs=10, devices=2), LoaderShape(batch_size=100, batches=5))
        >>> extent.batch_size_equivalent, extent.total_steps, extent.trainable_steps
        (200, 30, 30)
    """

    trainer: Trainer
    loader: LoaderShape

    @property
    def batch_size(self) -> int:
        """Samples in a batch of one rank.

        Raises:
            RunError: The loader does not tell.
        """
        return _told(self.loader.batch_size, "how many samples a batch has")

    @property
    def batch_size_equivalent(self) -> int:
        """Samples in one optimizer step: of all batches, on all ranks."""
        return batch_size_equivalent(self.batch_size, self.trainer)

    @property
    def batches_per_epoch(self) -> int:
        """Batches of each rank in an epoch, as far as it is limited.

        Raises:
            RunError: The loader does not tell.
        """
        limit = self.trainer.limit_train_batches
        if isinstance(limit, int) and self.loader.batches is None:
            return limit
        each = ceil(_told(self.loader.batches, "how many batches an epoch has") / processes(self.trainer))
        return min(limit, each) if isinstance(limit, int) else int(each * limit)

    @property
    def trainable_steps(self) -> int:
        """Optimizer steps in all. Where samples end the training, so many if every batch is full."""
        trainer = self.trainer
        if trainer.max_steps is not None:
            return trainer.max_steps
        if trainer.max_samples is not None:
            return ceil(trainer.max_samples / self.batch_size_equivalent)
        # What is left at an epoch's end is a step of its own.
        return (trainer.max_epochs or 0) * ceil(self.batches_per_epoch / trainer.accumulate_grad_batches)

    @property
    def total_steps(self) -> int:
        """Batches of each rank in all."""
        if self.trainer.max_epochs is not None:
            return self.trainer.max_epochs * self.batches_per_epoch
        return self.trainable_steps * self.trainer.accumulate_grad_batches


def progress(state: RunState, trainer: Trainer) -> float:
    """How much of a training is behind it, from 0 to 1, of what ends it.

    Example:
        >>> progress(RunState(epochs=3, steps=120), Trainer(max_epochs=10))
        0.3
    """
    for done, end in (
        (state.epochs, trainer.max_epochs),
        (state.steps, trainer.max_steps),
        (state.samples or 0, trainer.max_samples),
    ):
        if end is not None:
            return min(1.0, done / end)
    return 0.0


def _told(number: int | None, what: str) -> int:
    if number is None:
        expected = "a DataLoader of a map-style dataset, with a batch_size"
        raise RunError(Problem(f"the loader does not tell {what}", expected=expected))
    return number
