"""Decide which checkpoints there are."""

import warnings
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import Manifest, Verified, newest_verified, read_manifest
from typedcfg.records.result_record import best_index, explain_unscored, is_best
from typedcfg.records.storage import link_atomically, sweep
from typedcfg.runner.lightning.callbacks.last_word import LastWord
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.run_dir import CheckpointDir

_NEWEST_KEPT = 2
"""The last, and one before it: to fall back on when a disk has damaged the last."""


class CheckpointPolicy(LastWord):
    """Writes a checkpoint at the end of each epoch, and keeps the newest, the best, and one every so many epochs.

    Each is written as `step-00001200.ckpt`; `latest.ckpt`, `best.ckpt` and `epoch-10.ckpt` are further names of such
    files, for people. What is best, and what to keep, is read from the results and the manifests, never remembered:
    it is the same after a resume.

    Example:
        `Trainer(callbacks=[recorder, CheckpointPolicy(recorder)], plugins=[VerifiedCheckpointIO()])`
    """

    def __init__(self, recorder: Recorder, *, save_interval: int | None = None) -> None:
        """Write beside the results of `recorder`.

        Args:
            recorder: Knows the scores; one of the same trainer's callbacks.
            save_interval: Keep the checkpoint of every so many epochs, as `epoch-10.ckpt` [epochs]; None keeps none.
        """
        if save_interval is not None and save_interval < 1:
            raise MisconfigurationException(f"save_interval must be at least 1 epoch, or None: got {save_interval}")
        self.recorder = recorder
        self.save_interval = save_interval
        self._has_warned = False

    @property
    def checkpoints(self) -> CheckpointDir:
        """Where the checkpoints are written."""
        return self.recorder.attempt.checkpoints

    @property
    def best_model_path(self) -> str:
        """The best checkpoint, which Lightning's `ckpt_path="best"` stands for; empty where there is none."""
        return str(self.checkpoints.best) if self.checkpoints.best.exists() else ""

    def find_resumable(self) -> Verified | None:
        """Where to resume from; None where nothing was saved yet.

        Raises:
            RecordError: There are checkpoints, and not one of them is whole.
        """
        return newest_verified([self.checkpoints.path])

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check that what this builds on is there.

        Raises:
            MisconfigurationException: The trainer lacks the recorder or the plugin.
        """
        if self.recorder not in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector, unseen by mypy
            raise MisconfigurationException("CheckpointPolicy needs its Recorder among the trainer's callbacks")
        if not isinstance(trainer.strategy.checkpoint_io, VerifiedCheckpointIO):
            raise MisconfigurationException("CheckpointPolicy needs Trainer(plugins=[VerifiedCheckpointIO()])")
        if trainer.is_global_zero:
            self.checkpoints.path.mkdir(parents=True, exist_ok=True)
            sweep(self.checkpoints.path)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write this epoch's checkpoint, name it, and remove those that nobody needs any more."""
        self.recorder.record(trainer)
        path = self.checkpoints.step(trainer.global_step)
        trainer.save_checkpoint(path, weights_only=False)
        if not trainer.is_global_zero:
            return
        # In this order: whatever the moment of a kill, the names that exist are whole, and no removed file has one.
        link_atomically(path, self.checkpoints.latest)
        if is_best(self.recorder.results, self.recorder.rule):
            link_atomically(path, self.checkpoints.best)
        if self._is_kept_epoch(self.recorder.state.epochs):
            link_atomically(path, self.checkpoints.epoch(self.recorder.state.epochs))
        self._prune(trainer)
        self._warn_unscored()

    def _is_kept_epoch(self, epochs: int) -> bool:
        return self.save_interval is not None and epochs % self.save_interval == 0

    def _prune(self, trainer: Trainer) -> None:
        best = best_index(self.recorder.results, self.recorder.rule)
        committed = {path: _manifest(path) for path in self.checkpoints.steps()}
        newest = sorted((manifest.step for manifest in committed.values() if manifest), reverse=True)[:_NEWEST_KEPT]
        for path, manifest in committed.items():
            is_kept = manifest is not None and (
                manifest.step in newest or manifest.epoch == best or self._is_kept_epoch(manifest.epoch)
            )
            if not is_kept:
                trainer.strategy.remove_checkpoint(path)

    def _warn_unscored(self) -> None:
        problem = explain_unscored(self.recorder.results, self.recorder.rule)
        if problem and not self._has_warned:
            self._has_warned = True
            warnings.warn(f"no checkpoint will be the best: {problem}", stacklevel=2)


def _manifest(path: Any) -> Manifest | None:
    try:
        return read_manifest(path)
    except RecordError:
        return None  # never finished: a kill came between the checkpoint and its commit
