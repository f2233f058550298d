"""Gradients that outlive a step, and buffers that are in no `state_dict`."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TypedDict

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from typedcfg.runner.lightning.ranks import gathered
from typedcfg.text import listed


class TensorStates(TypedDict):
    """What a checkpoint's `state_dict` leaves out, on the CPU."""

    gradients: dict[str, Tensor]
    """By parameter; one that has none, which an optimizer passes over, is not among them."""
    buffers: dict[str, Tensor | None]
    """Those that are not persistent."""


def capture_tensors(trainer: Trainer, module: LightningModule) -> TensorStates | None:
    """What this rank holds; None where that is what rank 0 holds, lest a checkpoint has it many times."""
    states: TensorStates = {"gradients": _gradients(module), "buffers": _buffers(module)}
    if trainer.world_size == 1:
        return states
    digests = gathered(_digest({**states["gradients"], **states["buffers"]}), trainer.world_size)
    return None if trainer.global_rank and digests[trainer.global_rank] == digests[0] else states


def restore_tensors(saved: Sequence[TensorStates | None], trainer: Trainer, module: LightningModule) -> None:
    """Put back what each rank held.

    Args:
        saved: Of each rank.
        trainer: Who trains, with as many ranks.
        module: What is trained.
    """
    states = saved[trainer.global_rank] or saved[0]
    assert states is not None, "rank 0 has its own"
    for name, parameter in module.named_parameters():
        gradient = states["gradients"].get(name)
        parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)
    for path, value in states["buffers"].items():
        owner, _, name = path.rpartition(".")
        _restore_buffer(module.get_submodule(owner), name, value, device=module.device)


def doubts_of_gradients(module: LightningModule) -> Iterator[str]:
    """Which gradients bear on the next step and are not kept: those of a model that is split among ranks."""
    if _outlive_steps(module) and any(isinstance(parameter.grad, DTensor) for parameter in module.parameters()):
        yield "gradients may be left for the next step, and no checkpoint keeps those of a model split among ranks"


def doubts_of_origins(module: LightningModule) -> Iterator[str]:
    """Which parameters gradients flow through to others, as they were changed where that is noted."""
    if computed := [name for name, parameter in module.named_parameters() if not parameter.is_leaf]:
        yield (
            f"no checkpoint keeps what {listed(computed)} of the module came from, where gradients flow to: change"
            " parameters under torch.no_grad()"
        )


def _outlive_steps(module: LightningModule) -> bool:
    """Whether gradients bear on the next batch: elsewhere Lightning zeroes them before each step's first backward."""
    return not module.automatic_optimization or is_overridden("optimizer_zero_grad", module)


def _gradients(module: LightningModule) -> dict[str, Tensor]:
    if not _outlive_steps(module):
        return {}
    gradients = ((name, parameter.grad) for name, parameter in module.named_parameters())
    return {name: _copied(one) for name, one in gradients if one is not None and not isinstance(one, DTensor)}


def _buffers(module: nn.Module) -> dict[str, Tensor | None]:
    """By all their names; modules may share one, which is copied once."""
    kept: dict[str, Tensor | None] = {}
    copies: dict[int, Tensor] = {}
    for path, part in module.named_modules():
        for name in sorted(part._non_persistent_buffers_set):  # noqa: SLF001  # torch tells it nowhere else
            buffer = getattr(part, name)
            if isinstance(buffer, DTensor):
                continue
            if buffer is not None and id(buffer) not in copies:
                copies[id(buffer)] = _copied(buffer)
            kept[f"{path}.{name}".lstrip(".")] = None if buffer is None else copies[id(buffer)]
    return kept


def _restore_buffer(owner: nn.Module, name: str, value: Tensor | None, *, device: torch.device) -> None:
    now: Tensor | None = getattr(owner, name, None)
    if value is None or now is None:
        owner.register_buffer(name, None if value is None else value.to(device), persistent=False)
        return
    value = value.to(now.device)
    if now.shape != value.shape or now.dtype != value.dtype or now.is_inference():
        setattr(owner, name, value.clone())
    elif not torch.equal(now, value):
        # In place: others may share it. A constant, which may be a view that cannot be written to, is left alone.
        with torch.no_grad():
            now.copy_(value)


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True)


def _digest(tensors: Mapping[str, Tensor | None]) -> bytes:
    digest = blake2b(repr([(name, None if one is None else one.dtype) for name, one in tensors.items()]).encode())
    for tensor in tensors.values():
        if tensor is not None:
            digest.update(tensor.to_dense().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.digest()
