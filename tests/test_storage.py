import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from faulty_disk import Fault, FaultyDisk

from typedcfg import storage
from typedcfg.disk import Disk, using
from typedcfg.errors import RecordError


class ForgetfulDisk(Disk):
    """A disk on another machine that says of some renames that they are done, and forgets them."""

    def __init__(self, *, forgotten: int) -> None:
        self.forgotten = forgotten
        self.waited = 0

    def replace(self, source: Path, target: Path) -> None:
        self.forgotten -= 1
        if self.forgotten < 0:
            super().replace(source, target)

    def wait(self, seconds: float) -> None:  # noqa: ARG002  # as the disk's; nobody waits in a test
        self.waited += 1


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


def test_a_sweep_removes_folders_that_were_staged_and_what_was_staged_for_the_folder_itself(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / ".step.0123456789abcdef.staged" / "sub").mkdir(parents=True)
    (tmp_path / ".run.0123456789abcdef.staged").mkdir()
    (tmp_path / ".run-2.0123456789abcdef.staged").mkdir()

    storage.sweep(folder)

    assert names(folder) == []
    assert names(tmp_path) == [".run-2.0123456789abcdef.staged", "run"]


def test_a_file_is_renamed(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"half")

    storage.rename(tmp_path / "run.json", tmp_path / "run.json.damaged")

    assert names(tmp_path) == ["run.json.damaged"]


def test_a_link_that_leads_nowhere_is_renamed_and_replaced_as_any_file(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").symlink_to("gone")

    storage.rename(tmp_path / "run.yaml", tmp_path / "run.yaml.damaged")
    storage.write_atomically(tmp_path / "run.yaml", b"new")
    (tmp_path / "latest").symlink_to("gone")
    storage.write_atomically(tmp_path / "latest", b"new")

    assert [(path.is_symlink(), path.exists()) for path in sorted(tmp_path.iterdir())] == [
        (False, True),
        (False, True),
        (True, False),
    ]


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "step.ckpt" / "sub").mkdir(parents=True)
    (tmp_path / "step.ckpt" / "sub" / "shard").write_bytes(b"x")

    storage.remove(tmp_path / "step.ckpt")

    assert names(tmp_path) == []


def test_a_staged_folder_takes_its_name_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "step.ckpt"
    with storage.staged_folder(path) as stage:
        (stage / "shard").write_bytes(b"new")
        assert not path.exists()

    assert (path / "shard").read_bytes() == b"new"
    assert names(tmp_path) == ["step.ckpt"]


def test_a_staged_folder_replaces_the_one_that_stood_there(tmp_path: Path) -> None:
    (tmp_path / "step.ckpt").mkdir()
    (tmp_path / "step.ckpt" / "old").write_bytes(b"old")

    with storage.staged_folder(tmp_path / "step.ckpt") as stage:
        (stage / "new").write_bytes(b"new")

    assert names(tmp_path / "step.ckpt") == ["new"]
    assert names(tmp_path) == ["step.ckpt"]


def test_a_staged_folder_whose_block_raises_vanishes(tmp_path: Path) -> None:
    def interrupted() -> None:
        with storage.staged_folder(tmp_path / "step.ckpt") as stage:
            (stage / "shard").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert names(tmp_path) == []


WRITE_A_SHARD = "import sys; open(sys.argv[1], 'wb').write(b'x' * 1000)"


@pytest.mark.multiprocess
def test_several_processes_write_into_a_staged_folder(tmp_path: Path) -> None:
    with storage.staged_folder(tmp_path / "step.ckpt") as stage:
        ranks = [subprocess.Popen([sys.executable, "-c", WRITE_A_SHARD, stage / f"{rank}"]) for rank in range(2)]
        assert [rank.wait() for rank in ranks] == [0, 0]

    assert [(tmp_path / "step.ckpt" / f"{rank}").stat().st_size for rank in range(2)] == [1000, 1000]


def test_every_file_of_a_staged_folder_is_synced_before_its_name_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, partial(note, calls, name, getattr(os, name)))

    with storage.staged_folder(tmp_path / "step.ckpt") as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "shard").write_bytes(b"x")
        (stage / "shard").write_bytes(b"x")

    assert calls == [*["fsync"] * 4, "replace", "fsync"]


def test_parents_that_are_made_survive_a_power_loss_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(Disk, "sync_folder", lambda _, path: synced.append(path))

    storage.make_folder(tmp_path / "a" / "b" / "c")

    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]


@pytest.mark.parametrize("operation", [1, 2, 3])
def test_a_file_that_the_server_forgot_is_written_anew(tmp_path: Path, operation: int) -> None:
    (tmp_path / "a").write_bytes(b"old")

    with using(FaultyDisk(Fault("refuse", operation, errno.ESTALE))):
        storage.write_atomically(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_a_file_system_that_forgets_for_ever_is_an_error(tmp_path: Path) -> None:
    with (
        using(FaultyDisk(Fault("refuse from", 1, errno.ESTALE))),
        pytest.raises(RecordError, match="cannot write a: Stale file handle"),
    ):
        storage.write_atomically(tmp_path / "a", b"new")


@pytest.mark.parametrize("unseen", [1, 3])
def test_a_rename_that_is_not_seen_is_looked_for_and_asked_for_again(tmp_path: Path, unseen: int) -> None:
    (tmp_path / "latest").write_bytes(b"old")
    network = ForgetfulDisk(forgotten=unseen)

    with using(network):
        storage.write_atomically(tmp_path / "latest", b"new")

    assert (tmp_path / "latest").read_bytes() == b"new"
    assert network.waited == unseen


def test_a_rename_that_is_never_seen_is_an_error_and_the_old_content_stands(tmp_path: Path) -> None:
    (tmp_path / "latest").write_bytes(b"old")

    with (
        using(ForgetfulDisk(forgotten=100)),
        pytest.raises(RecordError, match="does not show the file under its name"),
    ):
        storage.write_atomically(tmp_path / "latest", b"new")

    assert (tmp_path / "latest").read_bytes() == b"old"
    assert names(tmp_path) == ["latest"]


def test_a_temporary_folder_that_cannot_be_written_to_plays_no_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    monkeypatch.setattr(tempfile, "tempdir", None)

    storage.write_atomically(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"


def folder_of(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    (tmp_path / name / "shard").write_text(name)
    return tmp_path / name


def test_another_name_of_a_folder_moves_from_one_to_the_next_at_once(tmp_path: Path) -> None:
    latest = tmp_path / "latest"
    for name in ("a", "b"):
        storage.link_atomically(folder_of(tmp_path, name), latest)

    assert latest.samefile(tmp_path / "b")
    assert latest.readlink() == Path("b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "latest"]


def test_removing_another_name_of_a_folder_leaves_the_folder(tmp_path: Path) -> None:
    storage.link_atomically(folder := folder_of(tmp_path, "a"), tmp_path / "latest")

    storage.remove(tmp_path / "latest")

    assert (folder / "shard").read_text() == "a"
    assert not (tmp_path / "latest").exists()


def test_a_folder_that_was_taken_over_outlives_the_first(tmp_path: Path) -> None:
    storage.take_over(folder := folder_of(tmp_path, "a"), tmp_path / "second")
    storage.remove(folder)

    assert (tmp_path / "second" / "shard").read_text() == "a"
