"""Loaders, built so that a resume finds them as they were."""

from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.trainer.connectors.data_connector import _DataLoaderSource
from lightning.pytorch.utilities.combined_loader import CombinedLoader
from torch.utils.data import DataLoader
from typing_extensions import override

from typedcfg.runner.lightning.loading.order import key
from typedcfg.runner.lightning.seeds import RandomStream
from typedcfg.runner.lightning.unseen import reload_interval_of


class ReproducedSource(_DataLoaderSource):
    """Where Lightning asks for loaders: built from random numbers of the epoch that they are built in.

    A resume finds that epoch where it was, whichever epoch it goes on in: `trainer.current_epoch` tells it while they
    are built. What training draws from is left as it was.
    """

    def __init__(self, trainer: Trainer, source: _DataLoaderSource, *, seed: int) -> None:
        """Stand in the place of `source`.

        Args:
            trainer: Whose epochs count.
            source: What gives the loaders.
            seed: What is drawn while they are built depends on it, beside the epoch; alike on all ranks.
        """
        super().__init__(source.instance, source.name)
        self.trainer = trainer
        self.seed = seed
        self.built_in: int | None = None
        """The epoch that loaders which are built now were built in, where that is not the present one."""

    @override
    def dataloader(self) -> Any:
        progress = self.trainer.fit_loop.epoch_progress.current
        present = progress.completed
        progress.completed = present if self.built_in is None else self.built_in
        self.built_in = None
        try:
            with RandomStream(key(self.seed, progress.completed)).drawn_from():
                return super().dataloader()
        finally:
            progress.completed = present


class ValidationSource(ReproducedSource):
    """Where Lightning asks for validation loaders: persistent workers begin without a draw from training's generators.

    They begin once: in a training that starts before its first step, in one that is resumed in the midst of it.
    """

    def __init__(self, trainer: Trainer, *, seed: int, rank: int) -> None:
        """Stand in the place of the source that `trainer` has.

        Args:
            trainer: One that knows by what it is validated.
            seed: As of any source.
            rank: What the workers begin with depends on it too.
        """
        self.loop = trainer.fit_loop.epoch_loop.val_loop
        super().__init__(trainer, self.loop._data_source, seed=seed)  # noqa: SLF001  # Lightning has no public word for it
        self.rank = rank

    @property
    def reloaded_in(self) -> int | None:
        """The epoch that the present loaders were built in; None where there are none, or others are due."""
        last = self.loop._last_val_dl_reload_epoch  # noqa: SLF001  # in no other place
        return int(last) if last >= 0 else None

    @reloaded_in.setter
    def reloaded_in(self, epoch: int | None) -> None:
        self.built_in = epoch
        if epoch is not None:
            self.loop._last_val_dl_reload_epoch = epoch  # noqa: SLF001  # as above

    @override
    def dataloader(self) -> Any:
        every = reload_interval_of(self.trainer)
        present = self.trainer.current_epoch
        if every and self.built_in is not None and present - self.built_in >= every:
            self.built_in = None
        # Lightning counts what is built after a resume as new, and not at all what it builds for a sanity check.
        if self.built_in is not None or not every:
            self.loop._last_val_dl_reload_epoch = present if self.built_in is None else self.built_in  # noqa: SLF001  # as above
        loaders = super().dataloader()
        combined = loaders if isinstance(loaders, CombinedLoader) else CombinedLoader(loaders, "sequential")
        for number, loader in enumerate(combined.flattened):
            if isinstance(loader, DataLoader) and loader.persistent_workers and loader.generator is None:
                loader.generator = torch.Generator().manual_seed(key(self.seed, self.rank, number))
        return loaders
