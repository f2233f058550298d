"""What the ranks of a training tell one another."""

import atexit
from functools import cache
from threading import Thread
from typing import Any, Final, TypeVar

from torch import distributed

Told = TypeVar("Told")

_LEAVING_S: Final = 10.0
"""How long a process that exits waits for what it asked of other ranks [s]; who hangs must not keep it."""


def gathered(value: Told, world_size: int) -> list[Told]:
    """What each rank tells, in their order; all of them ask at once. One that is alone asks nobody."""
    if world_size == 1:
        return [value]
    told: list[Any] = [None] * world_size
    distributed.all_gather_object(told, value)
    return told


@cache
def leave_at_exit() -> None:
    """Let this process leave the other ranks when it exits; they may be gone, or go on.

    gloo's threads, left running, abort one process in some: its code would be that of a failure, whatever it came to.
    Lightning does this for NCCL alone.
    """
    atexit.register(_leave)


def _leave() -> None:
    if distributed.is_initialized() and distributed.get_backend() != "nccl":
        leaving = Thread(target=distributed.destroy_process_group, name="typedcfg-leave", daemon=True)
        leaving.start()
        leaving.join(_LEAVING_S)
