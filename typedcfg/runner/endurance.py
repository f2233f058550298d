"""A training outlives the reader of what it prints."""

import errno
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import TextIOBase
from typing import Final, TextIO, cast

from typing_extensions import override

_UNREAD: Final = frozenset({errno.EPIPE, errno.EIO})
"""A pipe whose reader ended, as `head` does; a terminal that was closed. Nobody would read of it."""
_STANDARD_ERROR: Final = 2


class Unread:
    """A stream that goes to nowhere once nobody reads or takes it any more, and has a word for every letter.

    That a disk is full is told of once, on the standard error. In all else it is the stream it was.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """Stand before a stream; None is one that was closed before Python began."""
        self._stream = cast("TextIO", _Nowhere()) if stream is None else stream
        self._is_lost = False

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
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        # The file itself, not the stream alone: Python flushes what is left at its exit, and would fail there.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError):  # a stream without a file has nothing to flush
            os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if error.errno not in _UNREAD and not self._is_lost:
            self._is_lost = True
            with suppress(OSError):
                what = f"warning: what is printed is lost from here on: {error.strerror}"
                print(what, file=sys.stderr)  # noqa: T201  # the one place where nobody listens


class _Nowhere(TextIOBase):
    """What a closed stream is written to."""

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, text: str, /) -> int:
        return len(text)


@contextmanager
def unread_is_no_error() -> Iterator[None]:
    """For the length of the block, what is printed need not be read by anybody, nor go anywhere."""
    # The number of a stream that is closed would be the next file's, a record's perhaps, and libraries print to it.
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(number, True)  # by worker processes too
    os.close(number)
    out, err = Unread(sys.stdout), Unread(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        yield
