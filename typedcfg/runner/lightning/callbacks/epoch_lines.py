"""Progress as plain lines, for when no person watches: a log file, a cluster."""

import sys
from typing import Final, Protocol

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from typing_extensions import override

from typedcfg.records.result_record import is_best
from typedcfg.runner.lightning.callbacks.last_word import AfterAll
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.early_end import why_ended_early
from typedcfg.runner.presentation import format_epoch_result

_UNLIMITED: Final = -1
"""What Lightning calls no limit."""


def planned_epochs(trainer: Trainer) -> int | None:
    """How many epochs there will be; None where something else ends the training."""
    return None if trainer.max_epochs == _UNLIMITED else trainer.max_epochs


class LineStream(Protocol):
    """What lines are printed to: standard output, or a log."""

    def write(self, text: str, /) -> object:
        """Add text."""
        ...

    def flush(self) -> object:
        """Let nobody wait for it."""
        ...


class EpochLines(AfterAll):
    """Prints one line an epoch: `epoch 3/10  step 120  train/loss 0.5123  val/loss 0.4987  best`.

    And one more where something told the training to stop before its end: `stopped early: EarlyStopping: ...`.

    Example:
        `Trainer(callbacks=[recorder, EpochLines(recorder)], enable_progress_bar=False)`
    """

    def __init__(self, recorder: Recorder, *, stream: LineStream | None = None) -> None:
        """Print what `recorder` records, to standard output, above a progress bar, or to another stream."""
        self.recorder = recorder
        self.stream = stream

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's line; rank 0 alone does."""
        self.recorder.record(trainer)
        result = self.recorder.results.get(self.recorder.state.epochs)
        if result is not None:
            best = is_best(self.recorder.results, self.recorder.rule)
            line = format_epoch_result(result, planned_epochs(trainer), is_best=best)
            self._print(line, trainer.progress_bar_callback)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say it where the training ends before the end that was planned."""
        why = why_ended_early(trainer)
        if why and trainer.is_global_zero:
            self._print(f"stopped early: {why}")  # bars are closed, and would print nothing

    def _print(self, line: str, bar: ProgressBar | None = None) -> None:
        if self.stream is None and bar is not None:
            bar.print(line)  # which would write over what others print
        else:
            print(line, file=self.stream or sys.stdout, flush=True)
