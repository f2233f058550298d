import errno
import os
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

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


def test_what_a_stream_cannot_take_is_dropped_and_that_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    unread = Unread(Full())

    unread.write("a line")
    unread.write("and another")

    assert capsys.readouterr().err == "warning: what is printed is lost from here on: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_disk_that_is_full_is_not_written_to_again() -> None:
    with open("/dev/full", "w") as stream:  # noqa: PTH123  # a device
        unread = Unread(stream)
        unread.write("a line\n")
        unread.flush()

        assert os.fstat(stream.fileno()).st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116  # as above


def test_a_stream_that_was_closed_before_python_began_takes_all() -> None:
    unread = Unread(None)

    unread.write("to nobody\n")
    unread.flush()


@pytest.mark.parametrize("closed", ["1", "2", "1 2", "0 1 2"])
def test_no_file_has_the_number_of_a_stream_that_is_closed(closed: str) -> None:
    code = (
        "import os, sys\n"
        "from typedcfg.runner.endurance import unread_is_no_error\n"
        "with unread_is_no_error():\n"
        "    print('to nobody', flush=True)\n"
        "    print('to nobody', file=sys.stderr, flush=True)\n"
        "    assert os.open(os.devnull, os.O_WRONLY) > 2\n"
    )
    shut = " ".join(f"{number}>&-" for number in closed.split())

    subprocess.run(f'exec {sys.executable} -c "$CODE" {shut}', shell=True, check=True, env={**os.environ, "CODE": code})


def test_a_stream_keeps_what_else_it_can() -> None:
    with os.fdopen(os.dup(1), "w") as stream:
        assert Unread(stream).name == stream.name


def test_letters_that_the_stream_has_not_are_written_as_escapes() -> None:
    written = BytesIO()
    stream = TextIOWrapper(written, encoding="ascii")

    Unread(stream).write("größe 0.5\n")
    stream.flush()

    assert written.getvalue() == b"gr\\xf6\\xdfe 0.5\n"
