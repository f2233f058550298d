"""The page of faults: every row says what happens, and names tests that there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "faults.md"

_ROW = re.compile(r"^\| (?P<number>\d+) \|(?P<cells>.*)\|$", re.MULTILINE)
_SHOWN_BY = re.compile(r"\[(?P<sentence>[^\]]+)\]\[(?P<label>[^\]]+)\]")
_TARGET = re.compile(r"^\[(?P<label>[^\]]+)\]: (?P<path>\S+)$", re.MULTILINE)
_TEST = re.compile(r"^def test_(?P<name>\w+)\(", re.MULTILINE)


class Row(NamedTuple):
    """A fault, what happens, and what shows it."""

    number: int
    cells: list[str]


def rows() -> Iterator[Row]:
    for row in _ROW.finditer(PAGE.read_text(encoding="utf-8")):
        yield Row(int(row["number"]), [cell.strip() for cell in row["cells"].split(" | ")])


def targets() -> dict[str, Path]:
    return {
        target["label"]: PAGE.parent / target["path"] for target in _TARGET.finditer(PAGE.read_text(encoding="utf-8"))
    }


def test_every_row_names_tests_that_there_are() -> None:
    files = targets()
    tests = {label: {*_TEST.findall(file.read_text(encoding="utf-8"))} for label, file in files.items()}

    for row in rows():
        shown = _SHOWN_BY.findall(row.cells[-1])
        assert shown, row
        assert [name for name, label in shown if name.replace(" ", "_") not in tests[label]] == [], row


def test_every_row_says_what_happens_and_stands_once() -> None:
    found = list(rows())

    assert all(len(row.cells) == 3 and all(row.cells) for row in found)
    assert len({row.number for row in found}) == len(found)
    assert {*range(1, 32), 36, 37} <= {row.number for row in found}


def test_every_target_is_used() -> None:
    used = {label for row in rows() for _, label in _SHOWN_BY.findall(row.cells[-1])}

    assert used == targets().keys()
