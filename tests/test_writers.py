"""Nothing that must survive is written but through `storage`: no module changes files or names by other means."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent / "typedcfg"

ALLOWED: Final = {
    ("disk.py", "os.open"): "it is the disk",
    ("disk.py", "os.pwrite"): "it is the disk",
    ("disk.py", "os.ftruncate"): "it is the disk",
    ("disk.py", "os.fsync"): "it is the disk",
    ("disk.py", "os.link"): "it is the disk",
    ("disk.py", ".symlink_to"): "it is the disk",
    ("disk.py", ".unlink"): "it is the disk",
    ("disk.py", ".mkdir"): "it is the disk",
    ("disk.py", ".rmdir"): "it is the disk",
    ("storage.py", "os.open"): "for reading: to sync what others wrote into a folder",
    ("runner/log.py", "open for writing"): "a log is for people, and nothing is decided by it",
    ("runner/lightning/hang.py", "os.write"): "a log is for people: where each thread stood",
    ("runner/stop_signals.py", "os.write"): "to the screen, for the person who sent a signal",
    ("runner/endurance.py", "os.open"): "the null device, for a stream that nobody reads",
    ("cli/main.py", "os.open"): "the null device, for a stream that nobody reads",
    ("compiler/writing/saving.py", "tempfile"): "a text in a file, to be read back and thrown away",
    ("compiler/writing/saving.py", ".write_bytes"): "a text in a file, to be read back and thrown away",
    ("identity/code_version.py", "tempfile"): "an index for git, thrown away once git has answered",
    ("identity/code_version.py", ".mkdir"): "an index for git, thrown away once git has answered",
    ("testing/compiling.py", "tempfile"): "files of a test",
    ("testing/compiling.py", ".mkdir"): "files of a test",
    ("testing/compiling.py", ".write_text"): "files of a test",
    ("testing/launcher_contract.py", ".mkdir"): "files of a test",
    ("testing/launcher_contract.py", ".write_text"): "files of a test",
}
"""Who changes files and names by other means all the same, and why that need not survive."""

_OF_OS: Final = frozenset(
    {
        *("chmod", "fdatasync", "fsync", "ftruncate", "link", "makedirs", "mkdir", "open", "pwrite", "pwritev"),
        *("remove", "removedirs", "rename", "renames", "replace", "rmdir", "sendfile", "symlink", "truncate"),
        *("unlink", "write", "writev"),
    }
)
_OF_PATHS: Final = frozenset(
    {"hardlink_to", "mkdir", "rename", "rmdir", "symlink_to", "touch", "unlink", "write_bytes", "write_text"}
)
_READS_ONLY: Final = frozenset({"get_terminal_size", "which", "disk_usage"})


class Writing(NamedTuple):
    """A way by which a module changes files or names."""

    file: str
    way: str


def writings(file: Path) -> Iterator[Writing]:
    name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        yield from (Writing(name, way) for way in _ways(node))


def _ways(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in _OF_OS:
            yield f"os.{attr}"
        case ast.Attribute(value=ast.Name(id="shutil"), attr=attr) if attr not in _READS_ONLY:
            yield f"shutil.{attr}"
        case ast.ImportFrom(module="os", names=names):
            yield from (f"os.{alias.name}" for alias in names if alias.name in _OF_OS)
        case ast.ImportFrom(module="shutil", names=names):
            yield from (f"shutil.{alias.name}" for alias in names if alias.name not in _READS_ONLY)
        case ast.ImportFrom(module="tempfile") | ast.Import(names=[ast.alias(name="tempfile")]):
            yield "tempfile"
        case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _OF_PATHS and not _is_disk(owner):
            yield f".{attr}"
        case ast.Call(func=ast.Name(id="open") | ast.Attribute(attr="open")) if _asks_to_write(node):
            yield "open for writing"


def _is_disk(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "disk"


def _asks_to_write(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    modes = [value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    is_nowhere = "os.devnull" in ast.unparse(call)
    return not is_nowhere and any(mode and set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes)


@pytest.fixture(scope="module")
def found() -> set[Writing]:
    """All that the package writes."""
    return {writing for file in sorted(ROOT.rglob("*.py")) for writing in writings(file)}


def test_what_must_survive_is_written_in_one_place_only(found: set[Writing]) -> None:
    assert found - ALLOWED.keys() == set()


def test_every_exception_is_still_needed(found: set[Writing]) -> None:
    assert ALLOWED.keys() - found == set()


@pytest.mark.parametrize(
    ("code", "way"),
    [
        ("import os; os.replace(a, b)", "os.replace"),
        ("from os import rename", "os.rename"),
        ("import shutil; shutil.move(a, b)", "shutil.move"),
        ("from shutil import copy", "shutil.copy"),
        ("path.write_text('')", ".write_text"),
        ("open(path, 'w')", "open for writing"),
        ("path.open(mode='ab')", "open for writing"),
        ("import tempfile", "tempfile"),
    ],
)
def test_another_way_to_write_is_found(tmp_path: Path, code: str, way: str) -> None:
    (tmp_path / "module.py").write_text(code)

    assert list(writings(tmp_path / "module.py")) == [Writing("module.py", way)]


@pytest.mark.parametrize(
    "code",
    ["path.open()", "open(path, 'rb')", "open(os.devnull, 'w')", "text.replace('a', 'b')", "disk().unlink(path)"],
)
def test_what_writes_nothing_is_not_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "module.py").write_text(code)

    assert list(writings(tmp_path / "module.py")) == []
