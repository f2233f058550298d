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


class ReproducedSource(_DataLoaderSource):
    """Where Lightning asks for the training loaders: built from random numbers of the epoch that they are built in.

    A resume finds that epoch where it was, whichever epoch it goes on in: `trainer.current_epoch` tells it while they
    are built.
    """

    def __init__(self, trainer: Trainer, *, seed: int) -> None:
        """Stand in the place of the source that `trainer` has.

        Args:
            trainer: One that knows by what its loaders are built.
            seed: What is drawn while they are built depends on it, beside the epoch; alike on all ranks.
        """
        source = trainer.fit_loop._data_source  # noqa: SLF001  # Lightning has no public word for it
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


class UndisturbingSource(_DataLoaderSource):
    """Where Lightning asks for validation loaders: persistent workers begin without a draw from training's generators.

    They begin once: in a training that starts before its first step, in one that is resumed in the midst of it.
    """

    def __init__(self, source: _DataLoaderSource, *, seed: int) -> None:
        """Stand in the place of `source`.

        Args:
            source: What gives the loaders.
            seed: What the workers begin with.
        """
        super().__init__(source.instance, source.name)
        self.seed = seed

    @override
    def dataloader(self) -> Any:
        loaders = super().dataloader()
        combined = loaders if isinstance(loaders, CombinedLoader) else CombinedLoader(loaders, "sequential")
        for number, loader in enumerate(combined.flattened):
            if isinstance(loader, DataLoader) and loader.persistent_workers and loader.generator is None:
                loader.generator = torch.Generator().manual_seed(key(self.seed, number))
        return loaders
