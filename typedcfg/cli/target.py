"""The file that a command is about to write."""

import errno
import os
from pathlib import Path

from typedcfg.cli.context import UsageError
from typedcfg.errors import Problem
from typedcfg.refusal import refusal


def check_target(file: Path, *, may_replace: bool) -> None:
    """Refuse a file that must not or cannot be written, before anything is.

    Raises:
        UsageError: There is one already, if only a link that leads nowhere; it is a checkpoint; a folder has its name;
            or there is no folder for it.
    """
    try:
        os.lstat(file)
        if os.path.isdir(file):  # noqa: PTH112  # as the other one, and says no of a link that leads in a circle
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        if error.errno == errno.ENOENT and os.path.isdir(file.parent):  # noqa: PTH112  # as above
            return
        raise UsageError(*refusal(file, "write", error).problems) from error
    from typedcfg.records.checkpoint_record import manifest_path

    manifest = manifest_path(file)
    if manifest.exists():
        what = f"{file} is a checkpoint, which nothing is written over"
        raise UsageError(Problem(what, where=str(manifest), fix="name another file"))
    if not may_replace:
        raise UsageError(Problem(f"{file} is there already", fix="name another file, or add --force to replace it"))
