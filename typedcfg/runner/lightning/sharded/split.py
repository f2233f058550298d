"""How a model is split that does not split itself."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from typedcfg.errors import Problem, RunError

_STEPS: Final = ("training_step", "validation_step", "test_step", "predict_step")
_LISTS: Final = (nn.ModuleList, nn.ModuleDict)
"""Modules that nobody calls: what is in them is called."""


def split(module: LightningModule, mesh: DeviceMesh) -> None:
    """Split all parameters of a module, unless it split them itself in `configure_model`.

    Gathered together, and given back after use, are those of each direct child and of each item of a `ModuleList` or
    `ModuleDict`, however deep; what is left is gathered for the whole step. A part that shares parameters with another
    is not gathered by itself.

    Args:
        module: What is trained.
        mesh: The ranks, in one dimension.

    Raises:
        RunError: It split some of its parameters and not others, which every rank would train by itself; or it
            optimizes by itself, and the default would not do.
    """
    if any(isinstance(parameter, DTensor) for parameter in module.parameters()):
        _check_complete(module)
        return
    if not module.automatic_optimization:
        what = f"{type(module).__name__} optimizes by itself, and does not say how it is to be split"
        raise RunError(Problem(what, fix="call fully_shard in its configure_model, with self.device_mesh"))
    uses = _uses(module)
    # All are chosen first: splitting makes other parameters of them.
    apart = [part for part in _parts(module) if (own := _uses(part)) and all(uses[key] == own[key] for key in own)]
    for part in apart:
        fully_shard(part, mesh=mesh)
    fully_shard(module, mesh=mesh)
    for step in _STEPS:
        if is_overridden(step, module):
            # Lightning calls steps, and parameters are gathered when `forward` is called.
            register_fsdp_forward_method(module, step)


def _parts(module: nn.Module, *, is_root: bool = True) -> Iterator[nn.Module]:
    """What is gathered together, the inner before what it is in."""
    for child in module.children():
        yield from _parts(child, is_root=False)
        if (is_root or isinstance(module, _LISTS)) and not isinstance(child, _LISTS):
            yield child


def _uses(module: nn.Module) -> Counter[int]:
    """How often each parameter is used in a module."""
    return Counter(id(parameter) for _, parameter in module.named_parameters(remove_duplicate=False))


def _check_complete(module: LightningModule) -> None:
    whole: list[Any] = [
        name
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and not isinstance(parameter, DTensor)
    ]
    if whole:
        what = f"{type(module).__name__} splits its parameters, but for {', '.join(whole)}"
        fix = "call fully_shard for all of them in configure_model, for the module last; or for none"
        raise RunError(
            Problem(what, expected="all in parts: each rank would train its own copy of the others", fix=fix)
        )
