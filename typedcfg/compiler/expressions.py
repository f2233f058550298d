"""References: `${loader.batch_size}` as a whole value, which keeps its type, or within a text.

A path begins with a key from the top, or with a word: `root.` for the whole configuration, `parent.` for one section
up, `here.` for what stands beside. `$${` is a literal `${`.
"""

import json
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from pydantic import Secret, SecretBytes

from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path
from typedcfg.text import shorten

_OPEN: Final = "${"
_ESCAPED: Final = "$${"


class Start(Enum):
    """Where a reference's path begins."""

    ROOT = "root"
    PARENT = "parent"
    HERE = "here"


class Reference(NamedTuple):
    """A path to another value."""

    start: Start
    ups: int
    """How many sections up, where it begins at the parent."""
    path: KeyPath
    column: int
    """Where it stands in its text, counted from 0."""


class Interpolation(NamedTuple):
    """A text with references in it."""

    parts: tuple[str | Reference, ...]

    @property
    def whole(self) -> Reference | None:
        """The reference, if it is all there is."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Reference) else None


@lru_cache(maxsize=4096)
def read_interpolation(text: str) -> Interpolation | Problem:
    """The texts and references that a value is made of, or what is wrong with it."""
    parts: list[str | Reference] = []
    literal = ""
    position = 0
    while (found := text.find(_OPEN, position)) >= 0:
        if text.startswith(_ESCAPED, found - 1) and found > position:
            literal += text[position : found - 1] + _OPEN
            position = found + len(_OPEN)
            continue
        end = _closing(text, found + len(_OPEN))
        if end < 0:
            return Problem(
                f"{shorten(text)!r} opens a reference at column {found + 1} and does not close it",
                expected="${key.path}",
                fix="add the closing brace, or write $${ for a literal ${",
            )
        reference = _reference(text[found + len(_OPEN) : end], found)
        if isinstance(reference, Problem):
            return reference
        literal += text[position:found]
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(reference)
        position = end + 1
    literal += text[position:]
    if literal or not parts:
        parts.append(literal)
    return Interpolation(tuple(parts))


def _closing(text: str, position: int) -> int:
    """Where the brace that closes a reference stands: the first that no quoted key contains."""
    quote = ""
    for index in range(position, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote and text[index - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character == "}":
            return index
    return -1


def _reference(inner: str, column: int) -> Reference | Problem:
    try:
        path = parse_key_path(inner.strip())
    except KeyPathError as error:
        return Problem(
            f"${{{shorten(inner)}}} is no path to a value: unexpected text at column {column + error.column + 3}",
            expected='a key path: loader.batch_size, layers[2].width, groups["backbone.0"].lr',
        )
    match path[0]:
        case "root":
            return Reference(Start.ROOT, 0, path[1:], column)
        case "here":
            return Reference(Start.HERE, 0, path[1:], column)
        case "parent":
            ups = next((n for n, step in enumerate(path) if step != "parent"), len(path))
            return Reference(Start.PARENT, ups, path[ups:], column)
    return Reference(Start.ROOT, 0, path, column)


def absolute(reference: Reference, sections: tuple[KeyPath, ...], beside: KeyPath) -> KeyPath | None:
    """The path from the top that a reference means.

    Args:
        reference: As it was written.
        sections: The sections around the value that holds it, the root first.
        beside: The mapping that the value stands in.

    Returns:
        The path, or None if it climbs above the root.
    """
    match reference.start:
        case Start.ROOT:
            return reference.path
        case Start.HERE:
            return (*beside, *reference.path)
        case Start.PARENT:
            up = reference.ups + 1
            return (*sections[-up], *reference.path) if up <= len(sections) else None


def whole_reference(text: object, here: KeyPath) -> KeyPath | Problem:
    """The section or list that a text names from the place `here`, where a section or list is expected."""
    assert isinstance(text, str)
    read = read_interpolation(text)
    if isinstance(read, Problem):
        return read
    reference = read.whole
    if reference is None:
        return Problem(
            f"{shorten(text)!r} is a text, and a section is expected", expected="one reference, and nothing else"
        )
    # A section is copied before any value is known: what surrounds it is told by its path alone.
    above = tuple(here[:depth] for depth in range(len(here)) if depth == 0 or isinstance(here[depth - 1], str))
    path = absolute(reference, above, here[:-1])
    return path if path is not None else Problem(f"{shorten(text)!r} climbs above the whole configuration")


class NotPrintable(ValueError):
    """A value has no place within a text; says what it is."""


def printed(value: Any) -> str:
    """A value as it prints within a text: numbers as in JSON, texts as they are.

    Raises:
        NotPrintable: It is null, a list, a mapping, bytes or a secret that is no text.

    Example:
        >>> printed(1e-5), printed(True), printed("wide")
        ('1e-05', 'true', 'wide')
    """
    if isinstance(value, Enum):
        value = value.value
    match value:
        case None:
            raise NotPrintable("null")
        case dict():
            raise NotPrintable("a mapping")
        case list() | tuple() | set() | frozenset():
            raise NotPrintable("a list")
        case bytes() | SecretBytes():
            raise NotPrintable("bytes")
        case Secret():
            raise NotPrintable("a secret, and no text")
        case bool() | float():
            return json.dumps(value)
        case PurePath():
            return value.as_posix()
    return str(value)
