"""Interpolation: texts with expressions in them: `bs-${loader.batch_size}`. `$${` is a literal `${`."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from typedcfg.compiler.expressions.references import Reference, absolute
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.sources.base import REFERENCE_MARK
from typedcfg.text import shorten

if TYPE_CHECKING:
    from typedcfg.compiler.expressions.tree import Expression

_ESCAPED: Final = f"${REFERENCE_MARK}"
_MOST_REMEMBERED: Final = 32_768


class Interpolation(NamedTuple):
    """A text with expressions in it."""

    parts: tuple["str | Expression", ...]
    whole: "Expression | None"
    """The expression, if it is all there is."""


@lru_cache(maxsize=_MOST_REMEMBERED)
def read_interpolation(text: str) -> Interpolation | Problem:
    """The texts and expressions that a value is made of, or what is wrong with it."""
    # Most configurations that are only checked hold no expression: its grammar takes longer to import than to use.
    from typedcfg.compiler.expressions.grammar import closing_brace, parse_expression

    parts: list[str | Expression] = []
    literal = ""
    position = 0
    while (found := text.find(REFERENCE_MARK, position)) >= 0:
        if text.startswith(_ESCAPED, found - 1) and found > position:
            literal += text[position : found - 1] + REFERENCE_MARK
            position = found + len(REFERENCE_MARK)
            continue
        begin = found + len(REFERENCE_MARK)
        end = closing_brace(text, begin)
        if end < 0:
            close = "close the quote before the brace" if "}" in text[begin:] else "add the closing brace"
            return Problem(
                f"{shorten(text)!r} opens a reference at column {found + 1} and does not close it",
                expected="${key.path}",
                fix=f"{close}, or write $${{ for a literal ${{",
            )
        expression = parse_expression(text[begin:end], begin + 1)
        if isinstance(expression, Problem):
            return expression
        literal += text[position:found]
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(expression)
        position = end + 1
    literal += text[position:]
    if literal or not parts:
        parts.append(literal)
    whole = parts[0] if len(parts) == 1 and not isinstance(parts[0], str) else None
    return Interpolation(tuple(parts), whole)


@lru_cache(maxsize=_MOST_REMEMBERED)
def plain_reference(text: str) -> Reference | None:
    """The reference that a text is, if it is one and nothing else."""
    read = read_interpolation(text) if REFERENCE_MARK in text else None
    return read.whole if isinstance(read, Interpolation) and isinstance(read.whole, Reference) else None


def whole_reference(text: object, here: KeyPath, top: KeyPath = ()) -> KeyPath | Problem:
    """The section or list that a text names, where a section or list is expected.

    Args:
        text: A text with a reference, and nothing else.
        here: Where it stands.
        top: Where the document that it is written in has its top.
    """
    assert isinstance(text, str)
    read = read_interpolation(text)
    if isinstance(read, Problem):
        return read
    reference = read.whole
    if not isinstance(reference, Reference):
        what = "a text" if reference is None else "an expression"
        return Problem(
            f"{shorten(text)!r} is {what}, and a section is expected",
            expected="one reference, and nothing else",
            fix="" if reference is None else "keys are known before values are: choose single values by expressions",
        )
    # A section is copied before any value is known: what surrounds it is told by its path alone.
    above = [here[:depth] for depth in range(len(here)) if depth == 0 or isinstance(here[depth - 1], str)]
    path = absolute(reference, above, here[:-1], top)
    return path if path is not None else climbing(here)


def climbing(here: KeyPath) -> Problem:
    """The problem of a reference with more `parent.` than there are sections around it."""
    what = f"{render_key_path(here)} has a reference that climbs above the whole configuration"
    return Problem(what, fix="write the path from the top, without parent.")
