"""Progress as plain lines, for when no person watches: a log file, a cluster."""

import sys
from typing import Protocol

from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.records.result_record import Result, is_best
from typedcfg.runner.lightning.callbacks.last_word import LastWord
from typedcfg.runner.lightning.callbacks.recorder import Recorder


class LineStream(Protocol):
    """What lines are printed to: standard output, or a log."""

    def write(self, text: str, /) -> object:
        """Add text."""
        ...

    def flush(self) -> object:
        """Let nobody wait for it."""
        ...


class EpochLines(LastWord):
    """Prints one line an epoch: `epoch 3/10  step 120  train/loss 0.5123  val/loss 0.4987  best`.

    Example:
        `Trainer(callbacks=[recorder, EpochLines(recorder)], enable_progress_bar=False)`
    """

    def __init__(self, recorder: Recorder, *, stream: LineStream | None = None) -> None:
        """Print what `recorder` records, to standard output or another stream."""
        self.recorder = recorder
        self.stream = stream

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's line; rank 0 alone does."""
        self.recorder.record(trainer)
        result = self.recorder.results.get(self.recorder.state.epochs)
        if result is not None:
            line = format_line(result, trainer.max_epochs, best=is_best(self.recorder.results, self.recorder.rule))
            print(line, file=self.stream or sys.stdout, flush=True)


def format_line(result: Result, max_epochs: int | None, *, best: bool) -> str:
    """One epoch's line: training first, and the other splits by name, in whatever order they were measured.

    Example:
        >>> result = Result(epoch=3, step=120, splits={"val": {"loss": 0.49871}, "train": {"loss": 0.51229}})
        >>> format_line(result, 10, best=True)
        'epoch 3/10  step 120  train/loss 0.5123  val/loss 0.4987  best'
    """
    total = f"/{max_epochs}" if max_epochs and max_epochs > 0 else ""
    splits = sorted(result.splits, key=lambda split: (split != "train", split))
    metrics = [f"{split}/{name} {value:.4g}" for split in splits for name, value in result.splits[split].items()]
    return "  ".join([f"epoch {result.epoch}{total}", f"step {result.step}", *metrics, *(["best"] if best else [])])
