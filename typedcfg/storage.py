"""The one writer: every write that must survive a crash goes through here, or through `in_place` beside it.

A file is staged beside its target (never in a temporary folder, which may be another file system), flushed and
fsynced, moved over the target, and the folder is fsynced. Whoever reads sees the old content or the new, never a
part of either. What a writer that was killed leaves behind has a name that nobody reads, and is swept later.

On file systems of other machines an operation may be done and be said to have failed, or be seen late. So a file that
was forgotten amid a write (ESTALE) is written anew, and a name is looked at after it was moved.
"""

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedWriter
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from typedcfg.disk import NewFile, disk
from typedcfg.refusal import refusal

STAGED_SUFFIX: Final = ".staged"
_STAGE: Final = re.compile(r"\.(?P<target>.+)\.[0-9a-f-]+\.staged")
_BUFFER: Final = 1 << 16
"""What is gathered before it is written; what is longer is written as it is, without a copy [bytes]."""
_WAITS_S: Final = (0.02, 0.1, 0.5, 1.0)
"""How long to wait before each further try: an NFS client looks again at a name after a second or so."""
_MOVED_ALL_THE_SAME: Final = frozenset({errno.ESTALE, errno.ENOENT})
"""What a rename may fail with that was carried out: its answer was lost, and it was asked for once more."""

Written = TypeVar("Written")


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` under `path`, all or nothing, replacing what was there.

    Raises:
        RecordError: The file cannot be written: a full disk, no permission. What was there still is.
    """
    fill_atomically(path, lambda file: file.write(content))


def fill_atomically(path: Path, fill: Callable[[BinaryIO], Written]) -> Written:
    """Let `fill` write the file `path`, all or nothing, replacing what was there.

    Args:
        path: The file.
        fill: Writes into the file that it is given. It is called anew where the file system forgot that file.

    Returns:
        What `fill` returns.

    Raises:
        RecordError: The file cannot be written. What was there still is.
    """

    def write() -> Written:
        with _staged(path) as file:
            return fill(file)

    with _reported(path, "write"):
        return retried(write)


@contextmanager
def staged(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` when the block ends well and vanishes when it does not.

    Raises:
        RecordError: The file cannot be written. What was there still is.
    """
    with _reported(path, "write"), _staged(path) as file:
        yield file


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `path` when the block ends well and vanishes when it does not.

    Other processes, and other machines, may write into it until the block ends. All files in it are fsynced then;
    one that another machine wrote must be fsynced there. A folder that had the name before is gone afterwards.

    Raises:
        RecordError: The folder cannot be made or moved. What was there still is.
    """
    with _reported(path, "write"):
        stage = _stage_of(path)
        try:
            disk().make_folder(stage)
            yield stage
            _sync_tree(stage)
            _put_aside(path)
            _move(stage, path)
        except BaseException:
            with suppress(OSError):
                _delete(stage)
            raise
        disk().sync_folder(path.parent)


def link_atomically(source: Path, name: Path) -> None:
    """Make `name` another name of `source`, replacing what `name` stood for.

    Of a file: a hard link where the file system has them, a copy elsewhere. Of a folder, which has one name alone: a
    relative symbolic link, which stands for nothing once the folder is removed.

    Raises:
        RecordError: The name cannot be written. What it stood for, it still does.
    """
    with _reported(name, "link"):
        stage = _stage_of(name)
        try:
            if source.is_dir():
                disk().point(stage, Path(os.path.relpath(source, name.parent)))
            else:
                disk().link(source, stage)
        except FileNotFoundError:
            raise
        except OSError:
            if source.is_dir():
                raise
            retried(partial(_copy, source, name))
            return
        try:
            _move(stage, name)
        finally:
            # POSIX: replacing one link by another to the same file does nothing, and leaves both names.
            with suppress(OSError):
                disk().unlink(stage)
        disk().sync_folder(name.parent)


def take_over(source: Path, name: Path) -> None:
    """Make `name` stand for what `source` does, also once `source` is removed; of a folder, all that is in it.

    Raises:
        RecordError: The name cannot be written. What it stood for, it still does.
    """
    if not source.is_dir():
        link_atomically(source, name)
        return
    with staged_folder(name) as folder:
        for path in source.iterdir():
            take_over(path, folder / path.name)


