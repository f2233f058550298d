"""The disk: every operation by which files and names change, one method each.

What must survive is written by `storage`, and `storage` changes nothing but through the disk that is installed. It is
the real one; a test installs another for a block, which counts operations, refuses one, kills the process at one, or
forgets what was not made sure of, as a power loss does.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import Final, NamedTuple

from typing_extensions import Buffer, override

_KEEPS_NAMES_ITSELF: Final = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What file systems say whose folders cannot be synced."""

_PIECE: Final = 1 << 20
"""How much is written before the disk is let begin with it [bytes]."""


class Sighting(NamedTuple):
    """What has a name, as far as it can be told from something else of that name."""

    device: int
    inode: int
    modified_ns: int


class Disk:
    """The real disk. What each method does is what the system call of that name does."""

    def create(self, path: Path) -> int:
        """A descriptor of a new file, to write to."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def open(self, path: Path) -> int:
        """A descriptor of a file to change in place; the file is made if need be."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def reopen(self, path: Path) -> int:
        """A descriptor of a file that is there, to change in place."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, descriptor: int, content: Buffer, at: int) -> int:
        """Write at an offset [bytes], and say how much of the content was written [bytes]."""
        return os.pwrite(descriptor, content, at)

    def begin_sync(self, descriptor: int, at: int, length: int) -> None:
        """Let the disk begin with what was written to a place [bytes], while more is written; nothing is promised."""
        if sys.platform == "linux":
            with suppress(OSError):
                os.posix_fadvise(descriptor, at, length, os.POSIX_FADV_DONTNEED)

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut a file to a length [bytes]."""
        os.ftruncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        """Make the content of a file survive a power loss."""
        os.fsync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder survive a power loss."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _KEEPS_NAMES_ITSELF:
                raise
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file or a folder another name, whatever had that name before."""
        source.replace(target)

    def link(self, source: Path, name: Path) -> None:
        """Give a file a further name."""
        os.link(source, name)

    def point(self, name: Path, target: Path) -> None:
        """Make a name that stands for whatever has another name; a target that is relative is beside it."""
        name.symlink_to(target)

    def unlink(self, path: Path) -> None:
        """Take a name from a file."""
        path.unlink()

    def make_folder(self, path: Path) -> None:
        """Make an empty folder."""
        path.mkdir()

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()

    def sight(self, path: Path) -> Sighting | None:
        """What has a name, if only a link; None where nothing has."""
        try:
            status = path.lstat()
        except FileNotFoundError:
            return None
        return Sighting(status.st_dev, status.st_ino, status.st_mtime_ns)

    def wait(self, seconds: float) -> None:
        """Let a file system on another machine come to itself."""
        time.sleep(seconds)


_installed = Disk()


def disk() -> Disk:
    """The disk to write to."""
    return _installed


@contextmanager
def using(another: Disk) -> Iterator[None]:
    """Write to another disk, in all threads, for the length of the block."""
    global _installed  # noqa: PLW0603  # a process has one disk
    before, _installed = _installed, another
    try:
        yield
    finally:
        _installed = before


class NewFile(RawIOBase):
    """A new file on the disk, written from its begin to its end."""

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            OSError: It cannot be made, or there is one.
        """
        self.name = str(path)
        self._descriptor = disk().create(path)
        self._length = 0
        self._begun = 0
        """How much of it the disk was let begin with [bytes]."""

    @override
    def writable(self) -> bool:
        """It is for nothing else."""
        return True

    @override
    def fileno(self) -> int:
        """Its descriptor."""
        return self._descriptor

    @override
    def tell(self) -> int:
        """How much was written [bytes]."""
        return self._length

    @override
    def write(self, content: Buffer) -> int:
        """Write on, and say how much of the content was written [bytes]; not all of it where it is long."""
        piece = memoryview(content)[:_PIECE]
        written = disk().write(self._descriptor, piece, self._length)
        self._length += written
        waiting = self._length - self._begun
        if waiting >= _PIECE:
            disk().begin_sync(self._descriptor, self._begun, waiting)
            self._begun = self._length
        return written

    @override
    def close(self) -> None:
        """Close it; what was written is not made sure of by that."""
        if not self.closed:
            super().close()
            os.close(self._descriptor)
