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
    length: int | None
    """Samples an epoch, on one rank alone; batches where it does not tell their size; None where it tells nothing."""
    drop_last: bool = False
    """Whether a last batch that is short is left out."""

    def batches(self, ranks: int) -> int | None:
        """Batches of each rank in an epoch, whose samples are dealt out evenly; None where it does not tell.

        Example:
            >>> [LoaderShape(5, 16, drop_last=drops).batches(2) for drops in (True, False)]
            [1, 2]
        """
        if self.length is None:
            return None
        each, size = ceil(self.length / ranks), self.batch_size or 1
        return each // size if self.drop_last else ceil(each / size)


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a training is.

    Example:
        >>> extent = Extent(Trainer(max_epochs=10, devices=2), LoaderShape(batch_size=100, length=500))
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
        limit, each = self.trainer.limit_train_batches, self.loader.batches(processes(self.trainer))
        if isinstance(limit, int):
            return limit if each is None else min(limit, each)
        return int(_told(each, "how many batches an epoch has") * limit)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch; what is left at its end is a step of its own."""
        return ceil(self.batches_per_epoch / self.trainer.accumulate_grad_batches)

    @property
    def trainable_steps(self) -> int:
        """Optimizer steps in all. Where samples end the training, so many if every batch is full."""
        trainer = self.trainer
        if trainer.max_steps is not None:
            return trainer.max_steps
        if trainer.max_samples is not None:
            return ceil(trainer.max_samples / self.batch_size_equivalent)
        return (trainer.max_epochs or 0) * self.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """Batches of each rank in all."""
        if self.trainer.max_epochs is not None:
            return self.trainer.max_epochs * self.batches_per_epoch
        return self.batches_of(self.trainable_steps)

    def batches_of(self, steps: int) -> int:
        """Batches of each rank in the first so many optimizer steps.

        Example:
            >>> extent = Extent(Trainer(accumulate_grad_batches=2), LoaderShape(batch_size=8, length=100))
            >>> extent.batches_per_epoch, extent.batches_of(7), extent.batches_of(20)
            (13, 13, 38)
        """
        gathered = self.trainer.accumulate_grad_batches
        if gathered == 1:  # no epoch's end makes a difference, nor need the loader tell where one is
            return steps
        epochs, rest = divmod(steps, self.steps_per_epoch or 1)
        return epochs * self.batches_per_epoch + rest * gathered


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
