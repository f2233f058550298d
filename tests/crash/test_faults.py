"""At every operation of everything that a run does to its folder: a kill, a refusal, a torn write."""

import errno
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from deeds import DEEDS, Deed, check, leftovers
from faulty_disk import ENDING, Fault, FaultyDisk, Kind

from typedcfg.disk import Disk, using
from typedcfg.errors import RecordError

IN_ANOTHER = {"record results", "end", "resume"}
"""Deeds of many operations, most of which are those of another deed."""


@pytest.fixture(
    params=[pytest.param(d, id=d.name, marks=pytest.mark.slow if d.name in IN_ANOTHER else ()) for d in DEEDS]
)
def deed(request: pytest.FixtureRequest) -> Deed:
    found: Deed = request.param
    return found


@pytest.fixture
def prepared(deed: Deed, tmp_path: Path) -> Path:
    folder = tmp_path / "prepared"
    folder.mkdir()
    with using(FaultyDisk()):
        deed.prepare(folder)
    return folder


def copies(prepared: Path, numbers: Iterable[int]) -> Iterator[tuple[int, Path]]:
    """A copy of the prepared folder for each of some operations."""
    for k in numbers:
        copy = prepared.parent / f"copy-{k}"
        _copy(prepared, copy)
        yield k, copy
        shutil.rmtree(copy)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder; names of one file stay names of one file."""
    seen: dict[int, Path] = {}

    def copy_file(one: str, other: str) -> str:
        inode = Path(one).stat().st_ino
        if inode in seen:
            os.link(seen[inode], other)
        else:
            shutil.copyfile(one, other)
            seen[inode] = Path(other)
        return other

    shutil.copytree(source, target, copy_function=copy_file)


def operations(deed: Deed, prepared: Path) -> list[str]:
    """What the deed does when nothing goes wrong."""
    (_, copy), disk = next(copies(prepared, [0])), FaultyDisk()
    with using(disk):
        deed.act(copy, lambda _: None)
    return disk.operations


def numbers_of(names: list[str], only: str = "") -> list[int]:
    """The numbers of the operations that do something, from 1."""
    return [number for number, name in enumerate(names, start=1) if name.startswith(only)]


def until_killed(deed: Deed, folder: Path, disk: Disk) -> list[str]:
    """Let a process of its own do the deed until it is killed; what it had promised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with using(disk):
                deed.act(folder, lambda text: _tell(writing, text))
        except BaseException:  # noqa: BLE001  # a child of pytest must never return to it
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        promises = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return promises


def _tell(pipe: int, text: str) -> None:
    os.write(pipe, f"{text}\n".encode())


def go_on(deed: Deed, folder: Path) -> None:
    """Let the next process do what it finds to be done, and see that it ends as it would have."""
    promises: list[str] = []
    with using(FaultyDisk()):
        deed.act(folder, promises.append)
        check(folder, promises)
    assert leftovers(folder) == []


def attempt(deed: Deed, folder: Path, promises: list[str]) -> str | None:
    """Do the deed; what it was refused with."""
    try:
        deed.act(folder, promises.append)
    except RecordError as refusal:
        return str(refusal)
    return None


@pytest.mark.parametrize("kind", ENDING)
def test_a_process_that_is_killed_at_any_operation_loses_nothing_that_it_promised(
    deed: Deed, prepared: Path, kind: Kind
) -> None:
    names = operations(deed, prepared)

    for k, folder in copies(prepared, numbers_of(names, "" if kind == "kill" else "write")):
        try:
            promises = until_killed(deed, folder, FaultyDisk(Fault(kind, k)))
            with using(FaultyDisk()):
                check(folder, promises)
            go_on(deed, folder)
        except Exception as error:
            error.add_note(f"{kind} at operation {k} of {names}")
            raise


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse", errno.EIO),
        ("refuse from", errno.ENOSPC),
        ("half", errno.ENOSPC),
        pytest.param("refuse from", errno.EROFS, marks=pytest.mark.slow),
        pytest.param("refuse", errno.ESTALE, marks=pytest.mark.slow),
    ],
)
def test_an_operation_that_is_refused_is_told_of_and_breaks_nothing(
    deed: Deed, prepared: Path, kind: Kind, error: int
) -> None:
    names = operations(deed, prepared)

    for k, folder in copies(prepared, numbers_of(names, "write" if kind == "half" else "")):
        promises: list[str] = []
        try:
            with using(FaultyDisk(Fault(kind, k, error))):
                told = attempt(deed, folder, promises)
            assert told is None or os.strerror(error) in told
            with using(FaultyDisk()):
                check(folder, promises)
            go_on(deed, folder)
        except Exception as caught:
            caught.add_note(f"{kind} {errno.errorcode[error]} at operation {k} of {names}; promised {promises}")
            raise


@pytest.mark.parametrize("error", [errno.ESTALE, errno.ENOENT])
def test_a_rename_whose_answer_was_lost_has_happened(deed: Deed, prepared: Path, error: int) -> None:
    names = operations(deed, prepared)

    for k, folder in copies(prepared, numbers_of(names, "replace")):
        promises: list[str] = []
        with using(FaultyDisk(Fault("lost answer", k, error))):
            deed.act(folder, promises.append)
            check(folder, promises)
