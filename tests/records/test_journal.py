import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import RecordError
from typedcfg.records.journal import Entry, Journal, damaged_path, read_journal


def entries(path: Path) -> list[Entry]:
    return [line.entry for line in read_journal(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "results.jsonl"
    with Journal(path) as journal:
        journal.append({"epoch": 1})
        journal.append({"epoch": 2})
    return path


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert entries(tmp_path / "results.jsonl") == []


def test_lines_come_back_in_order(path: Path) -> None:
    assert entries(path) == [{"epoch": 1}, {"epoch": 2}]


@pytest.mark.parametrize("tail", [b'{"epoch": 3', b'{"epoch": 3}', b"\0\0\0\0", b"\0\0\n", b"{]\n", b"3\n", b"\xff\n{"])
def test_a_torn_tail_is_passed_over_and_cut_off_by_the_next_writer(path: Path, tail: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + tail)

    assert entries(path) == [{"epoch": 1}, {"epoch": 2}]
    with Journal(path) as journal:
        assert path.read_bytes() == whole
        journal.append({"epoch": 3})

    assert entries(path) == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


@pytest.mark.parametrize("damage", [b'{"epo\n', b"\0\0\0\n", b"\0\0\0", b"\xff\xfe\n", b"\n"])
def test_damage_in_the_midst_is_passed_over_and_named(
    path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b'{"epoch": 0}\n' + damage + path.read_bytes())

    assert entries(path) == [{"epoch": 0}, {"epoch": 1}, {"epoch": 2}]
    assert f"{path}:2 is damaged" in caplog.text


def test_what_is_damaged_is_moved_aside_by_the_next_writer(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b'{"epo\n' + path.read_bytes() + b"\0\0")

    Journal(path).close()

    assert path.read_bytes() == b'{"epoch":1}\n{"epoch":2}\n'
    assert damaged_path(path).read_bytes() == b'{"epo\n\0\0\n'
    assert "8 bytes that are no line of it: moved to results.jsonl.damaged" in caplog.text


def test_what_is_damaged_later_joins_what_was_moved_aside_before(path: Path) -> None:
    for damage in (b"first\n", b"second\n"):
        path.write_bytes(path.read_bytes() + damage)
        Journal(path).close()

    assert damaged_path(path).read_bytes() == b"first\nsecond\n"


def test_a_journal_that_is_whole_is_left_as_it_is(path: Path) -> None:
    before = path.stat().st_ino

    Journal(path).close()

    assert path.stat().st_ino == before
    assert not damaged_path(path).exists()


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

    assert entries(path)[-1] == {"epoch": 4}


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

    assert [entry["epoch"] for entry in entries(path)] == [*range(whole[:length].count(b"\n")), 9]


@given(st.data())
def test_whatever_stands_behind_lines_or_over_later_ones_they_are_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "results.jsonl"
    lines = [b'{"epoch":%d}\n' % epoch for epoch in range(6)]
    kept = data.draw(st.integers(0, 6))
    whole, later = b"".join(lines[:kept]), b"".join(lines[kept:])
    damage = data.draw(st.binary(max_size=40))
    path.write_bytes(whole + damage + later[len(damage) :])

    read = entries(path)[:kept]
    with Journal(path) as journal:
        journal.append({"epoch": 9})

    assert read == entries(path)[:kept] == [{"epoch": epoch} for epoch in range(kept)]
    assert entries(path)[-1] == {"epoch": 9}
