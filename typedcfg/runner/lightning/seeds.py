"""Where a training's randomness starts.

A model is built with the seed itself, so that it begins the same on every rank (DDP sends rank 0's weights to all
anyway). Training continues with the seed plus the rank, so that dropout and augmentation differ between ranks.
"""

import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import torch

_SEED_BOUND: Final = 1 << 32
"""numpy takes 32 bits; the others would take more."""
_CUBLAS: Final = "CUBLAS_WORKSPACE_CONFIG"
"""The variable by which cuBLAS is told which workspace to compute in."""
_REPRODUCIBLE: Final = ":4096:8"


def seed_all(seed: int, *, rank: int = 0) -> None:
    """Seed every global generator: python's, numpy's where numpy is used, torch's on all devices.

    Args:
        seed: The run's seed.
        rank: Added to it; 0 gives every rank the same numbers.
    """
    value = (seed + rank) % _SEED_BOUND
    seed_host(value)
    torch.manual_seed(value)


def seed_host(seed: int) -> None:
    """Seed the generators that data is prepared with: python's, numpy's where numpy is used, torch's on the CPU.

    Those of other devices stay as they are: `torch.manual_seed` would have to wake them up.
    """
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % _SEED_BOUND)
    torch.default_generator.manual_seed(seed)


class HostStates(NamedTuple):
    """Where the generators stand that data is prepared with."""

    python: tuple[Any, ...]
    numpy: Any
    """None where numpy is not used."""
    torch: torch.Tensor


def host_states() -> HostStates:
    """Where the generators stand now."""
    numpy = sys.modules["numpy"].random.get_state() if "numpy" in sys.modules else None
    return HostStates(random.getstate(), numpy, torch.get_rng_state())


def set_host_states(states: HostStates) -> None:
    """Put the generators where they stood."""
    random.setstate(states.python)
    if states.numpy is not None:
        sys.modules["numpy"].random.set_state(states.numpy)
    torch.set_rng_state(states.torch)


@contextmanager
def host_states_kept() -> Iterator[None]:
    """For the length of the block, draw and seed as you like: the generators are as they were afterwards."""
    states = host_states()
    try:
        yield
    finally:
        set_host_states(states)


class RandomStream:
    """Random numbers of its own for code that draws from the global generators."""

    def __init__(self, seed: int, owned: Sequence[torch.Generator] = ()) -> None:
        """Begin at `seed`.

        Args:
            seed: Where the stream begins.
            owned: Further generators that the code draws from.
        """
        self._seed = seed
        self._owned = tuple(owned)
        self._states: tuple[HostStates, list[torch.Tensor]] | None = None

    @contextmanager
    def drawn_from(self) -> Iterator[None]:
        """For the length of the block, let the generators give this stream's numbers, from where it was left."""
        before = [generator.get_state() for generator in self._owned]
        with host_states_kept():
            self._enter()
            try:
                yield
            finally:
                self._states = host_states(), [generator.get_state() for generator in self._owned]
                for generator, state in zip(self._owned, before, strict=True):
                    generator.set_state(state)

    def _enter(self) -> None:
        if self._states is None:
            seed_host(self._seed)
            for generator in self._owned:
                generator.manual_seed(self._seed)
        else:
            host, owned = self._states
            set_host_states(host)
            for generator, state in zip(self._owned, owned, strict=True):
                generator.set_state(state)


def make_deterministic() -> None:
    """Let torch use deterministic algorithms alone, and raise where an operation has none.

    Call it before CUDA is first used.

    Source:
        https://docs.pytorch.org/docs/stable/notes/randomness.html
    """
    os.environ.setdefault(_CUBLAS, _REPRODUCIBLE)
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


@contextmanager
def determinism(*, is_on: bool) -> Iterator[None]:
    """For the length of the block, hold torch to deterministic operations if that is asked for; all is put back."""
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    had_workspace = _CUBLAS in os.environ
    if is_on:
        make_deterministic()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
        if not had_workspace:
            os.environ.pop(_CUBLAS, None)
