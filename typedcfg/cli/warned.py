"""Warnings at a terminal: what a user's settings are warned of is told in one line, not as Python tells of code."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from typedcfg.errors import DeprecatedName


@contextmanager
def settings_warned_in_a_line() -> Iterator[None]:
    """For the length of the block, print warnings about settings as `warning: base.yaml:3:3: ...`.

    They bear the place of the setting; the line of Python that compiled it means nothing to who wrote the setting.
    Every other warning is shown as before.
    """
    show = warnings.showwarning

    def tell(  # noqa: PLR0913, PLR0917  # as Python calls it
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, DeprecatedName):
            print(f"warning: {message}", file=file or sys.stderr)
        else:
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = tell
    try:
        yield
    finally:
        warnings.showwarning = show
