"""The order of an epoch, as a function of what it depends on and of nothing else."""

import struct
from hashlib import blake2b
from typing import Final

import torch
from torch import Tensor

# order: Indices into a data set, int64 [sample].

_WORD: Final = 1 << 64


def key(*numbers: int) -> int:
    """A number of 64 bits that is another one for other numbers, and the same on every machine.

    Example:
        >>> key(1, 0, 17)
        1334403668601607119
    """
    words = [number % _WORD for number in numbers]
    return int.from_bytes(blake2b(struct.pack(f"<{len(words)}Q", *words), digest_size=8).digest(), "little")


def epoch_order(size: int, *, seed: int, epoch: int, shuffle: bool, lap: int = 0) -> Tensor:
    """The indices of all samples, in the order in which an epoch goes through them.

    Args:
        size: How many samples there are [samples].
        seed: What the order depends on, beside the epoch.
        epoch: The epoch's number, from 0.
        shuffle: Whether the order is random, or that of the data set.
        lap: How often this epoch has gone through all samples before: a short loader beside a longer one begins again.

    Example:
        >>> epoch_order(5, seed=1, epoch=0, shuffle=True).tolist()
        [0, 3, 1, 2, 4]
    """
    if not shuffle:
        return torch.arange(size)
    generator = torch.Generator().manual_seed(key(seed, epoch, lap))
    return torch.randperm(size, generator=generator)


def share(order: Tensor, *, rank: int, world_size: int, drop_uneven: bool = False) -> Tensor:
    """What one rank takes of an order: every `world_size`-th index, and as many as every other rank.

    Args:
        order: Indices [sample].
        rank: The rank, from 0.
        world_size: How many ranks there are.
        drop_uneven: Leave out what does not go round, rather than begin again until it does.

    Example:
        >>> [share(torch.arange(5), rank=rank, world_size=2).tolist() for rank in (0, 1)]
        [[0, 2, 4], [1, 3, 0]]
    """
    size = len(order)
    each = share_length(size, world_size, drop_uneven=drop_uneven)
    if each * world_size > size > 0:
        order = order.repeat(-(-each * world_size // size))
    return order[rank : each * world_size : world_size]


def share_length(size: int, world_size: int, *, drop_uneven: bool = False) -> int:
    """How many samples each rank takes of `size`."""
    return size // world_size if drop_uneven else -(-size // world_size)
