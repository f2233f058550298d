"""How values are shown to people: on one line, as YAML would have them, and a secret not at all."""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from typedcfg.sources.base import Appended, Removed
from typedcfg.template.base import ConfigTemplate
from typedcfg.text import shorten

HIDDEN: Final = "a secret, not shown"
_WORDS: Final = {None: "null", True: "true", False: "false"}

_SIGNS: Final = {Appended: "+=", Removed: "-="}


def shown(value: Any, *, is_secret: bool = False) -> str:
    """A value as an explanation shows it: texts as they are, but for the empty one, which nobody would see.

    Example:
        >>> shown({"betas": (0.9, None), "name": "wide", "note": ""})
        '{betas: [0.9, null], name: wide, note: ""}'
    """
    return HIDDEN if is_secret and value is not None else shorten(_on_one_line(value, lambda text: text or '""'))


def quoted(value: Any, *, is_secret: bool = False) -> str:
    """A value as a problem shows it: texts in quotes, so that one sees where they end.

    Example:
        >>> quoted("0.1 "), quoted(True)
        ("'0.1 '", 'true')
    """
    return HIDDEN if is_secret and value is not None else shorten(_on_one_line(value, repr))


def _on_one_line(value: Any, text_of: Callable[[str], str]) -> str:  # noqa: PLR0911  # one case a line, one answer each
    if isinstance(value, Enum):
        value = value.value
    match value:
        case None | bool():
            return _WORDS[value]
        case str() | PurePath():
            return text_of(str(value))
        case dict():
            return "{" + ", ".join(f"{key}: {_on_one_line(item, text_of)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_on_one_line(item, text_of) for item in value) + "]"
        case Appended(items=items) | Removed(items=items):
            return f"{_SIGNS[type(value)]} {_on_one_line(items, text_of)}"
        case set() | frozenset():
            return "[" + ", ".join(sorted(_on_one_line(item, text_of) for item in value)) + "]"
        case timedelta() if value < timedelta():
            # Python has a negative number of days there, and hours that go the other way: read back it is another time.
            return f"-{-value}"
        case ConfigTemplate():
            return f"{type(value).__qualname__}(...)"
    return str(value)
