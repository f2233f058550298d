import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import RecordError
from typedcfg.records.journal import Journal, read_journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "results.jsonl"
    with Journal(path) as journal:
        journal.append({"epoch": 1})
        journal.append({"epoch": 2})
    return path


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "results.jsonl") == []


def test_lines_come_back_in_order(path: Path) -> None:
    assert read_journal(path) == [{"epoch": 1}, {"epoch": 2}]


@pytest.mark.parametrize("tail", [b'{"epoch": 3', b'{"epoch": 3}', b"\0\0\0\0", b"\0\0\n", b"{]\n", b"3\n", b"\xff\n{"])
def test_a_torn_tail_is_passed_over_and_cut_off_by_the_next_writer(path: Path, tail: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + tail)

    assert read_journal(path) == [{"epoch": 1}, {"epoch": 2}]
    with Journal(path) as journal:
        assert path.read_bytes() == whole
        journal.append({"epoch": 3})

    assert read_journal(path) == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


def test_damage_before_a_good_line_is_an_error_with_its_line(path: Path) -> None:
    path.write_bytes(b'{"epoch": 0}\n{"epo\n' + path.read_bytes())

    with pytest.raises(RecordError, match=r"line 2 of results\.jsonl is damaged"):
        read_journal(path)


def test_an_append_that_fails_half_way_leaves_the_journal_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def refuse_once(_: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    with Journal(path) as journal:
        monkeypatch.setattr(os, "fsync", refuse_once)
        with pytest.raises(RecordError, match=r"cannot append to results\.jsonl: No space left"):
            journal.append({"epoch": 3})
        assert path.read_bytes() == before

        journal.append({"epoch": 4})

    assert read_journal(path)[-1] == {"epoch": 4}


@given(st.data())
def test_wherever_a_journal_is_torn_the_lines_before_survive(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "results.jsonl"
    whole = b"".join(b'{"epoch":%d}\n' % epoch for epoch in range(5))
    length = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:length] + b"\0" * data.draw(st.integers(0, 9)))

    with Journal(path) as journal:
        journal.append({"epoch": 9})

    assert [entry["epoch"] for entry in read_journal(path)] == [*range(whole[:length].count(b"\n")), 9]
