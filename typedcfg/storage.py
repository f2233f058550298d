"""The one writer: every write that must survive a crash goes through here.

A file is staged beside its target (never in a temporary folder, which may be another file system), flushed and
fsynced, moved over the target, and the folder is fsynced. Whoever reads sees the old content or the new, never a
part of either.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from typedcfg.errors import Problem, RecordError

STAGED_SUFFIX: Final = ".staged"
_serial: Final = count()


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` under `path`, all or nothing, replacing what was there.

    Raises:
        RecordError: The file cannot be written: a full disk, no permission. What was there still is.
    """
    with staged(path) as file:
        file.write(content)


@contextmanager
def staged(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` when the block ends well and vanishes when it does not.

    Raises:
        RecordError: The file cannot be written. What was there still is.
    """
    with _reported(path, "write"):
        stage = _stage_of(path)
        try:
            with stage.open("xb") as file:
                yield file
                _to_disk(file)
            stage.replace(path)
        except BaseException:
            # BaseException: a KeyboardInterrupt must not leave a stage file behind either.
            with suppress(OSError):  # the first error is the one to tell; a leftover is swept at the next start
                stage.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def link_atomically(source: Path, name: Path) -> None:
    """Make `name` another name of the file `source`, replacing what `name` stood for.

    A hard link where the file system has them, a copy elsewhere.

    Raises:
        RecordError: The name cannot be written. What it stood for, it still does.
    """
    with _reported(name, "link"):
        stage = _stage_of(name)
        try:
            os.link(source, stage)
        except FileNotFoundError:
            raise
        except OSError:
            _copy(source, name)
            return
        try:
            stage.replace(name)
        finally:
            # POSIX: replacing one link by another to the same file does nothing, and leaves both names.
            stage.unlink(missing_ok=True)
        fsync_folder(name.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there, so that it stays removed.

    Raises:
        RecordError: It cannot be removed.
    """
    with _reported(path, "remove"):
        path.unlink(missing_ok=True)
        fsync_folder(path.parent)


def make_folder(path: Path) -> bool:
    """Make a folder whose name must be new; its parents are made as needed.

    Returns:
        Whether this call made it; False where the name was taken, by another process a moment ago perhaps.

    Raises:
        RecordError: The folder cannot be made.
    """
    with _reported(path, "make"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir()
        except FileExistsError:
            return False
        fsync_folder(path.parent)
    return True


def make_filled_folder(path: Path, files: Mapping[str, bytes]) -> bool:
    """Make a folder together with its first files: nobody ever sees it without them.

    Returns:
        Whether this call made it; False where something other than an empty folder has the name.

    Raises:
        RecordError: The folder cannot be made.
    """
    with _reported(path, "make"):
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = _stage_of(path)
        stage.mkdir()
        try:
            for name, content in files.items():
                write_atomically(stage / name, content)
            stage.rename(path)
        except OSError:
            for name in files:
                (stage / name).unlink(missing_ok=True)
            stage.rmdir()
            if path.exists():
                return False
            raise
        fsync_folder(path.parent)
    return True


def sweep(folder: Path) -> None:
    """Remove what a writer that was killed had staged in a folder; only for who owns the folder.

    Raises:
        RecordError: A leftover cannot be removed.
    """
    for leftover in folder.glob(f".*{STAGED_SUFFIX}"):
        remove(leftover)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stage_of(path: Path) -> Path:
    """A name beside `path` that no other writer uses: not another process, thread or call."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}-{next(_serial)}{STAGED_SUFFIX}")


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as original, staged(target) as file:
        while chunk := original.read(1 << 20):
            file.write(chunk)


@contextmanager
def _reported(path: Path, verb: str) -> Iterator[None]:
    """Turn what the operating system refuses into an error that says which record, and why."""
    try:
        yield
    except OSError as error:
        fix = "free some space on the disk, or check who may write to the folder; what stood there is unharmed"
        if not path.parent.is_dir():
            fix = f"make the folder first: mkdir -p {path.parent}"
        what = f"cannot {verb} {path.name}: {error.strerror or error}"
        raise RecordError(Problem(what, where=str(path), fix=fix)) from error
