"""Importing what is large: torch, Lightning, and the modules of users that import them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """For the length of the block nothing looks for cycles.

    Of what importing makes nearly all stays, and the collector would walk it some hundred times while it grows: a
    fifth of what importing Lightning costs. What is garbage is found when the block is over.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
