import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from typedcfg import storage
from typedcfg.errors import RecordError


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def note(calls: list[str], name: str, call: Callable[..., None], *arguments: object) -> None:
    calls.append(name)
    call(*arguments)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_replaces_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    storage.write_atomically(path, b"old")

    storage.write_atomically(path, b"new")

    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["run.json"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "run.json"
    storage.write_atomically(path, b"old")
    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(RecordError, match=r"cannot write run.json: No space left on device"):
        storage.write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["run.json"]


def test_a_block_that_raises_commits_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with storage.staged(tmp_path / "step.ckpt") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert names(tmp_path) == []


def test_a_write_goes_to_disk_before_its_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        noted = partial(note, calls, name, getattr(os, name))
        monkeypatch.setattr(os, name, noted)

    storage.write_atomically(tmp_path / "run.json", b"new")

    assert calls == ["fsync", "replace", "fsync"]


def test_a_link_is_a_second_name_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    storage.link_atomically(tmp_path / "a", tmp_path / "latest")

    storage.link_atomically(tmp_path / "b", tmp_path / "latest")

    assert (tmp_path / "latest").samefile(tmp_path / "b")
    assert names(tmp_path) == ["a", "b", "latest"]


def test_linking_a_name_to_its_own_file_leaves_no_stage_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    storage.link_atomically(tmp_path / "a", tmp_path / "latest")

    storage.link_atomically(tmp_path / "a", tmp_path / "latest")

    assert names(tmp_path) == ["a", "latest"]


def test_a_link_is_a_copy_where_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_bytes(b"a")

    storage.link_atomically(tmp_path / "a", tmp_path / "latest")

    assert (tmp_path / "latest").read_bytes() == b"a"
    assert not (tmp_path / "latest").samefile(tmp_path / "a")


def test_a_link_to_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot link latest: No such file"):
        storage.link_atomically(tmp_path / "gone", tmp_path / "latest")


def test_a_folder_is_made_by_one_call_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "a"

    assert [storage.make_folder(path), storage.make_folder(path)] == [True, False]


def test_a_sweep_removes_what_was_staged_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".run.json.0123456789abcdef.staged").write_bytes(b"half")
    (tmp_path / "run.json").write_bytes(b"whole")

    storage.sweep(tmp_path)

    assert names(tmp_path) == ["run.json"]
