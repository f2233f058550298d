"""What a training does that diverged: its loss, or its weights, are no numbers any more."""

import logging
from typing import Any, Final, Literal

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from typedcfg.errors import RunFailed
from typedcfg.runner.lightning.callbacks.after_batch import AfterBatch
from typedcfg.runner.lightning.means import loss_of, stacked
from typedcfg.runner.lightning.metrics import reduce_logged
from typedcfg.runner.loop_results import not_finite

_EVERY: Final = 50
"""From how many batches to how many it is looked whether all losses were finite [batches]."""
_NEVER: Final = torch.iinfo(torch.int64).max

_log: Final = logging.getLogger(__name__)


class FiniteWatch(AfterBatch):
    """Ends a training whose loss, or a weight, is NaN or infinite, or tells of it and lets it go on.

    Losses are kept where they are, and looked at together every 50 batches, before an epoch is recorded and before a
    checkpoint is written, so that no device waits in between, and what is saved can be gone on with.

    Example:
        `Trainer(callbacks=[FiniteWatch(), recorder, policy])`
    """

    def __init__(self, on_nan: Literal["stop", "continue"] = "stop") -> None:
        """Watch.

        Args:
            on_nan: Whether to end the training, or to go on.
        """
        self.on_nan = on_nan
        self.not_finite_since: int | None = None
        """The optimizer step after which the loss, or a weight, was first seen not to be finite."""
        self._losses: list[tuple[int, Tensor]] = []
        """Those that were not looked at yet, each with the optimizer step after which it came."""
        self._batches = 0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew."""
        super().on_train_start(trainer, pl_module)
        self._losses, self._batches, self.not_finite_since = [], 0, None

    @override
    def after_batch(self, trainer: Trainer, outputs: Any, batch_idx: int) -> None:
        """Keep the loss; now and then, look.

        Raises:
            RunFailed: It is not finite, and that is to end the training.
        """
        loss = loss_of(outputs)
        if loss is not None:
            # One number is kept as it is; many, which a step may return that optimizes by itself, as the greatest.
            self._losses.append((trainer.global_step, loss if loss.numel() == 1 else loss.abs().max()))
        # Counted through epochs, which may be short, and whether or not there is a loss: all ranks ask at once.
        self._batches += 1
        if self._batches % _EVERY == 0:
            self._ask(trainer, self._first_not_finite(), "the training loss")

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ask before the epoch is recorded: one that fails is none that was finished, however short it is.

        Raises:
            RunFailed: The loss or a weight is not finite, and that is to end the training.
        """
        reduce_logged(trainer)
        self._look(trainer, pl_module)

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Ask before anything is written; all ranks are here.

        Raises:
            RunFailed: The loss or a weight is not finite, and that is to end the training.
        """
        self._look(trainer, pl_module)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say at the end what was said when it began: hours lie between."""
        if self.not_finite_since is not None and trainer.is_global_zero:
            _log.warning("the training ended with numbers that are not finite, since step %s", self.not_finite_since)

    def _look(self, trainer: Trainer, module: LightningModule) -> None:
        self._ask(trainer, self._first_not_finite(), "the training loss")
        self._ask(trainer, _NEVER if _are_finite(module, trainer) else trainer.global_step, "a weight")

    def _first_not_finite(self) -> int:
        """The step of the first of the losses kept that is not finite; none is kept any more."""
        kept, self._losses = self._losses, []
        if not kept:
            return _NEVER
        are_finite = torch.isfinite(stacked(loss for _, loss in kept))
        return _NEVER if are_finite.all() else kept[int(are_finite.int().argmin())][0]

    def _ask(self, trainer: Trainer, first: int, what: str) -> None:
        if self.not_finite_since is not None:
            return
        here = torch.tensor(first, device=trainer.strategy.root_device)
        step = int(trainer.strategy.reduce(here, reduce_op="min"))
        if step == _NEVER:
            return
        self.not_finite_since = step
        problem = not_finite(what, step)
        if self.on_nan == "stop":
            raise RunFailed(problem)
        if trainer.is_global_zero:
            _log.warning("%s", problem)


def _are_finite(module: LightningModule, trainer: Trainer) -> bool:
    device = trainer.strategy.root_device
    weights = (_own_part(weight.detach()) for weight in module.parameters() if weight.requires_grad)
    found = [torch.isfinite(weight).all().to(device) for weight in weights if weight.is_floating_point()]
    return bool(torch.stack(found).all()) if found else True


def _own_part(weight: Tensor) -> Tensor:
    """What this rank has of a weight that may be split among all; what each finds is put together afterwards."""
    part: Tensor = weight.to_local() if hasattr(weight, "to_local") else weight
    return part
