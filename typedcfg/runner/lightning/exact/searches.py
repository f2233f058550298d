"""Lightning's searches for a learning rate and a batch size: what they found is kept, and not searched for again."""

from collections.abc import Iterator, Mapping
from typing import Final

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.tuner.lr_finder import _determine_lr_attr_name
from lightning.pytorch.utilities.parsing import lightning_getattr, lightning_setattr

from typedcfg.runner.lightning.unseen import callbacks_of

_HOOK: Final = "on_fit_start"
"""Where they search: behind what a checkpoint brings back to the model, and before all else that it brings back."""


def found(trainer: Trainer, module: LightningModule) -> dict[str, float]:
    """The attributes of the model or its data that searches set, and to what."""
    kinds = dict(_set_by_searches(trainer, module))
    values = {name: lightning_getattr(module, name) for name in kinds}
    return {name: kinds[name](value) for name, value in values.items() if value is not None}


def find_again(known: Mapping[str, float], trainer: Trainer) -> None:
    """Let each search of a training that goes on set at once what was found when it began.

    A search restores the trainer behind it to a beginning, whatever a checkpoint had brought back.
    """
    for callback in _searches(trainer):
        setattr(callback, _HOOK, _Found(callback, known))


def doubts_of_searches(trainer: Trainer) -> Iterator[str]:
    """Which searches of a training that goes on came before they could be kept from it.

    Lightning loads a checkpoint in parts behind the hook in which they search.
    """
    for callback in _searches(trainer):
        if isinstance(vars(callback).get(_HOOK), _Found):
            yield f"{type(callback).__name__} searched once more, and may have found something else"


def search_again(trainer: Trainer) -> None:
    """Let each search of a training that begins search, whatever it was to do in one that did not come so far."""
    for callback in _searches(trainer):
        if isinstance(vars(callback).get(_HOOK), _Found):
            delattr(callback, _HOOK)


def _searches(trainer: Trainer) -> Iterator[BatchSizeFinder | LearningRateFinder]:
    yield from (one for one in callbacks_of(trainer) if isinstance(one, (BatchSizeFinder, LearningRateFinder)))


def _set_by_searches(trainer: Trainer, module: LightningModule) -> Iterator[tuple[str, type[float]]]:
    for callback in _searches(trainer):
        if isinstance(callback, BatchSizeFinder):
            yield callback._batch_arg_name, int  # noqa: SLF001  # Lightning tells these names nowhere else
        elif callback._update_attr:  # noqa: SLF001  # as above
            yield _determine_lr_attr_name(module, callback._attr_name), float  # noqa: SLF001  # as above


class _Found:
    """Stands in the place of a search, once."""

    def __init__(self, callback: BatchSizeFinder | LearningRateFinder, known: Mapping[str, float]) -> None:
        self.callback = callback
        self.known = known

    def __call__(self, _: Trainer, module: LightningModule) -> None:
        delattr(self.callback, _HOOK)
        for name, value in self.known.items():
            lightning_setattr(module, name, value)
