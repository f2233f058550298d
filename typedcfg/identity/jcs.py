"""RFC 8785, the JSON Canonicalization Scheme: one text for one JSON value.

No JSON library writes it: `json` and `orjson` sort keys by code point and differ from ECMAScript, and from each
other, in how they write numbers.
"""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Final

from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.text import shorten

LARGEST_INTEGER: Final = 2**53 - 1
"""The largest integer that a JSON number means everywhere the same (RFC 7493, section 2.2)."""
DEEPEST: Final = 200
"""How many containers may hold one another; more is taken for a container that holds itself."""

# With `ensure_ascii` off the standard library escapes exactly what section 3.2.2.2 asks for, in the same letters.
_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def jcs(value: object) -> str:
    r"""The canonical JSON text of a value; its bytes are this text in UTF-8.

    Args:
        value: None, bool, int, float, str, or lists, tuples and mappings of these. Subclasses count as what they
            extend.

    Raises:
        UnsupportedValue: JSON, or a reader of JSON that keeps numbers as doubles, has no such value: NaN and
            infinities, integers beyond 2^53 - 1, lone surrogates, keys that are not text, other types, and more than
            `DEEPEST` containers within one another.

    Example:
        >>> print(jcs({"peach": [1e21, 0.000001, 1.0], "péché": None, "€": "\n"}))
        {"peach":[1e+21,0.000001,1],"péché":null,"€":"\n"}

    Source:
        RFC 8785, https://www.rfc-editor.org/rfc/rfc8785
    """
    pieces: list[str] = []
    _write(value, (), pieces)
    return "".join(pieces)


def _write(value: object, path: KeyPath, pieces: list[str]) -> None:
    if isinstance(value, Mapping):
        _write_object(value, path, pieces)
    elif isinstance(value, list | tuple):
        check_depth(len(path), path)
        opening = "["
        for index, item in enumerate(value):
            pieces.append(opening)
            _write(item, (*path, index), pieces)
            opening = ","
        pieces.append("]" if value else "[]")
    else:
        pieces.append(_scalar(value, path))


def _write_object(value: Mapping[object, object], path: KeyPath, pieces: list[str]) -> None:
    check_depth(len(path), path)
    keys = [_key(key, path) for key in value]
    opening = "{"
    for key in sorted(keys, key=utf_16):
        pieces.append(f"{opening}{_quoted(key)}:")
        _write(value[key], (*path, key), pieces)
        opening = ","
    pieces.append("}" if keys else "{}")


def utf_16(key: str) -> bytes:
    """What keys are sorted by: UTF-16 code units, in which U+1F600 (D83D DE00) comes before U+FB33 (section 3.2.3)."""
    return key.encode("utf-16-be")


def _key(key: object, path: KeyPath) -> str:
    if not isinstance(key, str):
        raise refusal(f"a key of type {type(key).__name__}", path, expected="keys that are text")
    check_text(key, path)
    return key


def _scalar(value: object, path: KeyPath) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        check_text(value, path)
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise refusal(f"an integer of {value.bit_length()} bits", path, expected="at most 2^53 - 1")
        return int.__repr__(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise refusal(float.__repr__(value), path, expected="a finite number")
        return number_text(value)
    expected = "None, bool, int, float, str, list, tuple or a mapping"
    raise refusal(f"a value of type {type(value).__qualname__}", path, expected=expected)


def number_text(value: float) -> str:
    """A finite number as ECMAScript writes it.

    Example:
        >>> number_text(1e21), number_text(1e20), number_text(4.5e-7), number_text(-0.0)
        ('1e+21', '100000000000000000000', '4.5e-7', '0')

    Source:
        ECMA-262, Number::toString; RFC 8785, section 3.2.2.3. Python's repr finds the same digits: the fewest that
        read back as this number, and of those the nearest to it.
    """
    # An ndarray's float64 is a float with a repr of its own.
    mantissa, _, exponent = float.__repr__(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.digits * 10**point.
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if not digits:
        return "0"
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    decimals = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{decimals}e{point - 1:+d}"


def check_text(text: str, path: KeyPath) -> None:
    """Refuse text that UTF-8 cannot carry; the text itself is not shown.

    Raises:
        UnsupportedValue: The text, which is the value at `path` or a key in it, has a lone surrogate.
    """
    if found := _LONE_SURROGATE.search(text):
        what = f"text with the lone surrogate U+{ord(found[0]):04X}"
        raise refusal(what, path, expected="text that UTF-8 can carry")


def check_depth(depth: int, path: KeyPath) -> None:
    """Refuse what is nested too deeply to be meant.

    Raises:
        UnsupportedValue: The container at `path` lies within `depth` others, which are `DEEPEST` or more.
    """
    if depth >= DEEPEST:
        raise refusal(f"more than {DEEPEST} containers within one another", path, expected="none that holds itself")


def refusal(what: str, path: KeyPath, *, expected: str, fix: str = "") -> UnsupportedValue:
    """The error of a value that has no canonical text; it names the type, never the value."""
    return UnsupportedValue(
        Problem(f"{what} has no canonical text", where=shorten(render_key_path(path)), expected=expected, fix=fix)
    )
