"""The page for those who come from elsewhere: every row of it names a test, and every test here is named by a row."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "reference" / "predecessors.md"

_HEAD = "| shown by |"
_SHOWN_BY = re.compile(r"\[(?P<sentence>[^\]]+)\]\[(?P<label>[^\]]+)\]")
_TARGET = re.compile(r"^\[(?P<label>[^\]]+)\]: (?P<path>\S+)$", re.MULTILINE)
_TEST = re.compile(r"^def test_(?P<name>\w+)\(", re.MULTILINE)


class Shown(NamedTuple):
    """A test that a row names."""

    file: Path
    name: str


def rows(text: str) -> list[list[str]]:
    """The rows of the tables, without their heads; a `|` within a cell is written with a backslash."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.endswith((_HEAD, "|---|"))]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def shown_by(row: list[str], text: str) -> Iterator[Shown]:
    """The tests in the last cell of a row."""
    targets = {target["label"]: (PAGE.parent / target["path"]).resolve() for target in _TARGET.finditer(text)}
    for link in _SHOWN_BY.finditer(row[-1]):
        yield Shown(targets[link["label"]], link["sentence"].replace(" ", "_"))


def defined_in(file: Path) -> set[Shown]:
    return {Shown(file, test["name"]) for test in _TEST.finditer(file.read_text(encoding="utf-8"))}


def test_every_row_names_a_test_that_there_is() -> None:
    text = PAGE.read_text(encoding="utf-8")

    shown = [set(shown_by(row, text)) for row in rows(text)]
    named = set().union(*shown)

    assert [row for row, of_row in zip(rows(text), shown, strict=True) if not of_row] == []
    assert named - set().union(*(defined_in(file) for file in {one.file for one in named})) == set()


def test_every_test_is_named_by_a_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = {shown for row in rows(text) for shown in shown_by(row, text)}

    files = sorted(set(HERE.glob("test_*.py")) - {Path(__file__)})

    assert len(files) > 5
    assert set().union(*map(defined_in, files)) - named == set()


def test_every_row_says_all_that_its_table_asks_for() -> None:
    found = rows(PAGE.read_text(encoding="utf-8"))

    assert len(found) > 150
    assert all(len(row) == 4 and all(row) for row in found)


def test_every_target_is_used() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert {link["label"] for link in _SHOWN_BY.finditer(text)} == {
        target["label"] for target in _TARGET.finditer(text)
    }
