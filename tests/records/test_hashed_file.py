import hashlib
import threading
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.records.hashed_file import HashedFile

LONG = 1 << 16
"""What is hashed in the thread."""


class Full(BytesIO):
    """A file on a disk without space."""

    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")


@given(st.lists(st.sampled_from([0, 1, 7, 1000, LONG - 1, LONG, LONG + 1, 3 << 20]), max_size=6))
def test_what_is_written_is_what_is_hashed_however_it_is_cut(lengths: list[int]) -> None:
    content, file, begin = b"".join(bytes([n + 1]) * length for n, length in enumerate(lengths)), BytesIO(), 0

    with HashedFile(file) as hashed:
        for length in lengths:
            assert hashed.write(memoryview(content)[begin : begin + length]) == length
            begin += length

    assert file.getvalue() == content
    assert (hashed.size, hashed.hexdigest()) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("length", [LONG - 1, 8 << 20])
def test_memory_that_changes_after_it_was_written_does_not_change_what_was_hashed(length: int) -> None:
    memory = bytearray(b"a" * length)

    with HashedFile(BytesIO()) as hashed:
        hashed.write(memory)
        memory[:] = b"b" * len(memory)

    assert hashed.hexdigest() == hashlib.sha256(b"a" * length).hexdigest()


@pytest.mark.parametrize("length", [1, LONG])
def test_what_the_disk_refused_first_is_remembered(length: int) -> None:
    with HashedFile(Full()) as hashed, pytest.raises(OSError, match="No space left"):
        hashed.write(b"x" * length)

    assert hashed.refused is not None
    assert hashed.refused.errno == 28


def test_memory_that_was_refused_is_the_writers_again() -> None:
    memory = bytearray(b"a" * (8 << 20))

    with HashedFile(Full()) as hashed:
        with pytest.raises(OSError, match="No space left"):
            hashed.write(memory)
        memory[:] = b"b" * len(memory)

    assert hashed.hexdigest() == hashlib.sha256(b"a" * (8 << 20)).hexdigest(), "nobody reads it any more"


@pytest.mark.parametrize("file", [BytesIO(), Full()])
def test_no_thread_outlives_the_block(file: BytesIO) -> None:
    before = threading.active_count()

    for _ in range(100):
        with suppress(OSError), HashedFile(file) as hashed:
            hashed.write(b"x" * LONG)

    assert threading.active_count() == before
