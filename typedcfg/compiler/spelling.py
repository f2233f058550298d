"""Spelling: how what was most likely meant is written, where a value is of another type than its field."""

import re
from typing import TYPE_CHECKING, Final

from pydantic_core import ErrorDetails

from typedcfg.key_path import KeyPath
from typedcfg.sources.base import REFERENCE_MARK
from typedcfg.text import NO_SWEEPS, placeholder, shorten

if TYPE_CHECKING:
    from typedcfg.compiler.descent import Descent

_LISTS: Final = ("list_type", "set_type", "tuple_type")
_NUMBERS: Final = ("int_parsing", "float_parsing")
_SEVERAL: Final = re.compile(r"[^\s,]+(,[^\s,]+)+")
_NO_TEXTS: Final = (bool, int, float)


def spelling(descent: "Descent", path: KeyPath, detail: ErrorDetails) -> str:
    """How to write what pydantic refuses; empty where nothing comes to mind.

    Args:
        descent: Tells what was written.
        path: Where the value stands that is refused.
        detail: What pydantic says of it.
    """
    value = detail["input"]
    if waits := placeholder(value):
        return waits
    if detail["type"] in _NUMBERS and isinstance(value, str) and _SEVERAL.fullmatch(value):
        return NO_SWEEPS
    if detail["type"] == "string_type" and isinstance(value, _NO_TEXTS):
        expression, is_above = _expression(descent, path)
        return _of_text(expression, is_above=is_above)
    if detail["type"] in (*_LISTS, "dict_type") and isinstance(value, str):
        expression, _ = _expression(descent, path)
        if expression.startswith(("[", "{")):
            return "within brackets a reference stands in quotes: ['${key}'], {name: '${key}'}"
        return _of_list(value, expression) if detail["type"] in _LISTS else ""
    return ""


def _of_text(expression: str, *, is_above: bool) -> str:
    if expression and is_above:
        return f"{shorten(expression)} brings it as it is: make it a text there"
    inner = expression.strip().removeprefix(REFERENCE_MARK).removesuffix("}").strip()
    return f"make a text of it: ${{str({shorten(inner)})}}" if inner else "put it in quotes: without them it is no text"


def _of_list(value: str, expression: str) -> str:
    if expression:
        return f"a list is written in brackets: ['{shorten(expression)}']"
    if value.startswith("["):
        return "close the bracket, or put the missing comma"
    items = value.strip().removeprefix("(").removesuffix(")").split(",")
    return f"a list is written in brackets: [{shorten(', '.join(item.strip() for item in items if item.strip()))}]"


def _expression(descent: "Descent", path: KeyPath) -> tuple[str, bool]:
    """The text with references that a value comes from, if it does, and whether that was written for what holds it."""
    place, last, depth = descent.root, None, 0
    for number, step in enumerate(path, 1):
        child = place.child(step)
        if child is None:
            break
        if child.live:
            last, depth = child.live[-1].value, number
        place = child
    is_expression = isinstance(last, str) and REFERENCE_MARK in last
    return (str(last) if is_expression else ""), is_expression and depth < len(path)
