"""The random generators of one rank, as plain values and tensors: they load safely."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import torch

from typedcfg.runner.lightning.seeds import HostStates, host_states, set_host_states


class GeneratorStates(TypedDict):
    """Where a rank's generators stand."""

    python: tuple[Any, ...]
    numpy: tuple[Any, ...] | None
    torch: torch.Tensor
    cuda: torch.Tensor | None


def capture_generators(device: torch.device) -> GeneratorStates:
    """Where the generators of this process stand, and that of its device."""
    states = host_states()
    numpy = None
    if states.numpy is not None:
        name, keys, *rest = states.numpy
        numpy = (name, keys.tolist(), *rest)  # a list: arrays do not load with weights_only=True
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return {"python": states.python, "numpy": numpy, "torch": states.torch, "cuda": cuda}


def restore_generators(saved: GeneratorStates, device: torch.device) -> None:
    """Put the generators where they stood."""
    numpy = None
    if saved["numpy"] is not None:
        import numpy as np

        name, keys, *rest = saved["numpy"]
        numpy = (name, np.array(keys, dtype=np.uint32), *rest)
    set_host_states(HostStates(saved["python"], numpy, saved["torch"]))
    if saved["cuda"] is not None and device.type == "cuda":
        torch.cuda.set_rng_state(saved["cuda"], device)


@contextmanager
def generators_kept(device: torch.device) -> Iterator[None]:
    """For the length of the block, draw as you like: the generators are as they were afterwards."""
    states = capture_generators(device)
    try:
        yield
    finally:
        restore_generators(states, device)


def generators_in(owner: object) -> dict[str, Any]:
    """The generators among an object's attributes: of Python, numpy or torch."""
    kinds: tuple[type, ...] = (random.Random, torch.Generator)
    if "numpy" in sys.modules:
        numpy = sys.modules["numpy"].random
        kinds = (*kinds, numpy.Generator, numpy.RandomState)
    return {name: value for name, value in getattr(owner, "__dict__", {}).items() if isinstance(value, kinds)}