def rename(path: Path, name: Path) -> None:
    """Give a file another name, which nothing may have yet.

    Raises:
        RecordError: It cannot be renamed: it is there whole, under one of the two.
    """
    with _reported(path, "rename"):
        _move(path, name)
        disk().sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there, so that it stays removed.

    Raises:
        RecordError: It cannot be removed. A folder of that name is there as it was, or not at all.
    """
    with _reported(path, "remove"):
        if path.is_dir() and not path.is_symlink():
            _put_aside(path)
        else:
            try:
                disk().unlink(path)
            except FileNotFoundError:
                return
            disk().sync_folder(path.parent)


def make_folder(path: Path) -> bool:
    """Make a folder whose name must be new; its parents are made as needed.

    Returns:
        Whether this call made it; False where the name was taken, by another process a moment ago perhaps.

    Raises:
        RecordError: The folder cannot be made.
    """
    with _reported(path, "make"):
        _make_parents(path)
        try:
            disk().make_folder(path)
        except FileExistsError:
            is_new = False
        else:
            is_new = True
        # Where there is one already too: whoever made it may have been killed before this.
        disk().sync_folder(path.parent)
    return is_new


def make_filled_folder(path: Path, files: Mapping[str, bytes]) -> bool:
    """Make a folder together with its first files: nobody ever sees it without them.

    Returns:
        Whether this call made it; False where something other than an empty folder has the name.

    Raises:
        RecordError: The folder cannot be made.
    """
    with _reported(path, "make"):
        _make_parents(path)
        stage = _stage_of(path)
        try:
            disk().make_folder(stage)
            for name, content in files.items():
                write_atomically(stage / name, content)
            _move(stage, path)
        except BaseException as error:
            with suppress(OSError):
                _delete(stage)
            if isinstance(error, OSError) and path.exists():
                return False
            raise
        disk().sync_folder(path.parent)
    return True


def sweep(folder: Path, *, within: Iterable[Path] = ()) -> None:
    """Bring to an end what a writer that was killed had begun in a folder; only for who owns the folder.

    What it had staged is removed, for the folder itself too, and what it had named is made sure of.

    Args:
        folder: The folder.
        within: Folders in it, or in one of these, to tidy too; each is looked through once, however many there are.

    Raises:
        RecordError: A leftover cannot be removed.
    """
    for each in (*within, folder):
        with _reported(each, "tidy up"):
            for path in each.iterdir():
                if _STAGE.fullmatch(path.name):
                    _delete(path)
            disk().sync_folder(each)
    with _reported(folder, "tidy up"):
        for path in folder.parent.glob(f".*{STAGED_SUFFIX}"):
            stage = _STAGE.fullmatch(path.name)
            if stage and stage["target"] == folder.name:
                _delete(path)
        disk().sync_folder(folder.parent)


def retried(write: Callable[[], Written]) -> Written:
    """What `write` returns; it is called anew where the file system forgot the file that it was writing.

    Raises:
        OSError: What `write` raises, ESTALE after some tries alone.
    """
    for wait_s in _WAITS_S:
        try:
            return write()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        disk().wait(wait_s)
    return write()


@contextmanager
def _staged(path: Path) -> Iterator[BinaryIO]:
    stage = _stage_of(path)
    raw = NewFile(stage)
    file = BufferedWriter(raw, _BUFFER)
    try:
        yield file
        file.flush()
        disk().sync(raw.fileno())
        file.close()
        _move(stage, path)
    except BaseException:
        # BaseException: a KeyboardInterrupt must not leave a stage file behind either.
        raw.close()  # not the buffer, which would write on
        with suppress(OSError):  # the first error is the one to tell; a leftover is swept at the next start
            disk().unlink(stage)
        raise
    disk().sync_folder(path.parent)


def _move(stage: Path, target: Path) -> None:
    """Move what was staged to its name, and see that the name stands for it."""
    ours, before = disk().sight(stage), disk().sight(target)
    refused: OSError | None = None
    for wait_s in (*_WAITS_S, None):
        try:
            disk().replace(stage, target)
        except OSError as error:
            if error.errno not in _MOVED_ALL_THE_SAME:
                raise
            refused = error
        else:
            refused = None
        now = disk().sight(target)
        # A third one is there where another process was quicker to replace ours than we to look.
        if now is not None and (now == ours or (refused is None and now != before)):
            return
        if wait_s is not None:
            disk().wait(wait_s)
    raise refused or OSError(errno.EIO, "the file system does not show the file under its name")


def _put_aside(path: Path) -> None:
    """Remove a folder, if it is there: its name at once, so that nobody sees a part of it."""
    if not path.exists():
        return
    aside = _stage_of(path)
    _move(path, aside)
    disk().sync_folder(path.parent)
    _delete(aside)


def _delete(path: Path) -> None:
    """Delete a file or a folder; what is gone already is no error."""
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            for entry in path.iterdir():
                _delete(entry)
            disk().remove_folder(path)
        else:
            disk().unlink(path)


def _make_parents(path: Path) -> None:
    for parent in reversed(path.absolute().parents):
        if not parent.exists():
            with suppress(FileExistsError):
                disk().make_folder(parent)
            disk().sync_folder(parent.parent)


def _sync_tree(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            _sync_tree(path)
        else:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                disk().sync(descriptor)
            finally:
                os.close(descriptor)
    disk().sync_folder(folder)


def _stage_of(path: Path) -> Path:
    """A name beside `path` that no other writer uses, on no machine."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}{STAGED_SUFFIX}")


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as original, _staged(target) as file:
        while chunk := original.read(_BUFFER):
            file.write(chunk)


@contextmanager
def _reported(path: Path, verb: str) -> Iterator[None]:
    """Turn what the operating system refuses into an error that says which record, and why."""
    try:
        yield
    except OSError as error:
        raise refusal(path, verb, error) from error
