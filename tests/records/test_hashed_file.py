import hashlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.records.hashed_file import HashedFile


@given(st.lists(st.sampled_from([0, 1, 7, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20]), max_size=6))
def test_what_is_written_is_what_is_hashed_however_it_is_cut(lengths: list[int]) -> None:
    content, file = b"".join(bytes([n + 1]) * length for n, length in enumerate(lengths)), BytesIO()
    hashed, begin = HashedFile(file), 0

    for length in lengths:
        assert hashed.write(memoryview(content)[begin : begin + length]) == length
        begin += length
    hashed.flush()

    assert file.getvalue() == content
    assert (hashed.size, hashed.hexdigest()) == (len(content), hashlib.sha256(content).hexdigest())


def test_memory_that_changes_after_it_was_written_does_not_change_what_was_written() -> None:
    file, memory = BytesIO(), bytearray(b"a" * (2 << 20))
    hashed = HashedFile(file)

    hashed.write(memory)
    memory[:] = b"b" * len(memory)
    hashed.flush()

    assert hashed.hexdigest() == hashlib.sha256(b"a" * (2 << 20)).hexdigest()


def test_what_the_disk_refused_first_is_remembered() -> None:
    class Full(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    hashed = HashedFile(Full())
    with pytest.raises(OSError, match="No space left"):
        hashed.write(b"x" * (1 << 20))

    assert hashed.refused is not None
    assert hashed.refused.errno == 28
