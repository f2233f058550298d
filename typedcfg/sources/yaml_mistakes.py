"""Mistakes: what is said of a text that is no YAML, and what was most likely meant by it."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from typedcfg.errors import Problem
from typedcfg.sources.base import REFERENCE_MARK
from typedcfg.text import spaced

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

PlaceOf = Callable[[int, int], str]
"""Renders a line and a column, both from 1, as the place a problem names."""

_NOT_PRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def invalid(error: "MarkedYAMLError", text: str, place: PlaceOf) -> Problem:
    """The problem of a text that is no YAML; the parser notices some of them far from where they are."""
    mark: Any = error.problem_mark
    words = f"{error.problem}, {error.context}" if error.context else str(error.problem)
    where = place(mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    here = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return Problem("invalid YAML: a tab in the indentation", where=where, fix="indent with spaces")
    if (error.context or "").startswith("while parsing a flow"):
        opening: Any = error.context_mark
        opened = place(opening.line + 1, opening.column + 1)
        where = f"{where}\n{opened} (where it opens)"
        is_reference = here.startswith(REFERENCE_MARK, mark.column - 1)
        quotes = "within brackets a reference stands in quotes: ['${key}'], {name: '${key}'}"
        fix = quotes if is_reference else "close the bracket, or put the missing comma"
        return Problem(f"invalid YAML: {words}", where=where, fix=fix)
    above = lines[mark.line - 1].strip() if mark.line else ""
    fix = spaced(above) or _meant(error, here, lines[: mark.line])
    return Problem(f"invalid YAML: {words}", where=where, fix=fix)


def unprintable(reason: str, text: str, place: PlaceOf) -> Problem:
    """The problem of a character that YAML does not allow; the parser's own count of it is in bytes."""
    found = _NOT_PRINTABLE.search(text)
    if found is None:
        return Problem(f"invalid YAML: {reason}", where=place(1, 1))
    line_start = text.rfind("\n", 0, found.start()) + 1
    where = place(text.count("\n", 0, found.start()) + 1, found.start() - line_start + 1)
    name = f"U+{ord(found[0]):04X}"
    return Problem(f"character {name}: {reason}", where=where, fix=f'write it as an escape: "\\u{ord(found[0]):04x}"')


def _meant(error: "MarkedYAMLError", here: str, above: list[str]) -> str:
    """What to do about a line that stands in no column of those above it, or holds two colons."""
    if error.problem == "did not find expected key" and error.context == "while parsing a block mapping":
        return "put the keys of one mapping in one column"
    if error.problem != "mapping values are not allowed in this context":
        return ""
    key = next((line for line in reversed(above) if line.strip() and not line.lstrip().startswith("#")), "")
    if _indentation(here) > _indentation(key):
        return "put it in the column of the key above it, or let nothing follow the colon of that key"
    return "put a text that holds a colon in quotes"


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
