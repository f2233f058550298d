"""A file that hashes what goes through it: the bytes that were meant, not those that a disk gives back."""

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Final

from typing_extensions import Buffer

_PIECE: Final = 1 << 20
"""What is hashed and written at once [bytes]."""
_AHEAD: Final = 32
"""How many pieces may wait to be hashed; each is held in memory."""


class HashedFile:
    """A file to write to. A thread hashes, while the disk writes and while it is waited for.

    Example:
        >>> from io import BytesIO
        >>> file = HashedFile(BytesIO())
        >>> file.write(b"weights")
        7
        >>> file.flush()
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
        self._gathered = bytearray()
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="typedcfg-hash")
        self._waiting: deque[Future[None]] = deque()

    def write(self, content: Buffer) -> int:
        """Write on, and say how much that was [bytes]: all of it."""
        view = memoryview(content).cast("B")
        self.size += len(view)
        if len(self._gathered) + len(view) < _PIECE:
            self._gathered += view
            return len(view)
        self._pass_on(bytes(self._gathered))
        self._gathered.clear()
        for begin in range(0, len(view), _PIECE):
            # A copy: the memory belongs to the writer, who may go on before the thread has read it.
            self._pass_on(bytes(view[begin : begin + _PIECE]))
        return len(view)

    def flush(self) -> None:
        """Let the file have what was written so far."""
        self._pass_on(bytes(self._gathered))
        self._gathered.clear()
        self._file.flush()

    def hexdigest(self) -> str:
        """The sha256 of what was flushed; nothing is written after it was asked for."""
        while self._waiting:
            self._waiting.popleft().result()
        self._thread.shutdown()
        return self._digest.hexdigest()

    def _pass_on(self, piece: bytes) -> None:
        if len(self._waiting) == _AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._digest.update, piece))
        try:
            self._file.write(piece)
        except OSError as error:
            self.refused = self.refused or error
            raise
