"""Stop, and save, at one step on all ranks.

Whoever asks (a signal to any one rank, the time being up) is heard by one process, at a moment of its own. All must
leave, and write a checkpoint, at the same step: one that goes ahead waits forever for what the others no longer
compute. So the ranks ask each other, about four times a second, between two steps.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Final, NamedTuple

import torch
from lightning.pytorch import LightningModule, Trainer
from typing_extensions import override

from typedcfg.runner.failure import Preempted
from typedcfg.runner.launchers.lifeline import PARENT_VARIABLE
from typedcfg.runner.lightning.callbacks.after_batch import AfterBatch
from typedcfg.runner.lightning.callbacks.last_word import AfterAll
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.loading.worker_signals import workers_outlast_stops
from typedcfg.runner.lightning.metrics import reduce_logged
from typedcfg.runner.lightning.step_boundary import is_step_boundary
from typedcfg.runner.requeue import requeue
from typedcfg.runner.stop_signals import STOP_SIGNALS, StopSignals, lost_stop, stop_of, taken, tell_heard

_PERIOD_S: Final = 0.25
"""How far apart the agreements of several ranks are meant to be."""
_TIME_IS_UP: Final = 1
_FIRST_SIGNAL: Final = 2
"""In the number that ranks agree on: 0 for going on, 1 for the time being up, and from here on STOP_SIGNALS."""

_log: Final = logging.getLogger(__name__)


class Pulse(AfterBatch, AfterAll):
    """Ends a training that is asked to stop, at a step boundary, saved, on all ranks at once.

    SIGTERM, SIGHUP, SIGUSR1 and `max_time` end it by `Preempted`, a SystemExit with code 143; Ctrl-C by
    KeyboardInterrupt. It is enough that one rank hears it. A second signal ends the process at once, if it
    is no echo (`ECHO_S`). After SIGUSR1 a job of SLURM's is queued once more.

    Between two epochs and between two steps the training is saved first; during a validation it ends after the batch
    that is under way, and what was saved last stands. It takes its place behind every other callback. One process
    agrees with nobody, and pays a look at the clock for each batch.

    Example:
        `Trainer(callbacks=[..., Pulse(save=lambda trainer: trainer.save_checkpoint("last.ckpt"))])`
    """

    def __init__(
        self,
        *,
        save: Callable[[Trainer], None] | None = None,
        begin_save: Callable[[Trainer], None] | None = None,
        wants_save: Callable[[], bool] | None = None,
        max_time: timedelta | None = None,
    ) -> None:
        """Listen once a training begins.

        Args:
            save: Writes a checkpoint, whole when it returns; called on all ranks at the same step.
            begin_save: Writes one that is wanted while the training goes on, and may return before it is whole; else
                `save` does.
            wants_save: Whether this rank would have one written now, asked between steps; one rank's wish is enough.
            max_time: When to stop, from now on.
        """
        self.save = save
        self.begin_save = begin_save or save
        self.wants_save = wants_save
        self._ends_at = float("inf") if max_time is None else time.monotonic() + max_time.total_seconds()
        self._signals = StopSignals()
        self._stack: ExitStack | None = None
        self._ranks: _Ranks | None = None
        self._training = _Rhythm()
        self._validation = _Rhythm()

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether this rank was; a step that takes minutes may look, and return early."""
        return self._signals.received is not None or time.monotonic() >= self._ends_at

    # --- from the beginning to the end ------------------------------------------------------------------------------

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the signals, and one that came before and stopped nobody."""
        super().setup(trainer, pl_module, stage)
        if stage != "fit":
            return
        self._close()
        _keep_lightning_from_listening(trainer)
        self._signals = StopSignals()
        self._stack = ExitStack()
        # A worker hears of it from its launcher, which tells; or of another rank's end, which is nobody's wish.
        is_told = trainer.is_global_zero and PARENT_VARIABLE not in os.environ
        hear = self._hear if is_told else self._signals.note
        self._stack.enter_context(taken(hear))
        if (number := lost_stop()) is not None:
            hear(number)
        self._stack.enter_context(workers_outlast_stops())
        if trainer.world_size > 1:
            self._ranks = _Ranks()
            self._stack.callback(self._ranks.close)

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the signals back, and with them one that came too late to be heeded."""
        super().teardown(trainer, pl_module, stage)
        unheeded = self._signals.received if self._stack else None
        self._close()
        if unheeded is not None:
            signal.raise_signal(unheeded)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Give the signals back: Lightning tears nothing down after an error."""
        super().on_exception(trainer, pl_module, exception)
        self._close()

    def _hear(self, number: signal.Signals) -> None:
        """Note a signal, and tell who sent it."""
        if self._signals.note(number):
            tell_heard(number)

    def _close(self) -> None:
        if self._stack is not None:
            self._stack.close()
        self._stack = self._ranks = None

    # --- where all ranks are at one place ---------------------------------------------------------------------------

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop before the first step, if that was asked for meanwhile: nothing is there to save."""
        super().on_train_start(trainer, pl_module)
        self._training = _Rhythm()
        self._beat(trainer, self._training, may_save=False)

    @override
    def after_batch(self, trainer: Trainer, outputs: Any, batch_idx: int) -> None:
        """Agree, where it is time for that."""
        if self._is_due(self._training, may_save=True) and is_step_boundary(trainer):
            self._beat(trainer, self._training, may_save=True)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Agree between epochs."""
        reduce_logged(trainer)
        self._beat(trainer, self._training, may_save=True)

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find out how many batches all ranks have: beyond that one would agree with nobody."""
        self._validation = _Rhythm()
        if self._ranks is not None:
            self._validation.last = self._ranks.least(_validation_batches(trainer))

    @override
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Agree, where it is time for that; a training that is in the midst of a validation cannot be saved."""
        if self._is_due(self._validation, may_save=False):
            self._beat(trainer, self._validation, may_save=False)

    # --- agreeing ---------------------------------------------------------------------------------------------------

    def _is_due(self, rhythm: "_Rhythm", *, may_save: bool) -> bool:
        if self._ranks is not None:
            return rhythm.is_due()
        if self._stack is None:
            return False
        return self.is_asked_to_stop or (may_save and self.wants_save is not None and self.wants_save())

    def _beat(self, trainer: Trainer, rhythm: "_Rhythm", *, may_save: bool) -> None:
        wish = _Wish(self._reason(), wants_save=may_save and self.wants_save is not None and self.wants_save())
        if self._ranks is not None:
            wish, interval = self._ranks.agree(wish, rhythm.fitting())
            rhythm.begin(interval)
        if wish.reason:
            self._stop(trainer, wish.reason, may_save=may_save)
        elif wish.wants_save and self.begin_save is not None:
            self.begin_save(trainer)

    def _reason(self) -> int:
        if self._stack is None:
            return 0
        if self._signals.received is not None:
            return _FIRST_SIGNAL + STOP_SIGNALS.index(self._signals.received)
        return _TIME_IS_UP if time.monotonic() >= self._ends_at else 0

    def _stop(self, trainer: Trainer, reason: int, *, may_save: bool) -> None:
        number = STOP_SIGNALS[reason - _FIRST_SIGNAL] if reason >= _FIRST_SIGNAL else None
        if may_save and self.save is not None:
            self.save(trainer)
        io = trainer.strategy.checkpoint_io
        if isinstance(io, VerifiedCheckpointIO):
            io.wait()
        if self._ranks is not None:
            # Whoever ends first has the others killed: nobody may be writing any more.
            self._ranks.agree(_Wish(0, wants_save=False), 1)
        self._signals.heed(number)
        why = number.name if number else "run.max_time is over"
        _log.info("%s: the training stops%s", why, _left(trainer, is_saved=may_save and self.save is not None))
        if number is signal.SIGUSR1 and trainer.is_global_zero:
            requeue()
        raise stop_of(number) if number else Preempted("max_time")


def _left(trainer: Trainer, *, is_saved: bool) -> str:
    """What is left of a training that stops."""
    if is_saved:
        return f"; it can be gone on with from step {trainer.global_step}, saved"
    if trainer.global_step == 0:
        return " before its first step; nothing was saved"
    return "; it can be gone on with from what was saved last, if anything was"


class _Wish(NamedTuple):
    """What a rank asks for, or what all of them agreed on."""

    reason: int
    """Why to stop; 0 to go on."""
    wants_save: bool


class _Ranks:
    """The other ranks, asked by way of the CPU: what the devices are computing is not waited for."""

    def __init__(self) -> None:
        self._group = torch.distributed.new_group(backend="gloo")

    def agree(self, wish: _Wish, interval: int) -> tuple[_Wish, int]:
        """The weightiest reason, anybody's wish to save, and the shortest interval to the next agreement."""
        told = torch.tensor([wish.reason, int(wish.wants_save), -interval])
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX, group=self._group)
        reason, wants_save, shortest = told.tolist()
        return _Wish(reason, wants_save=bool(wants_save)), -shortest

    def least(self, number: int) -> int:
        """The least of all ranks' numbers."""
        told = torch.tensor(number)
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MIN, group=self._group)
        return int(told)

    def close(self) -> None:
        """Leave the group, which is gone where Lightning has left all of them."""
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group(self._group)


