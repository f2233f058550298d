"""Weights, as they were saved: of the precision that is trained in, and past what hooks set before the first batch."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.plugins import DoublePrecision
from torch import Tensor
from torch.distributed.tensor import DTensor

from typedcfg.runner.lightning.unseen import callbacks_of

_HOOKS: Final = ("on_fit_start", "on_train_start")
"""Those that come after weights are loaded, and once more at each start."""
_KNOWN: Final = ("lightning.", "typedcfg.")
"""Whose hooks leave weights as they are."""


def load_in_double(trainer: Trainer, module: LightningModule, checkpoint: Mapping[str, Any]) -> None:
    """Load the weights of a training in double precision once more.

    Lightning loads them into the model as it was built, and makes it one of double precision later.
    """
    plugin = trainer.precision_plugin
    if isinstance(plugin, DoublePrecision) and not trainer.strategy.restore_checkpoint_after_setup:
        plugin.convert_module(module)
        trainer.strategy.load_model_state_dict(checkpoint, strict=module.strict_loading)


def capture_weights(trainer: Trainer, module: LightningModule, saved: Collection[str]) -> dict[str, Tensor]:
    """The parameters and buffers that were loaded, on the CPU; none where no hook of others could set any.

    Args:
        trainer: Who trains.
        module: What is trained.
        saved: Their names in the checkpoint; none where it does not tell them, and all were loaded.
    """
    if not _may_be_set(trainer, module):
        return {}
    return {name: tensor.to("cpu", copy=True) for name, tensor in _tensors(module) if not saved or name in saved}


def restore_weights(weights: Mapping[str, Tensor], module: LightningModule) -> None:
    """Set those that are other than they were; in place, for optimizers and others share them."""
    for name, tensor in _tensors(module):
        value = weights.get(name)
        if value is None or value.shape != tensor.shape:
            continue
        if not torch.equal(tensor, value := value.to(tensor)):
            tensor.copy_(value)


def _may_be_set(trainer: Trainer, module: LightningModule) -> bool:
    owners = (module, *callbacks_of(trainer))
    hooks = (getattr(owner, hook) for owner in owners for hook in _HOOKS)
    return any(callable(hook) and not (hook.__module__ or "").startswith(_KNOWN) for hook in hooks)


def _tensors(module: LightningModule) -> Iterator[tuple[str, Tensor]]:
    """Parameters and persistent buffers: of those that are split among ranks, this rank's part."""
    for path, part in module.named_modules():
        passing = part._non_persistent_buffers_set  # noqa: SLF001  # told nowhere else
        buffers = {name: value for name, value in part.named_buffers(recurse=False) if name not in passing}
        for name, tensor in (*part.named_parameters(recurse=False), *buffers.items()):
            detached = tensor.detach()
            yield f"{path}.{name}".lstrip("."), detached.to_local() if isinstance(detached, DTensor) else detached
