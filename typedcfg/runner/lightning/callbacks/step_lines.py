"""Progress within long epochs, as plain lines."""

import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.runner.lightning.callbacks.after_batch import AfterBatch
from typedcfg.runner.lightning.callbacks.epoch_lines import LineStream
from typedcfg.runner.lightning.means import loss_of, returned_metrics
from typedcfg.runner.lightning.metrics import FreshMetrics
from typedcfg.runner.presentation import format_step_result, log_interval_of


class StepLines(AfterBatch):
    """Prints a line every so many batches: `train 30/100  train/loss 0.5123`; rank 0 alone does.

    It shows what the module logs per training step, else the metrics or the loss that the step returned; of a
    validation how far it is, `val 30/50`. Between two lines nothing is looked at, so that a device is waited for no
    more often than there are lines.

    Example:
        `Trainer(callbacks=[StepLines(interval=100)], enable_progress_bar=False)`
    """

    def __init__(self, *, interval: int | None = None, stream: LineStream | None = None) -> None:
        """Print to standard output or another stream.

        Args:
            interval: Batches from one line to the next; by default ten lines in the longest split, if it is long.
            stream: Where to.
        """
        self.interval = interval
        self.stream = stream
        self._due: int | None = None
        self._fresh = FreshMetrics()

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """See how long the splits are, and leave what the epoch before measured to its own line."""
        self._fresh.take(trainer)
        lengths = {"train": _length(trainer.num_training_batches)}
        lengths |= {f"val {place}": _length(length) for place, length in enumerate(_each(trainer.num_val_batches))}
        self._due = log_interval_of(lengths, self.interval) if trainer.is_global_zero else None

    @override
    def after_batch(self, trainer: Trainer, outputs: Any, batch_idx: int) -> None:
        """Print a line, if one is due."""
        if self._due and (batch_idx + 1) % self._due == 0:
            metrics = self._fresh.take(trainer) or _measured(outputs)
            self._print("train", batch_idx, _length(trainer.num_training_batches), metrics)

    @override
    def on_validation_batch_end(  # the signature is Lightning's
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Print a line, if one is due; a validation's metrics are known at its end."""
        if self._due and not trainer.sanity_checking and (batch_idx + 1) % self._due == 0:
            self._print("val", batch_idx, _length(_each(trainer.num_val_batches)[dataloader_idx]), {})

    def _print(self, split: str, batch_idx: int, batches: int | None, metrics: Mapping[str, float]) -> None:
        line = format_step_result(split, batch_idx + 1, batches, metrics)
        print(line, file=self.stream or sys.stdout, flush=True)


def _measured(outputs: Any) -> dict[str, float]:
    """What the step returned: its metrics, else its loss."""
    if metrics := returned_metrics(outputs):
        return {name: float(value) for name, value in metrics.items()}
    loss = loss_of(outputs)
    return {} if loss is None or loss.numel() != 1 else {"loss": float(loss)}


def _each(lengths: float | Sequence[float]) -> Sequence[float]:
    return lengths if isinstance(lengths, Sequence) else [lengths]


def _length(batches: float) -> int | None:
    """Lightning's number of batches, which is infinite where nothing tells it."""
    return int(batches) if isfinite(batches) else None
