"""What a trainer of Lightning's has and type checkers do not see: a connector set it, or a base class declares it."""

from typing import cast

from lightning.pytorch import Callback, LightningDataModule, Trainer
from lightning.pytorch.loops.progress import _BatchProgress, _ProcessedTracker, _Progress


def callbacks_of(trainer: Trainer) -> list[Callback]:
    """Its callbacks, in the order in which they are called."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
    return callbacks


def data_module_of(trainer: Trainer) -> LightningDataModule | None:
    """The data module that it was given; None where it was given loaders."""
    module: LightningDataModule | None = trainer.datamodule  # type: ignore[attr-defined]  # set by a connector
    return module


def reload_interval_of(trainer: Trainer) -> int:
    """After how many epochs it builds loaders anew [epochs]; 0 where it never does."""
    interval: int = trainer.reload_dataloaders_every_n_epochs  # type: ignore[attr-defined]  # set by a connector
    return interval


def current_of(progress: _Progress | _BatchProgress) -> _ProcessedTracker:
    """How far the epochs of a loop are, or the batches of the epoch that runs."""
    return cast("_ProcessedTracker", progress.current)  # declared as its base class
