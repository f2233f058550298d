import os
from io import BufferedWriter
from pathlib import Path

import pytest

from typedcfg.disk import Disk, NewFile, disk, using


class Counting(Disk):
    """Counts files that are made."""

    made = 0

    def create(self, path: Path) -> int:
        self.made += 1
        return super().create(path)


def test_another_disk_is_written_to_for_the_length_of_a_block(tmp_path: Path) -> None:
    real, counting = disk(), Counting()

    with using(counting), NewFile(tmp_path / "a"):
        assert disk() is counting

    assert disk() is real
    assert counting.made == 1


def test_a_block_that_raises_gives_the_disk_back() -> None:
    real = disk()

    with pytest.raises(KeyboardInterrupt), using(Counting()):
        raise KeyboardInterrupt

    assert disk() is real


def test_a_new_file_is_written_from_its_begin_to_its_end(tmp_path: Path) -> None:
    with NewFile(tmp_path / "a") as file:
        assert [file.write(b"one"), file.write(b"two"), file.tell()] == [3, 3, 6]

    assert (tmp_path / "a").read_bytes() == b"onetwo"


@pytest.mark.parametrize("length", [1000, 100_000, 5 << 20])
def test_the_disk_is_let_begin_with_a_long_file_however_it_is_cut(tmp_path: Path, length: int) -> None:
    begun: list[tuple[int, int]] = []

    class Noting(Disk):
        def begin_sync(self, descriptor: int, at: int, length: int) -> None:
            super().begin_sync(descriptor, at, length)
            begun.append((at, length))

    with using(Noting()), BufferedWriter(NewFile(tmp_path / "a"), 1 << 16) as file:
        for _ in range(0, 5 << 20, length):
            file.write(b"x" * length)

    ends = [at + length for at, length in begun]
    assert [at for at, _ in begun] == [0, *ends[:-1]], "nothing is left out, and nothing said twice"
    assert ends[-1] >= 4 << 20, "what is not said is little"
    assert (tmp_path / "a").stat().st_size >= 5 << 20


def test_a_new_file_is_never_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    with pytest.raises(FileExistsError):
        NewFile(tmp_path / "a")


def test_a_file_that_was_moved_is_sighted_under_its_new_name(tmp_path: Path) -> None:
    NewFile(tmp_path / "a").close()
    sighted = disk().sight(tmp_path / "a")

    disk().replace(tmp_path / "a", tmp_path / "b")

    assert [disk().sight(tmp_path / "a"), disk().sight(tmp_path / "b")] == [None, sighted]


def test_a_folder_that_cannot_be_synced_for_its_kind_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)

    disk().sync_folder(tmp_path)
