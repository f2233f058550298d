"""Why a training ended before the end that was planned for it."""

from collections.abc import Iterator
from typing import Final

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from typedcfg.runner.lightning.callbacks.sample_limit import SampleLimit
from typedcfg.runner.lightning.unseen import callbacks_of, current_of
from typedcfg.text import listed

_UNKNOWN: Final = "the model or a callback set trainer.should_stop"
_TO_THE_TRAINER: Final = " Signaling Trainer to stop."
"""How Lightning ends what it says of an early stop."""


def why_ended_early(trainer: Trainer) -> str:
    """Who told a training to stop before its end, and why where that is known; empty where nobody did.

    Whoever says so in what would have been the last epoch anyway ends nothing early.
    """
    if not trainer.should_stop or _is_at_its_end(trainer):
        return ""
    return listed(_told_by(one) for one in _stopping(trainer)) or _UNKNOWN


def _is_at_its_end(trainer: Trainer) -> bool:
    epochs, steps = current_of(trainer.fit_loop.epoch_progress).processed, trainer.global_step
    limits = [(epochs, trainer.max_epochs), (steps, trainer.max_steps)]
    limits += [(one.seen, one.limit) for one in callbacks_of(trainer) if isinstance(one, SampleLimit)]
    # Less than 0 is what Lightning calls no limit.
    return any(limit is not None and 0 <= limit <= done for done, limit in limits)


def _stopping(trainer: Trainer) -> Iterator[EarlyStopping]:
    """Those that told it to stop; on this rank, and others may have been told by another's."""
    for one in callbacks_of(trainer):
        if isinstance(one, EarlyStopping) and one.stopping_reason != EarlyStoppingReason.NOT_STOPPED:
            yield one


def _told_by(stopping: EarlyStopping) -> str:
    return f"{type(stopping).__name__}: {(stopping.stopping_reason_message or '').removesuffix(_TO_THE_TRAINER)}"
