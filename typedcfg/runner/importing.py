"""Importing what is large: torch, Lightning, and the modules of users that import them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """For the length of the block nothing looks for cycles.

    Of what importing makes the most stays, and the collector would walk it again and again while it grows, which takes
    twice as long as once when all is there. What is garbage is found after the block.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
