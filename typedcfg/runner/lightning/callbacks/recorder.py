"""Record what each epoch measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypedDict

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from typing_extensions import override

from typedcfg.records.result_record import BY_LOSS, Result, ResultHeader, ResultLog, Results, ScoreRule
from typedcfg.runner.lightning.callbacks.last_word import LastWord
from typedcfg.runner.lightning.means import Means, Totals, joined, mean_of, returned_metrics
from typedcfg.runner.lightning.metrics import FreshMetrics, batch_length, by_split, reduce_logged
from typedcfg.runner.lightning.ranks import gathered
from typedcfg.runner.run_dir import AttemptDir
from typedcfg.runner.state import RunState
from typedcfg.storage import make_folder

_KEY: Final = "typedcfg_recorder"


class _Running(TypedDict):
    """What is known of an epoch that has not ended."""

    samples: int | None
    """Training samples seen, on all ranks together, in all epochs."""
    pending: dict[str, dict[str, float]]
    unseen: list[str]
    """The names of metrics that were logged, and not looked at yet."""
    returned: list[Totals]
    """What training steps returned, on each rank."""


class Recorder(LastWord):
    """Appends one result to `results.jsonl` when an epoch ends, and when a test does.

    Metrics are those that the module logs with `self.log`, by split: see `metrics.by_split`. A metric logged per step
    alone enters with its last value. A step may instead return them beside its loss, `{"loss": loss, "metrics":
    {"accuracy": accuracy}}`: then they enter with their mean over the epoch and all ranks, each batch weighted by its
    samples, and cost a step a few microseconds. Rank 0 writes; the sanity check before training is no result.

    Example:
        `Trainer(callbacks=[Recorder("runs/first")])`
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        rule: ScoreRule = BY_LOSS,
        header: ResultHeader | None = None,
        guard: Callable[[], None] | None = None,
    ) -> None:
        """Record into a folder.

        Args:
            folder: The attempt's folder; `results.jsonl` and its kin are written there.
            rule: By what epochs are compared.
            header: Whose results they are; by default the folder's name says.
            guard: Is called before results are recorded; raises where this process may not do so any more.
        """
        self.attempt = AttemptDir(Path(folder))
        self.rule = rule
        self.header = header or ResultHeader(self.attempt.path.name)
        self.guard = guard or (lambda: None)
        self.state = RunState()
        self._log: ResultLog | None = None
        self._fresh = FreshMetrics()
        self._pending: dict[str, dict[str, float]] = {}
        self._samples: int | None = 0
        self._returned = Means()
        self._evaluated = Means()
        self._loaded: _Running | None = None

    @property
    def results(self) -> Results:
        """All results by epoch; on rank 0, where they are written."""
        return self._log.results if self._log else {}

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Open the results."""
        if trainer.is_global_zero:
            self.guard()
            make_folder(self.attempt.path)
            self._log = ResultLog(self.attempt.result_files, self.header, self.rule, guard=self.guard)
        self._fresh = FreshMetrics()
        self._returned, self._evaluated = Means(), Means()
        self._loaded = None

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Close the results; they stay readable."""
        self._close()

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the results: Lightning tears nothing down after an error."""
        self._close()

    @override
    def state_dict(self) -> dict[str, Any]:
        """How far the training has come."""
        return asdict(self.state)

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from how far it had come."""
        self.state = RunState(**state_dict)

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep what is known of the running epoch; all ranks are here, and count together."""
        running: _Running = {
            "samples": self.samples_so_far(trainer),
            "pending": self._pending,
            "unseen": self._fresh.unseen(trainer),
            "returned": gathered(self._returned.totals(), trainer.world_size),
        }
        checkpoint[_KEY] = running

    @override
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep what was known of the epoch until training starts."""
        self._loaded = checkpoint.get(_KEY)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on within the epoch that was saved."""
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            return
        self._pending = loaded["pending"]
        self._fresh.see(trainer, but=loaded["unseen"])
        self._returned = Means(_part_of(loaded["returned"], trainer))
        if loaded["samples"] is None or self.state.samples is None:
            self._samples = None
        else:  # counted together, so it is rank 0's to have them
            self._samples = loaded["samples"] - self.state.samples if trainer.is_global_zero else 0

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the samples, and keep what the step returned."""
        length = batch_length(batch)
        self._samples = None if length is None or self._samples is None else self._samples + length
        if metrics := returned_metrics(outputs):
            self._returned.add(metrics, _weight(length))

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
        """Keep what the step returned, named as Lightning names what is logged for one of several loaders."""
        if metrics := returned_metrics(outputs):
            loaders = trainer.num_sanity_val_batches if trainer.sanity_checking else trainer.num_val_batches
            self._evaluated.add(_of_loader(metrics, dataloader_idx, loaders), _weight(batch_length(batch)))

    @override
    def on_test_batch_end(  # as above
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep what the step returned, as in a validation."""
        if metrics := returned_metrics(outputs):
            metrics = _of_loader(metrics, dataloader_idx, trainer.num_test_batches)
            self._evaluated.add(metrics, _weight(batch_length(batch)))

    @override
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show what validation steps returned, before those ask who stop a training by it or change its rate."""
        _show(self._evaluated, trainer, "val")
        self._evaluated = Means()

    @override
    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show what test steps returned."""
        _show(self._evaluated, trainer, "test")
        self._evaluated = Means()

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep apart what was logged until here."""
        self._keep(trainer, "train")

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep what the validation logged, until the epoch ends; record it at once where there is no epoch."""
        self._keep(trainer, "val")
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._append()

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget what the sanity check logged."""
        self._pending = {}

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the epoch."""
        self.record(trainer)

    @override
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the test, as a part of the epoch whose weights were tested."""
        self._pending = {}
        self._keep(trainer, "test")
        self._append()

    def record(self, trainer: Trainer) -> None:
        """Record the epoch that ends, if that was not done yet: whoever builds on the results may ask first."""
        epochs = trainer.current_epoch + 1  # Lightning's is still the number of the one that ends, from 0
        if epochs == self.state.epochs:
            return
        reduce_logged(trainer)
        _show(self._returned, trainer, "train")
        self._returned = Means()
        self._keep(trainer, "train")
        self.state = RunState(epochs=epochs, steps=trainer.global_step, samples=self.samples_so_far(trainer))
        self._samples = 0
        self._append()

    def samples_so_far(self, trainer: Trainer) -> int | None:
        """Training samples seen, on all ranks together, which must all ask; None where batches tell no length."""
        unknown = -1
        counted = torch.tensor(unknown if self._samples is None else self._samples, device=trainer.strategy.root_device)
        least = int(trainer.strategy.reduce(counted.clone(), reduce_op="min"))
        total = int(trainer.strategy.reduce(counted, reduce_op="sum"))
        return None if least == unknown or self.state.samples is None else self.state.samples + total

    def _close(self) -> None:
        if self._log:
            self._log.close()

    def _keep(self, trainer: Trainer, stage: str) -> None:
        for split, metrics in by_split(self._fresh.take(trainer), stage).items():
            self._pending.setdefault(split, {}).update(metrics)

    def _append(self) -> None:
        if self._log:
            state = self.state
            self._log.append(Result(epoch=state.epochs, step=state.steps, samples=state.samples, splits=self._pending))
        self._pending = {}


def _show(means: Means, trainer: Trainer, stage: str) -> None:
    """Put means among what was logged, by the names they were returned and are recorded under; all ranks are here."""
    found = mean_of(gathered(means.totals(), trainer.world_size))
    recorded = {
        f"{split}/{name}": mean for split, some in by_split(found, stage).items() for name, mean in some.items()
    }
    for name, mean in (found | recorded).items():
        trainer.callback_metrics[name] = torch.tensor(mean)


def _weight(length: int | None) -> int:
    """How much a batch counts: by its samples, or where they cannot be counted each as much as the other."""
    return 1 if length is None else length


def _of_loader(
    metrics: Mapping[str, Tensor | float], number: int, batches: Sequence[float]
) -> Mapping[str, Tensor | float]:
    """Metrics of one loader, by names that tell it from others."""
    return metrics if len(batches) == 1 else {f"{name}/dataloader_idx_{number}": one for name, one in metrics.items()}


def _part_of(of_ranks: Sequence[Totals], trainer: Trainer) -> Totals:
    """What this rank goes on from: its own, or where there are other ranks now, all of it on the first of them."""
    if len(of_ranks) == trainer.world_size:
        return of_ranks[trainer.global_rank]
    return joined(of_ranks) if trainer.is_global_zero else {}
