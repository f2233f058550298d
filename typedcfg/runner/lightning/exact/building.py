"""Loaders that are built anew every few epochs: at a resume as they were built before it."""

from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.trainer.connectors.data_connector import _DataLoaderSource
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
