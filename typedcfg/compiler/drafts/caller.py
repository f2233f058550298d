"""The caller: which line of a user's code asked for something, as the origin of what it set."""

import sys
from typing import Final

from typedcfg.origin import Origin, in_code

_PASSED_THROUGH: Final = frozenset({"typedcfg", "collections", "_collections_abc", "contextlib"})
"""Packages that only carry a call on: ours, and the mixin methods of a mapping."""


def line_of_caller() -> Origin:
    """The innermost line on the stack that is neither ours nor a container's.

    Example:
        >>> Origin("train.py", 12) if line_of_caller().line else None
        Origin(source='train.py', line=12, column=None)
    """
    frame = sys._getframe(1)  # noqa: SLF001  # `inspect` costs as much to import as to declare ten sections
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED_THROUGH:
        frame = frame.f_back
    return in_code(frame.f_code.co_filename, frame.f_lineno)
