"""Which of the processes that train together this one is, as its launcher said."""

import os
from typing import NamedTuple, Self


class Process(NamedTuple):
    """One of the processes that train together.

    Example:
        >>> Process(rank=3, local_rank=1, world_size=4).is_local_main
        False
    """

    rank: int = 0
    """Its number among all, from 0."""
    local_rank: int = 0
    """Its number among those on its machine."""
    world_size: int = 1
    """How many there are."""
    pid: int | None = None
    """Its number on its machine; None where nobody asked."""

    @classmethod
    def this_one(cls) -> Self:
        """The process that asks; the only one, where nobody said otherwise."""
        rank, local_rank, size = (int(os.environ.get(name, "0")) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
        return cls(rank, local_rank, max(size, 1), os.getpid())

    @property
    def is_main(self) -> bool:
        """Whether it is the first of all: the one that writes and tells."""
        return self.rank == 0

    @property
    def is_local_main(self) -> bool:
        """Whether it is the first on its machine: the one that downloads."""
        return self.local_rank == 0

    @property
    def is_forked(self) -> bool:
        """Whether who asks was forked off it, and so has nothing of its own to record or to give back."""
        return self.pid not in {None, os.getpid()}
