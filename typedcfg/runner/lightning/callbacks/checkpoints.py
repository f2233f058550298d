"""Decide which checkpoints there are."""

import warnings
from pathlib import Path

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import Verified, committed, newest_verified, verify
from typedcfg.records.result_record import best_index, explain_unscored
from typedcfg.runner.lightning.callbacks.last_word import LastWord
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.run_dir import CheckpointDir
from typedcfg.storage import link_atomically, sweep

_NEWEST_KEPT = 2
"""The last, and one before it: to fall back on when a disk has damaged the last."""


class CheckpointPolicy(LastWord):
    """Writes a checkpoint at the end of each epoch, and keeps the newest, the best, and one every so many epochs.

    Each is written as `step-00001200.ckpt`; `latest.ckpt`, `best.ckpt` and `epoch-10.ckpt` are further names of such
    files, for people. What is best, and what to keep, is read from the results and the manifests, never remembered:
    it is the same after a resume.

    Example:
        `Trainer(callbacks=[CheckpointPolicy(recorder), recorder], plugins=[VerifiedCheckpointIO()])`
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
        """The best checkpoint; empty where there is none.

        `ckpt_path="best"` means this one where the policy is the first `Checkpoint` among the trainer's callbacks.
        """
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

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tidy up what a kill left behind.

        Raises:
            MisconfigurationException: The folder holds whole checkpoints from beyond this start: this training would
                throw them away.
        """
        if not trainer.is_global_zero:
            return
        self.checkpoints.path.mkdir(parents=True, exist_ok=True)
        sweep(self.checkpoints.path)
        for path, manifest in committed(self.checkpoints.path).items():
            if manifest.step > trainer.global_step:
                _check_damaged(path)
                trainer.strategy.remove_checkpoint(path)
        self._link_names()

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write this epoch's checkpoint, name it, and remove those that nobody needs any more."""
        self.recorder.record(trainer)
        trainer.save_checkpoint(self.checkpoints.step(trainer.global_step), weights_only=False)
        if trainer.is_global_zero:
            # In this order: whatever the moment of a kill, the names that exist are whole.
            self._link_names()
            self._prune(trainer)
            self._warn_unscored()

    def _named(self) -> dict[Path, Path]:
        """Each name for people, and the checkpoint it stands for."""
        manifests = committed(self.checkpoints.path)
        names: dict[Path, Path] = {}
        ends: dict[int, Path] = {}
        for path, manifest in manifests.items():
            names[self.checkpoints.latest] = path
            ends.setdefault(manifest.epoch, path)  # later ones were written in the midst of the next epoch
        best = best_index(self.recorder.results, self.recorder.rule)
        for epoch, path in ends.items():
            if epoch == best:
                names[self.checkpoints.best] = path
            if self.save_interval is not None and epoch % self.save_interval == 0:
                names[self.checkpoints.epoch(epoch)] = path
        return names

    def _link_names(self) -> None:
        for name, path in self._named().items():
            if not (name.exists() and name.samefile(path)):
                link_atomically(path, name)

    def _prune(self, trainer: Trainer) -> None:
        needed = {*list(committed(self.checkpoints.path))[-_NEWEST_KEPT:], *self._named().values()}
        for path in self.checkpoints.steps():  # those that were never finished are among them
            if path not in needed:
                trainer.strategy.remove_checkpoint(path)

    def _warn_unscored(self) -> None:
        problem = explain_unscored(self.recorder.results, self.recorder.rule)
        if problem and not self._has_warned:
            self._has_warned = True
            warnings.warn(f"no checkpoint will be the best: {problem}", stacklevel=2)


def _check_damaged(path: Path) -> None:
    try:
        verify(path)
    except RecordError:
        return
    raise MisconfigurationException(
        f"{path.parent} holds whole checkpoints from beyond this start, {path.name} for one: resume with"
        " fit(ckpt_path=policy.find_resumable().path), or train into another folder"
    )
