"""Decide which checkpoints there are, and when they are written."""

import logging
import time
from pathlib import Path
from typing import Any, Final, Literal

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from typing_extensions import override

from typedcfg.errors import RecordError
from typedcfg.records.checkpoint_record import Verified, committed, newest_verified, verify
from typedcfg.records.result_record import best_index, explain_unscored
from typedcfg.runner.lightning.callbacks.after_batch import AfterBatch
from typedcfg.runner.lightning.callbacks.last_word import AfterAll
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.checkpoint_io import SAMPLES_KEY, VerifiedCheckpointIO, check_hyper_parameters
from typedcfg.runner.lightning.exact.generators import generators_kept
from typedcfg.runner.lightning.safe_load import verify_loadable
from typedcfg.runner.lightning.step_boundary import is_step_boundary
from typedcfg.runner.lightning.unseen import callbacks_of, current_of, data_module_of
from typedcfg.runner.run_dir import CheckpointDir
from typedcfg.storage import link_atomically, make_folder, sweep

_SECONDS: Final = 60.0
"""In a minute."""
_STOPS_KEY: Final = "typedcfg_stops"
"""Where a checkpoint says whether the training was told to stop before its end."""

_log: Final = logging.getLogger(__name__)


class CheckpointPolicy(AfterBatch, AfterAll):
    """Writes checkpoints at the ends of epochs and between them, and keeps the newest, the best, and some by interval.

    Each is written as `step-00001200.ckpt`; `latest.ckpt`, `best.ckpt` and `epoch-10.ckpt` are further names of such
    files, for people. What is best, and what to keep, is read from the results and the manifests, never remembered:
    it is the same after a resume. A checkpoint from the midst of an epoch is one to resume from, and no epoch's.

    A training that was told to stop, by an `EarlyStopping` or whoever else sets `trainer.should_stop`, is over at a
    resume too. One that was preempted is not: nobody told it to stop for good.

    Example:
        `Trainer(callbacks=[recorder, CheckpointPolicy(recorder)], plugins=[VerifiedCheckpointIO()])`
    """

    def __init__(  # noqa: PLR0913  # the keys of the section `checkpoint`
        self,
        recorder: Recorder,
        *,
        save_interval: int | None = None,
        every_n_steps: int | None = None,
        every_minutes: float | None = None,
        keep_last: int = 2,
        on_write_failure: Literal["stop", "continue"] = "stop",
    ) -> None:
        """Write beside the results of `recorder`.

        Args:
            recorder: Knows the scores; one of the same trainer's callbacks.
            save_interval: Keep the checkpoint of every so many epochs, as `epoch-10.ckpt` [epochs]; None, or a number
                that is not positive, keeps none.
            every_n_steps: Save within epochs too, after every so many steps [steps].
            every_minutes: Save within epochs too, when so much time has passed since the last save [minutes].
            keep_last: How many of the newest are kept; more than one, to fall back on when a disk has damaged the
                last.
            on_write_failure: Whether a checkpoint that cannot be written ends the training, or is told of and left
                out.
        """
        if keep_last < 1:
            raise MisconfigurationException(f"keep_last must be at least 1: got {keep_last}")
        self.recorder = recorder
        self.save_interval = save_interval if save_interval is not None and save_interval > 0 else None
        self.every_n_steps = every_n_steps
        self.every_minutes = every_minutes
        self.keep_last = keep_last
        self.on_write_failure = on_write_failure
        self.unsaved_because: str | None = None
        """Why the last state that was to be saved was not; None when it was."""
        self._has_warned = False
        self._step = 0
        self._is_due = False
        self._asks = False
        self._saved_at = 0.0
        self._saved: tuple[int, ...] | None = None
        self._unsettled: VerifiedCheckpointIO | None = None
        self._failure: RecordError | None = None
        self._stops = False

    @property
    def checkpoints(self) -> CheckpointDir:
        """Where the checkpoints are written."""
        return self.recorder.attempt.checkpoints

    @property
    def best_model_path(self) -> str:
        """The best checkpoint; empty where there is none."""
        return str(self.checkpoints.best) if self.checkpoints.best.exists() else ""

    def find_resumable(self) -> Verified | None:
        """Where to resume from; None where nothing was saved yet.

        Raises:
            RecordError: There are checkpoints, and not one of them is whole.
        """
        instead = "begin from nothing in another folder"
        return newest_verified([self.checkpoints.path], check=verify_loadable, instead=instead)

    def wants_save(self, now: float | None = None) -> bool:
        """Whether this rank would have a checkpoint written; each may think otherwise, and one's wish is enough.

        Args:
            now: What `time.monotonic()` says [s].
        """
        if self._failure is not None:
            return True  # the ranks meet where one is written, and end together
        now = time.monotonic() if now is None else now
        return self.every_minutes is not None and now - self._saved_at >= self.every_minutes * _SECONDS

    def save(self, trainer: Trainer) -> None:
        """Write a checkpoint to resume from, now; on all ranks, at a step boundary or an epoch's end.

        When it returns the checkpoint is committed, also where saves are asynchronous. A state that is saved already
        is not written again.

        Raises:
            RecordError: It cannot be written, and that is to end the training.
        """
        self.begin_save(trainer)
        self._settle()
        self._agree(trainer)

    def begin_save(self, trainer: Trainer) -> None:
        """Begin to write a checkpoint, and let the training go on where saves are asynchronous; see `save`.

        Raises:
            RecordError: It cannot be written, or the one before it could not, and that is to end the training.
        """
        self._settle()
        self._agree(trainer)
        self._is_due, self._saved_at = False, time.monotonic()
        state = _place(trainer)
        if trainer.strategy.broadcast(state == self._saved):  # rank 0 writes, and knows
            return
        try:
            # Lest what a hook draws for the checkpoint changes the training: when one is written the clock may decide.
            with generators_kept(trainer.strategy.root_device):
                trainer.save_checkpoint(self.checkpoints.new_step(trainer.global_step), weights_only=False)
        except RecordError as error:
            self._tell(error)
            # Rank 0 alone writes: the others wait where the error led it past.
            trainer.strategy.barrier("Trainer.save_checkpoint")
        else:
            self._saved = state
            self._unsettled = _plugin(trainer) if trainer.is_global_zero else None
        if not _plugin(trainer).asynchronous:
            self._settle()
            self._agree(trainer)

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check that what this builds on is there.

        Raises:
            MisconfigurationException: The trainer lacks the recorder or the plugin.
        """
        super().setup(trainer, pl_module, stage)
        if self.recorder not in callbacks_of(trainer):
            raise MisconfigurationException("CheckpointPolicy needs its Recorder among the callbacks")
        if not isinstance(trainer.strategy.checkpoint_io, VerifiedCheckpointIO):
            raise MisconfigurationException("CheckpointPolicy needs Trainer(plugins=[VerifiedCheckpointIO()])")
        self._stops = False

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse hyper-parameters that no checkpoint could be loaded with: hours lie between here and the first.

        Raises:
            RecordError: There are such.
        """
        data = data_module_of(trainer)
        owners: list[LightningModule | LightningDataModule] = [pl_module] if data is None else [pl_module, data]
        for owner in owners:
            hparams = owner.hparams
            kept = dict(hparams) if isinstance(hparams, dict) else hparams  # as Lightning keeps them
            check_hyper_parameters({owner.CHECKPOINT_HYPER_PARAMS_KEY: kept})

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End at once what had been told to stop when it was saved, and tidy up what a kill left behind.

        Raises:
            MisconfigurationException: The folder holds whole checkpoints from beyond this start: this training would
                throw them away.
        """
        super().on_train_start(trainer, pl_module)
        trainer.should_stop = trainer.should_stop or self._stops
        self._stops = False
        self._step, self._saved_at = trainer.global_step, time.monotonic()
        self._asks = self._must_ask(trainer)
        self._is_due, self._saved = False, None
        self._unsettled, self._failure, self.unsaved_because = None, None, None
        if not trainer.is_global_zero:
            return
        self.recorder.guard()
        make_folder(self.checkpoints.path)
        sweep(self.checkpoints.path)
        start = trainer.global_step, current_of(trainer.fit_loop.epoch_progress).processed
        for path, manifest in committed(self.checkpoints.path).items():
            if manifest.place > start:
                _check_damaged(path)
                trainer.strategy.remove_checkpoint(path)
        self._link_names()

    @override
    def after_batch(self, trainer: Trainer, outputs: Any, batch_idx: int) -> None:
        """Save if a step was taken and one is due; hear how the save in the background went."""
        before, self._step = self._step, trainer.global_step
        if self._step == before:
            return
        if self._unsettled is not None and not _plugin(trainer).is_writing:
            self._settle()
        n = self.every_n_steps
        is_nth = n is not None and self._step // n > before // n
        self._is_due = self._is_due or is_nth or (self._asks and self._is_asked(trainer))
        if self._is_due and is_step_boundary(trainer):
            self.begin_save(trainer)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write this epoch's checkpoint, name it, and remove those that nobody needs any more."""
        self.recorder.record(trainer)
        self.begin_save(trainer)
        if trainer.is_global_zero and trainer.current_epoch + 1 >= (trainer.check_val_every_n_epoch or 1):
            self._warn_unscored()

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Wait for the last save."""
        self._settle()
        self._agree(trainer)

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Name what is there: a training that goes on from its last epoch has nothing to do, and begins nothing."""
        if trainer.is_global_zero:
            self._link_names()
            self._warn_lost_best()

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Wait for the save that is under way; the error that ends the training is the one to raise."""
        super().on_exception(trainer, pl_module, exception)
        self._settle()

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Say how many samples were seen, where every rank counts its own, and whether it was told to stop."""
        checkpoint[SAMPLES_KEY] = self.recorder.samples_so_far(trainer)
        checkpoint[_STOPS_KEY] = trainer.should_stop

    @override
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep until training starts whether it was told to stop."""
        self._stops = checkpoint.get(_STOPS_KEY, False)

    def _must_ask(self, trainer: Trainer) -> bool:
        """Whether it is this callback that asks after each step; a `Pulse` does so less often, for all ranks."""
        pulses = [one for one in callbacks_of(trainer) if isinstance(one, Pulse)]
        may_want = self.every_minutes is not None or _plugin(trainer).asynchronous
        return may_want and not any(pulse.wants_save == self.wants_save for pulse in pulses)

    def _is_asked(self, trainer: Trainer) -> bool:
        # Clocks differ between ranks, and what is written in the background rank 0 alone sees fail.
        return bool(trainer.strategy.broadcast(self.wants_save()))

    def _settle(self) -> None:
        """Wait for the last save, and put names and numbers right; this rank for itself."""
        if self._unsettled is None:
            return
        plugin, self._unsettled = self._unsettled, None
        try:
            plugin.wait()
            self._link_names()
            self._prune(plugin)
        except RecordError as error:
            self._saved = None
            self._tell(error)
        else:
            self.unsaved_because = None

    def _agree(self, trainer: Trainer) -> None:
        """Let all ranks end with the one that could not write, if it is to end.

        Raises:
            RecordError: It is.
        """
        if self.on_write_failure == "stop":
            failure = trainer.strategy.broadcast(self._failure)
            if failure is not None:
                raise failure

    def _tell(self, failure: RecordError) -> None:
        """Note that the last state is not saved; where that ends the training, its end tells."""
        self.unsaved_because = str(failure)
        if self.on_write_failure == "stop":
            self._failure = failure
        else:
            _log.warning("a state of the training is not saved: %s", failure)

    def _named(self) -> dict[Path, Path]:
        """Each name for people, and the checkpoint it stands for."""
        manifests = committed(self.checkpoints.path)
        names: dict[Path, Path] = {}
        ends: dict[int, Path] = {}
        for path, manifest in manifests.items():
            names[self.checkpoints.latest] = path
            if not manifest.is_inside_epoch:
                ends[manifest.epoch] = path
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

    def _prune(self, plugin: VerifiedCheckpointIO) -> None:
        needed = {*list(committed(self.checkpoints.path))[-self.keep_last :], *self._named().values()}
        for path in self.checkpoints.steps():  # those that were never finished are among them
            if path not in needed:
                plugin.remove_checkpoint(path)

    def _warn_lost_best(self) -> None:
        best = best_index(self.recorder.results, self.recorder.rule)
        if best is not None and self.checkpoints.best not in self._named():
            _log.warning(
                "the weights of epoch %s, the best, are lost: no checkpoint in %s holds them",
                best,
                self.checkpoints.path,
            )

    def _warn_unscored(self) -> None:
        problem = explain_unscored(self.recorder.results, self.recorder.rule)
        if problem and not self._has_warned:
            self._has_warned = True
            _log.warning("no checkpoint will be the best: %s", problem)


def _place(trainer: Trainer) -> tuple[int, ...]:
    """Where a training is: what tells two of its states apart."""
    loop = trainer.fit_loop
    return trainer.global_step, current_of(loop.epoch_progress).processed, loop.epoch_loop.batch_progress.total.ready


def _plugin(trainer: Trainer) -> VerifiedCheckpointIO:
    plugin = trainer.strategy.checkpoint_io
    assert isinstance(plugin, VerifiedCheckpointIO), "setup saw to it"
    return plugin


def _check_damaged(path: Path) -> None:
    try:
        verify(path)
    except RecordError:
        return
    raise MisconfigurationException(
        f"{path.parent} holds whole checkpoints from beyond this start, {path.name} for one: resume with"
        " fit(ckpt_path=policy.find_resumable().path), or train into another folder"
    )
