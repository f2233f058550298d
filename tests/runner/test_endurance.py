import errno
import os
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from typing_extensions import override

from typedcfg.runner.endurance import Unread


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


def test_letters_that_the_stream_has_not_are_written_as_escapes() -> None:
    written = BytesIO()
    stream = TextIOWrapper(written, encoding="ascii")

    Unread(stream).write("größe 0.5\n")
    stream.flush()

    assert written.getvalue() == b"gr\\xf6\\xdfe 0.5\n"
