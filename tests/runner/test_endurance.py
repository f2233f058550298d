import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from typing_extensions import override

from typedcfg.runner.endurance import Unread, hangup_preempts


@contextmanager
def handled(number: signal.Signals, handler: signal.Handlers) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_what_nobody_reads_is_dropped() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        os.close(reader)
        unread = Unread(stream)

        unread.write("to nobody\n")
        unread.flush()
        unread.writelines(["still", "nobody"])


class Full(StringIO):
    @override
    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_cannot_be_written_for_another_reason_is_an_error() -> None:
    with pytest.raises(OSError, match="No space left"):
        Unread(Full()).write("a line")


def test_a_stream_keeps_what_else_it_can() -> None:
    with os.fdopen(os.dup(1), "w") as stream:
        assert Unread(stream).name == stream.name


def test_a_hangup_is_told_as_sigterm() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))

    with hangup_preempts():
        signal.raise_signal(signal.SIGHUP)

    signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    with handled(signal.SIGHUP, signal.SIG_IGN), hangup_preempts():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
