"""A training outlives the reader of what it prints."""

import errno
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Final, TextIO, cast

_UNREAD: Final = frozenset({errno.EPIPE, errno.EIO})
"""A pipe whose reader ended, as `head` does; a terminal that was closed."""


class Unread:
    """A stream that goes to nowhere once nobody reads it any more, and has a word for every letter.

    In all else it is the stream it was.
    """

    def __init__(self, stream: TextIO) -> None:
        """Stand before a stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads; letters that the stream's encoding lacks are written as escapes."""
        with self._enduring():
            try:
                self._stream.write(text)
            except UnicodeEncodeError as error:
                self._stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        return len(text)

    def writelines(self, lines: Collection[str]) -> None:
        """Write each line."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush, or drop what nobody reads."""
        with self._enduring():
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    @contextmanager
    def _enduring(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _UNREAD:
                raise
            # The file itself, not the stream alone: Python flushes what is left at its exit, and would fail there.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def unread_is_no_error() -> Iterator[None]:
    """For the length of the block, what is printed need not be read by anybody."""
    out, err = Unread(sys.stdout), Unread(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        yield
