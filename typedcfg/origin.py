"""Where a value was written: a file position, a variable, an argument, a line of Python."""

from pathlib import Path
from typing import NamedTuple


class Origin(NamedTuple):
    """The place a setting comes from.

    A tuple rather than a dataclass: one is made for every key of every file.

    Example:
        >>> str(Origin("base.yaml", 12, 3))
        'base.yaml:12:3'
        >>> str(Origin("variable DIGITS__OPTIMIZER__LR"))
        'variable DIGITS__OPTIMIZER__LR'
    """

    source: str
    """A file's path as the user gave it, or the words that name another source: `argument 4`."""
    line: int | None = None
    """Counted from 1."""
    column: int | None = None
    """Counted from 1, in characters."""

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part is not None)


def in_code(file: str, line: int) -> Origin:
    """A line of Python, its file named as one would: from the current folder where it lies below it."""
    path, here = Path(file), Path.cwd()
    return Origin(str(path.relative_to(here)) if path.is_relative_to(here) else file, line)
