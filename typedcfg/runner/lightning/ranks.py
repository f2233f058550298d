"""What the ranks of a training tell one another."""

from typing import Any, TypeVar

from torch import distributed

Told = TypeVar("Told")


def gathered(value: Told, world_size: int) -> list[Told]:
    """What each rank tells, in their order; all of them ask at once. One that is alone asks nobody."""
    if world_size == 1:
        return [value]
    told: list[Any] = [None] * world_size
    distributed.all_gather_object(told, value)
    return told
