"""Why a training cannot go on exactly from a checkpoint: what Lightning does not do again, and what nobody keeps."""

from collections.abc import Iterator
from typing import Any, Final

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, ProgressBar
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch.utils.data import DataLoader

from typedcfg.runner.lightning.callbacks.after_batch import is_batch_over
from typedcfg.runner.lightning.exact.loaders import owners_of_generators
from typedcfg.runner.lightning.exact.plateaus import doubts_of_plateaus
from typedcfg.runner.lightning.exact.tensors import doubts_of_gradients, doubts_of_origins
from typedcfg.runner.lightning.plain_state import plain_number
from typedcfg.runner.lightning.step_boundary import is_step_boundary
from typedcfg.runner.lightning.unseen import callbacks_of, current_of

_OURS: Final = "typedcfg."
_ONLY_SHOW: Final = (ProgressBar, LearningRateMonitor)


def doubts(trainer: Trainer, module: LightningModule) -> Iterator[str]:
    """Why a training cannot go on exactly from a checkpoint that is written now."""
    if is_within_epoch(trainer):
        yield from _left_out(trainer, module)
    elif _is_cut(trainer):
        yield "max_steps ended an epoch early: with more steps, the rest of that epoch's batches would have come next"
    if _has_left_early(trainer):
        yield "on_train_batch_start ended an epoch early: Lightning's counts of batches are not those of a resume"
    yield from doubts_of_gradients(module)
    yield from doubts_of_origins(module)
    yield from _of_numbers(trainer)
    yield from _of_validation(trainer)
    yield from doubts_of_plateaus(trainer)


def is_within_epoch(trainer: Trainer) -> bool:
    """Whether an epoch has begun and not ended."""
    progress = current_of(trainer.fit_loop.epoch_progress)
    return progress.started > progress.processed


def _left_out(trainer: Trainer, module: LightningModule) -> Iterator[str]:
    """What comes before the checkpoint or behind it, and does not at a resume."""
    progress = current_of(trainer.fit_loop.epoch_loop.batch_progress)
    if progress.ready > progress.processed:
        yield "saved after the batch that comes next was fetched"
    if progress.processed > progress.completed:
        if not is_step_boundary(trainer):
            yield "saved where a resume leaves out what comes next: a validation, an epoch's end, or the rest of a step"
        if is_overridden("on_train_batch_end", module) and not is_batch_over(module):
            yield "on_train_batch_end of the module comes after the checkpoint, and not again at a resume"
    for owner in _begins_epochs(trainer, module):
        yield f"on_train_epoch_start of {type(owner).__name__} came before the checkpoint, and not again at a resume"


def _is_cut(trainer: Trainer) -> bool:
    """Whether the steps that are to be taken were taken before an epoch's last batch.

    Nothing comes after them, but in a training that is to take more. Who was told to stop before is over for good.
    """
    loop = trainer.fit_loop.epoch_loop
    return 0 < trainer.max_steps <= trainer.global_step and not loop._num_ready_batches_reached()  # noqa: SLF001  # Lightning has no public word for it


def _has_left_early(trainer: Trainer) -> bool:
    """Whether an epoch was left by a batch that Lightning counts as trained on, and never as begun."""
    batches: Any = trainer.fit_loop.epoch_loop.batch_progress.total  # declared as its base class
    return bool(batches.processed > batches.started)


def _begins_epochs(trainer: Trainer, module: LightningModule) -> Iterator[object]:
    """Who does something at an epoch's beginning that may bear on the training."""
    if is_overridden("on_train_epoch_start", module):
        yield module
    for callback in callbacks_of(trainer):
        hook = getattr(callback.on_train_epoch_start, "__func__", None)
        is_known = isinstance(callback, _ONLY_SHOW) or type(callback).__module__.startswith(_OURS)
        if hook is not Callback.on_train_epoch_start and not is_known:
            yield callback


def _of_numbers(trainer: Trainer) -> Iterator[str]:
    """What optimizers reckon with in another precision than a checkpoint keeps it in."""
    for optimizer in trainer.optimizers:
        for name, value in (item for group in optimizer.param_groups for item in group.items()):
            if isinstance(plain_number(value), float) and not isinstance(value, float):
                yield f"{name} of {type(optimizer).__name__} is numpy's {type(value).__name__}, and goes on as a float"


def _of_validation(trainer: Trainer) -> Iterator[str]:
    """What validations drew until now from where no checkpoint finds it."""
    combined = trainer.fit_loop.epoch_loop.val_loop._combined_loader  # noqa: SLF001  # Lightning has no public way
    for loader in combined.flattened if combined is not None else ():
        for owner in owners_of_generators(loader):
            yield f"{type(owner).__name__}, of a validation, draws from a generator of its own: no checkpoint keeps it"
        if isinstance(loader, DataLoader) and loader.persistent_workers:
            data = type(loader.dataset).__name__
            yield f"{data} is validated by persistent workers, whose random numbers go on from epoch to epoch"
