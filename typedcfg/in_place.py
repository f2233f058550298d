"""Files that are changed where they are: one that grows at its end, one that is locked.

What is replaced as a whole is `storage`'s.
"""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

from typedcfg.disk import disk
from typedcfg.storage import retried


def overwrite(descriptor: int, content: bytes) -> None:
    """Replace the content of an open file in place: for a file that is locked, and would not be if it were replaced.

    Raises:
        OSError: It cannot be written. The file may hold a part of the content.
    """
    disk().truncate(descriptor, 0)
    _write_all(descriptor, content, 0)


class AppendedFile:
    """A file that grows at its end, piece by piece, each there whole or not at all."""

    def __init__(self, path: Path, whole: int = 0) -> None:
        """Open the file, making it if need be, and cut off what stands behind its whole pieces.

        Args:
            path: The file.
            whole: The length of its whole pieces [bytes].

        Raises:
            OSError: It cannot be opened.
        """
        self.path = path
        self._length = whole
        self._descriptor: int | None = None
        self._open()

    def append(self, content: bytes) -> None:
        """Add a piece; when this returns, it survives a power loss.

        Raises:
            OSError: It cannot be written. The file holds what it held before, if need be after the next append.
        """
        retried(partial(self._append, content))

    def close(self) -> None:
        """Close the file; nothing is pending."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> int:
        self._descriptor = descriptor = disk().open(self.path)
        try:
            if os.fstat(descriptor).st_size > self._length:
                disk().truncate(descriptor, self._length)
                disk().sync(descriptor)
            # Also of a file that was there: whoever made it may have been killed before this.
            disk().sync_folder(self.path.parent)
        except OSError:
            self.close()
            raise
        return descriptor

    def _append(self, content: bytes) -> None:
        descriptor = self._open() if self._descriptor is None else self._descriptor
        try:
            _write_all(descriptor, content, self._length)
            disk().sync(descriptor)
        except OSError:
            # Part of the content may stand there, and a later piece must not be glued to it. Opening cuts it off;
            # if that fails too, readers pass over the part, and the next piece tries again.
            self.close()
            with suppress(OSError):
                self._open()
            raise
        self._length += len(content)


def _write_all(descriptor: int, content: bytes, at: int) -> None:
    rest = memoryview(content)
    while rest:
        written = disk().write(descriptor, rest, at)
        rest, at = rest[written:], at + written
