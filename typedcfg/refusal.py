"""What the operating system refuses, told so that a person can do something about it: which part of a path, and what.

The words of the system ("Not a directory") name neither the part of a path that is to blame nor a remedy. Both can be
found out once something was refused: nothing here is asked before.
"""

import errno
import os
from pathlib import Path
from typing import Final

from typedcfg.errors import Problem, RecordError

_SPACE: Final = "free some space on the disk; what stood there is unharmed"
_REMEDIES: Final = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EROFS: "name another place: nothing can be written to this file system",
    errno.EFBIG: "allow larger files: see `ulimit -f`, and what the file system holds; what stood there is unharmed",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "move the folder of that name away",
}
_UNKNOWN: Final = "see whether the disk is sound; what stood there is unharmed"
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
_NO_PLACE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EEXIST})
"""What is said of a name when one of the folders before it is none."""


def refusal(path: Path, verb: str, error: OSError) -> RecordError:
    """The error that tells what the operating system refused: "cannot write run.json: No space left on device"."""
    what = f"cannot {verb} {path.name or path}: {error.strerror or error}"
    return RecordError(Problem(what, where=str(path), fix=remedy(path, error)))


def remedy(path: Path, error: OSError) -> str:
    """What to do about a file or folder that the operating system refused.

    Example:
        >>> remedy(Path("run.yaml"), OSError(errno.EROFS, "Read-only file system"))
        'name another place: nothing can be written to this file system'
    """
    if error.errno in _FORBIDDEN:
        return f"name another place, or see who may do that: ls -ld {_nearest(path)}"
    to_blame = _in_the_way(path, is_no_folder=error.errno == errno.ENOTDIR) if error.errno in _NO_PLACE else ""
    return to_blame or _REMEDIES.get(error.errno or 0, _UNKNOWN)


def _in_the_way(path: Path, *, is_no_folder: bool) -> str:
    """What to do about a path whose folder is none, by the first part that is to blame; empty if none is.

    Args:
        path: The path.
        is_no_folder: Whether that may be the path itself.
    """
    # os.path has an answer also for what may not be asked about.
    own = [path] if is_no_folder or os.path.islink(path) else []  # noqa: PTH114  # as above
    for part in (*reversed(path.parents), *own):
        if os.path.islink(part) and not os.path.exists(part):  # noqa: PTH110, PTH114  # as above
            return f"{part} is a link that leads nowhere: remove it, or name another place"
        if os.path.lexists(part) and not os.path.isdir(part):  # noqa: PTH112  # as above
            return f"{part} is no folder: move it away, or name another place"
    return "" if os.path.isdir(path.parent) else f"make the folder first: mkdir -p {path.parent}"  # noqa: PTH112  # as above


def _nearest(path: Path) -> Path:
    """The path itself if it can be asked about, else the nearest folder above that can."""
    return next((part for part in (path, *path.parents) if os.path.lexists(part)), path)
