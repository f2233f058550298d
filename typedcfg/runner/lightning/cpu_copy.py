"""A copy of a state in the CPU's memory, which the training does not change any more."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from torch import Tensor


def copy_to_cpu(state: dict[str, Any]) -> dict[str, Any]:
    """A copy of everything in a checkpoint: tensors in the CPU's memory, and one copy for those that are one.

    Example:
        >>> import torch
        >>> weight = torch.zeros(2)
        >>> copy = copy_to_cpu({"encoder": weight, "decoder": weight})
        >>> copy["encoder"] is copy["decoder"], copy["encoder"] is weight
        (True, False)
    """
    # deepcopy takes what the memo has for what it has copied already; it would copy a GPU's tensor within the GPU.
    copies: dict[tuple[Any, ...], Tensor] = {}
    memo: dict[int, Any] = {}
    for tensor in _tensors(state):
        place = (tensor.data_ptr(), tensor.device, tensor.dtype, tensor.shape, tensor.stride())
        if place not in copies or not tensor.numel():
            copies[place] = tensor.detach().to("cpu", copy=True)
        memo[id(tensor)] = copies[place]
    return deepcopy(state, memo)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