class _Rhythm:
    """How many batches lie between two agreements; the same number on every rank."""

    def __init__(self) -> None:
        self.last: int | None = None
        """The batch after which there is no further agreement, counted from 1; None where there is none such."""
        self._interval = 1
        self._left = 1
        self._passed = 0
        self._began = time.monotonic()

    def is_due(self) -> bool:
        """Count a batch, and say whether an agreement is due after it."""
        self._left -= 1
        self._passed += 1
        return self._left <= 0 and (self.last is None or self._passed <= self.last)

    def fitting(self) -> int:
        """How many batches take about as long as the agreements are meant to lie apart.

        At most twice as many as were counted last: the first batches of a training are not like the others.
        """
        passed = max(1, self._interval - self._left)
        batch_s = (time.monotonic() - self._began) / passed
        return max(1, min(int(_PERIOD_S / max(batch_s, 1e-9)), 2 * passed))

    def begin(self, interval: int) -> None:
        """Begin to count anew."""
        self._interval = self._left = interval
        self._began = time.monotonic()


def _validation_batches(trainer: Trainer) -> int:
    """How many batches this validation has on this rank; none where nobody knows."""
    total = sum(trainer.num_sanity_val_batches if trainer.sanity_checking else trainer.num_val_batches)
    return 0 if total == float("inf") else int(total)


def _keep_lightning_from_listening(trainer: Trainer) -> None:
    """Keep Lightning from taking SIGTERM, and from asking all ranks before each batch whether it came.

    Its handler waits for the other ranks within the handler: forever, if they did not get the signal (Lightning#20806).
    Goes when Lightning lets one choose.
    """

    def nothing() -> None: ...

    trainer._signal_connector.register_signal_handlers = nothing  # type: ignore[method-assign]  # noqa: SLF001  # no public way
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = nothing  # type: ignore[method-assign]  # noqa: SLF001  # as above
