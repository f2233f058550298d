"""Warnings of what is wrong in a file: told once in a process, however often the file is read."""

import logging
from typing import Final

_TOLD: Final[set[tuple[str, int]]] = set()


def warn_once(log: logging.Logger, text: str, *, of: bytes) -> None:
    """Warn, unless the same was told of the same content before.

    Args:
        log: Whose warning it is.
        text: What is wrong, and where.
        of: What it is wrong with; what differs is told of anew.
    """
    told = text, hash(of)
    if told not in _TOLD:
        _TOLD.add(told)
        log.warning("%s", text)
