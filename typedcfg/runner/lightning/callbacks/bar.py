"""Lightning's progress bar, with our words for an epoch, and which an error ends too."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.epoch_lines import planned_epochs
from typedcfg.runner.presentation import format_epoch


class Bar(TQDMProgressBar):
    """A progress bar that counts epochs as `EpochLines` does, and ends with the training.

    Lightning's counts them from 0, and would be drawn once more after an error was told.
    """

    @override
    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        """Begin the bar of an epoch."""
        super().on_train_epoch_start(trainer, *args)
        self.train_progress_bar.set_description(format_epoch(trainer.current_epoch + 1, planned_epochs(trainer)))

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the bars as they are."""
        for bar in (self._train_progress_bar, self._val_progress_bar, self._test_progress_bar):
            if bar is not None:
                bar.close()
