r"""JSON as a tree of settings that knows the line and column of every key.

JSON is nearly a subset of YAML 1.2, but not of what a YAML parser reads: surrogate pairs (`"\ud83d\ude00"`) are errors
there. So the standard library judges the text, and one scan over text that is known to be valid builds the tree, one
expression for each entry. Positions cost most of the time, about as much as the same text takes as YAML; they are worth
it, since an error in a JSON file names its line like any other.

`NaN`, `Infinity` and `-Infinity` are read, as the standard library writes them.
"""

import json
import re
import sys
from bisect import bisect_right
from typing import Final

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import INSTRUCTION_MARK, REFERENCE_MARK, Branch, Items
from typedcfg.template.numeral import TooLarge, number

_MOST_LEVELS: Final = 200

_SPACE: Final = r"[ \t\n\r]*+"
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LEAF: Final = rf"(?:{_STRING}|[-+.0-9eE]++|true|false|null|NaN|-?Infinity)"
# A container in the place of a leaf leaves both groups empty, and the match ends before its bracket.
_ENTRY: Final = re.compile(rf"{_SPACE}({_STRING}){_SPACE}:{_SPACE}(?:({_LEAF}){_SPACE}([,}}]))?")
_ITEM: Final = re.compile(rf"{_SPACE}(?:({_LEAF}){_SPACE}([,\]]))?")
_SEPARATOR: Final = re.compile(rf"{_SPACE}([,\]}}])")
_CLOSING: Final = re.compile(rf"{_SPACE}[\]}}]")


def read_json(text: str, source: str) -> Branch:
    r"""The tree that a JSON document says; `$` keys stand in it as they were written.

    Args:
        text: The document.
        source: What origins call it: the file's path as the user gave it.

    Raises:
        ConfigError: The text is no JSON, its top level is no object, or keys stand twice in one object.

    Example:
        >>> tree = read_json('{"loader": {\n  "batch_size": 16}}', "base.json")
        >>> str(tree["loader"].origins["batch_size"])
        'base.json:2:3'
    """
    try:
        top = json.loads(text)
    except json.JSONDecodeError as error:
        if not text.strip():
            what = "the file is empty, which JSON has no document for"
            expected = "an object, {} where there is nothing to say"
            raise ConfigError(Problem(what, where=f"{source}:1:1", expected=expected)) from None
        where = str(Origin(source, error.lineno, error.colno))
        fix = "JSON has its keys in double quotes, no comma behind the last entry, and no comments"
        raise ConfigError(Problem(f"invalid JSON: {error.msg}", where=where, fix=fix)) from None
    except RecursionError:
        raise ConfigError(_too_deep(source)) from None
    except ValueError:  # an integer beyond what Python converts
        raise ConfigError(
            Problem(f"invalid JSON: an integer of more than {sys.get_int_max_str_digits()} digits", where=source)
        ) from None
    if not isinstance(top, dict):
        what = f"the top level is {'a list' if isinstance(top, list) else json.dumps(top)}"
        raise ConfigError(Problem(what, where=f"{source}:1:1", expected='an object: {"key": value}'))
    scan = _Scan(text, source)
    tree = scan.read()
    ConfigError.raise_any(scan.problems)
    return tree


class _Meaning(dict[str, object]):
    """What leaves and keys mean, each text decoded once: sections of one document repeat them."""

    def __missing__(self, text: str) -> object:
        value = json.loads(text)
        if value.__class__ is float:
            value = number(text)
        self[text] = value
        return value


class _Scan:
    """One pass over valid JSON; iterative."""

    def __init__(self, text: str, source: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._source = source
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._meaning = _Meaning()
        self._path: list[Branch | Items] = []
        self._position = 0

    def read(self) -> Branch:
        """The tree.

        Raises:
            ConfigError: It is nested too deeply.
        """
        begin = self._text.index("{")
        top = Branch(self._origin(begin))
        self._open(top, begin)
        while self._path:
            container = self._path[-1]
            if isinstance(container, Branch):
                self._read_branch(container)
            else:
                self._read_items(container)
        return top

    def _read_branch(self, branch: Branch) -> None:
        # Large files pass through this loop whole, so it takes no call of ours for a usual entry.
        text, line_starts, meaning, origins = self._text, self._line_starts, self._meaning, branch.origins
        end, position = "", self._position
        while end != "}":
            match = _ENTRY.match(text, position)
            assert match is not None
            quoted, leaf, end = match.groups()
            key = str(meaning[quoted])
            begin, position = match.span(1)[0], match.end()
            line = bisect_right(line_starts, begin)
            origin = tuple.__new__(Origin, (self._source, line, begin - line_starts[line - 1] + 1))
            if key in branch:
                self._complain_twice(key, branch.origins[key], origin)
            elif key[:1] == INSTRUCTION_MARK:
                branch.unsettled = True
            origins[key] = origin
            if leaf is None:
                self._position = position
                branch[key] = self._nested()
                return
            try:
                branch[key] = value = meaning[leaf]
            except TooLarge as error:
                self._complain_too_large(error, origin)
                continue
            if value.__class__ is str and REFERENCE_MARK in leaf:
                branch.unsettled = True
        self._position = position
        self._close()

    def _read_items(self, items: Items) -> None:
        end = ""
        while end != "]":
            match = _ITEM.match(self._text, self._position)
            assert match is not None
            leaf, end = match.groups()
            self._position = match.end()
            if leaf is None:
                origin = self._origin(self._position)
                items.put(self._nested(), origin)
                return
            origin = self._origin(match.start(1))
            try:
                items.put(self._meaning[leaf], origin)
            except TooLarge as error:
                self._complain_too_large(error, origin)
        self._close()

    def _nested(self) -> Branch | Items:
        """Begin the object or array that stands here."""
        origin = self._origin(self._position)
        container = Branch(origin) if self._text[self._position] == "{" else Items(origin=origin)
        self._open(container, self._position)
        return container

    def _open(self, container: Branch | Items, begin: int) -> None:
        self._path.append(container)
        self._position = begin + 1
        if len(self._path) > _MOST_LEVELS:
            raise ConfigError(*self.problems, _too_deep(str(container.origin)))
        if match := _CLOSING.match(self._text, self._position):
            self._position = match.end()
            self._close()

    def _close(self) -> None:
        """End the container that was read, and those around it that end with it."""
        while True:
            closed = self._path.pop()
            if not self._path:
                return
            if closed.unsettled:
                self._path[-1].unsettled = True
            match = _SEPARATOR.match(self._text, self._position)
            assert match is not None
            self._position = match.end()
            if match[1] == ",":
                return

    def _complain_twice(self, key: str, first: Origin, second: Origin) -> None:
        where = f"{second}\n{first} (the first)"
        self.problems.append(Problem(f"key {key!r} stands twice in one object", where=where, fix="keep one of them"))

    def _complain_too_large(self, error: TooLarge, origin: Origin) -> None:
        self.problems.append(Problem(f"invalid JSON: {error}", where=str(origin)))

    def _origin(self, position: int) -> Origin:
        line = bisect_right(self._line_starts, position)
        return Origin(self._source, line, position - self._line_starts[line - 1] + 1)


def _too_deep(where: str) -> Problem:
    return Problem(f"nested deeper than {_MOST_LEVELS} levels", where=where, fix="flatten it")
