"""The tokens of expressions: the few pieces that one may be made of, told apart before `ast` sees any of it."""

import re
from collections.abc import Iterator
from typing import Final

from typedcfg.compiler.expressions.printed import MOST_BITS

MOST_NODES: Final = 200
"""Values, operators and calls in one expression."""
MOST_BRACKETS: Final = 50
"""Within one another."""
_TOKENS_OF_A_NODE: Final = 5
"""An operator, a bracket on either side, a dot: whatever has more tokens than this for each node has too many nodes."""
LONGEST: Final = 10_000
"""Characters of one expression."""
_LONGEST_NUMBER: Final = 1_300
"""Digits; 4096 bits are fewer in every notation but the binary one."""

QUOTED: Final = r"""(?: "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )"""
_TOKEN: Final = re.compile(
    rf"""
    (?P<space> [\s]+ )
    | (?P<name> [^\W\d]\w* )
    | (?P<number> (?>
          0[xXoObB][0-9a-fA-F_]+ | (?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?
      )(?!\w) )
    | (?P<text> {QUOTED} )
    | (?P<open> [(\[] )
    | (?P<close> [)\]] )
    | (?P<symbol> \*\* | // | [=!<>]= | [-+*/%<>,.] )
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?![\\'\"ntr]|x[0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})")
"""A backslash that begins nothing that is understood; halves of a character are not."""
_UNWRITTEN: Final = re.compile(r"[\0\r]")
"""What Python's parser takes for an end, even in quotes."""
_HABITS: Final = {
    "&": "write: a and b",
    "|": "write: a or b",
    "!": "write: not a",
    "?": "write: a if condition else b",
    "^": "write: a ** b",
    ":": 'a variable is read by env("NAME", "default"), a choice is a if condition else b',
    "=": "two values are compared by ==",
    "{": "lists and mappings are written outside of ${...}",
    "\\": "write the key in quotes",
}
"""Characters that mean something elsewhere."""


class Unreadable(Exception):
    """What is wrong with an expression, and where in it."""

    def __init__(self, what: str, offset: int, *, suggestion: str | None = None, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
        self.suggestion = suggestion
        self.fix = fix


def check_tokens(text: str) -> None:
    """Refuse what `ast` need not see: what no expression holds, and what is too long or too deep for its parser."""
    if not text:
        raise Unreadable("nothing stands between the braces", 0)
    if len(text) > LONGEST:
        raise Unreadable(f"it has more than {LONGEST:,} characters", 0)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unreadable("half of a character", error.start) from None
    opened: list[int] = []
    for number, token in enumerate(_tokens(text)):
        if number > MOST_NODES * _TOKENS_OF_A_NODE:
            raise too_many(token.start())
        match token.lastgroup:
            case "open":
                opened.append(token.start())
            case "close" if opened:
                opened.pop()
        if len(opened) > MOST_BRACKETS:
            raise Unreadable(f"more than {MOST_BRACKETS} brackets lie within one another", token.start())
    if opened:
        raise Unreadable(f"the bracket {text[opened[-1]]} is never closed", opened[-1])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _unexpected(text, position)
        if token.lastgroup == "number" and len(token[0]) > _LONGEST_NUMBER:
            raise Unreadable(f"an integer of more than {MOST_BITS} bits", position)
        if token.lastgroup == "text":
            _check_escapes(token)
            if unwritten := _UNWRITTEN.search(token[0]):
                fix = f"write it as an escape: \\x{ord(unwritten[0]):02x}"
                raise Unreadable("a control character stands in quotes", position + unwritten.start(), fix=fix)
        if token.lastgroup != "space":
            yield token
        position = token.end()


def _check_escapes(token: re.Match[str]) -> None:
    # A backslash and what it escapes are looked at together: `\\\\d` is a backslash and a d.
    for escape in re.finditer(r"\\.", token[0]):
        if _ESCAPE.match(token[0], escape.start()):
            fix = "a backslash is written \\\\"
            raise Unreadable(f"{escape[0]} means nothing", token.start() + escape.start(), fix=fix)


def _unexpected(text: str, position: int) -> Unreadable:
    character = text[position]
    if character.isdigit() or character == ".":
        return Unreadable("this is no number", position)
    if character in "\"'":
        return Unreadable("a quote is never closed", position)
    return Unreadable(f"{character!r} is not understood here", position, fix=_HABITS.get(character, ""))


def too_many(offset: int) -> Unreadable:
    """The problem of an expression with too many values, operators and calls."""
    fix = "compute a part of it in another value, and refer to that"
    return Unreadable(f"it has more than {MOST_NODES} parts", offset, fix=fix)
