"""Files that are changed where they are."""

import errno
import os
from pathlib import Path

import pytest
from faulty_disk import Fault, FaultyDisk

from typedcfg.disk import using
from typedcfg.in_place import AppendedFile, overwrite


def test_a_file_that_grows_keeps_whole_pieces_alone(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"whole|torn")

    with AppendedFile(tmp_path / "log", whole=6) as file:
        file.append(b"more|")

    assert (tmp_path / "log").read_bytes() == b"whole|more|"


def test_a_piece_that_cannot_be_written_is_cut_off_even_if_that_takes_until_the_next(tmp_path: Path) -> None:
    disk = FaultyDisk(Fault("refuse from", 4, errno.EIO))  # 1 open, 2 sync the folder, 3 write, 4 sync
    with using(disk):
        file = AppendedFile(tmp_path / "log")
        with pytest.raises(OSError, match="Input/output error"):
            file.append(b"first|")
    assert (tmp_path / "log").read_bytes() == b"first|"

    file.append(b"second|")
    file.close()

    assert (tmp_path / "log").read_bytes() == b"second|"


def test_what_was_locked_is_overwritten_in_place(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"a longer text")
    descriptor = os.open(tmp_path / "lock", os.O_RDWR)

    overwrite(descriptor, b"short")
    os.close(descriptor)

    assert (tmp_path / "lock").read_bytes() == b"short"


def test_a_line_that_the_server_forgot_is_appended_once(tmp_path: Path) -> None:
    with AppendedFile(tmp_path / "log") as file, using(FaultyDisk(Fault("refuse", 2, errno.ESTALE))):
        file.append(b"line|")

    assert (tmp_path / "log").read_bytes() == b"line|"
