"""A file that hashes what goes through it: the bytes that were meant, not those that a disk gives back."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Final, Self

from typing_extensions import Buffer

_MUCH: Final = 1 << 16
"""From what length on two threads are quicker than one [bytes]."""


class HashedFile:
    """A file to write to. What is long is hashed in a thread while it is written; nothing is copied.

    The thread ends with the block.

    Example:
        >>> from io import BytesIO
        >>> with HashedFile(BytesIO()) as file:
        ...     file.write(b"weights")
        7
        >>> file.size, file.hexdigest()[:8]
        (7, '9a129038')
    """

    def __init__(self, file: BinaryIO) -> None:
        """Write on to `file`."""
        self.size = 0
        """What was written [bytes]."""
        self.refused: OSError | None = None
        """What the disk refused first; a library that writes may raise an error of its own over it."""
        self._file = file
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="typedcfg-hash")

    def write(self, content: Buffer) -> int:
        """Write on, and say how much that was [bytes]: all of it."""
        view = memoryview(content).cast("B")
        self.size += len(view)
        if len(view) < _MUCH:
            self._digest.update(view)
            self._pass_on(view)
        else:
            hashing = self._thread.submit(self._digest.update, view)
            try:
                self._pass_on(view)
            finally:
                # The memory belongs to the writer, who may go on with it from here.
                hashing.result()
        return len(view)

    def flush(self) -> None:
        """Let the file have what was written so far."""
        self._file.flush()

    def hexdigest(self) -> str:
        """The sha256 of what was written so far."""
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def _pass_on(self, view: memoryview) -> None:
        try:
            self._file.write(view)
        except OSError as error:
            self.refused = self.refused or error
            raise
