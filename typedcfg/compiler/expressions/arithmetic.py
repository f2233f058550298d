"""Arithmetic: what expressions compute. It is Python's, over numbers alone, and bounded.

Booleans are no numbers, texts are not added, and whatever has no result, or one beyond the bounds, is told by name.
"""

import math
import operator
import re
from collections.abc import Callable
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, TypeAlias

from typedcfg.compiler.expressions.printed import MOST_BITS, NotPrintable, printed
from typedcfg.compiler.shown import quoted
from typedcfg.text import an

Number: TypeAlias = int | float

LARGEST_EXPONENT: Final = 64
MOST_DIGITS: Final = 64
"""That one may round to, before or behind the point."""

_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]+\s*\Z", re.ASCII)
_LONGEST_NUMBER: Final = 1_300
"""Characters of a text that is read as a number: more than 4096 bits have no place in them."""


class Undefined(ValueError):
    """An operation has no result; says why."""

    def __init__(self, what: str, *, expected: str = "", fix: str = "") -> None:
        """Say what is wrong, and what to write instead."""
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.fix = fix
        self.column = 0
        """Where the operation stands in the value that holds it, counted from 1; 0 if that is not known yet."""


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def calculate(symbol: str, left: object, right: object) -> Number:
    """What an operator makes of two numbers.

    Raises:
        Undefined: It makes nothing of them, or too much.

    Example:
        >>> calculate("//", 7, 2), calculate("**", 2, 0.5)
        (3, 1.4142135623730951)
    """
    a, b = _operand(symbol, left, right), _operand(symbol, right, left)
    if symbol == "**":
        _check_power(a, b)
    return _bounded(lambda: _OPERATORS[symbol](a, b), a, b)


def sign(symbol: str, value: object) -> Number:
    """A number with a sign before it.

    Raises:
        Undefined: It is no number.
    """
    number = _number(value, symbol)
    return -number if symbol == "-" else number


def compare(symbol: str, left: object, right: object) -> bool:
    """Whether a comparison holds. Values of different types are different, and have no order.

    Raises:
        Undefined: They have no order.

    Example:
        >>> compare("==", 1, 1.0), compare("==", 1, True), compare("<", "a", "b")
        (True, False, True)
    """
    a, b = _plain(left), _plain(right)
    if symbol in ("==", "!="):
        is_same = _type_of(a) == _type_of(b) and bool(a == b)
        return is_same == (symbol == "==")
    if _type_of(a) != _type_of(b) or _type_of(a) not in ("number", "text"):
        raise Undefined(f"{_told(a)} and {_told(b)} have no order", expected="two numbers or two texts")
    if a != a or b != b:  # noqa: PLR0124  # NaN is what differs from itself
        raise Undefined("what is not a number (NaN) has no order")
    return _ORDERS[symbol](a, b)


def truth(value: object, of: str) -> bool:
    """A truth value as it is.

    Raises:
        Undefined: It is none: nothing else counts as true or false.
    """
    if isinstance(value, bool):
        return value
    raise Undefined(f"{_told(value)} is no truth value", expected=f"{of} of true or false", fix="compare it: x > 0")


# --- functions ------------------------------------------------------------------------------------------------------


def call(name: str, arguments: list[Any]) -> Any:
    """What a function of expressions returns.

    Raises:
        Undefined: It returns nothing for these arguments, or too much.
    """
    fewest, most, function = FUNCTIONS[name]
    if not fewest <= len(arguments) <= (most or len(arguments)):
        takes = f"{fewest} or more" if most is None else str(fewest) if fewest == most else f"{fewest} or {most}"
        raise Undefined(f"{name}() takes {takes} values, not {len(arguments)}")
    return function(*map(_plain, arguments))


def _least(*values: object) -> Number:
    return _extreme("min", min, values)


def _greatest(*values: object) -> Number:
    return _extreme("max", max, values)


def _extreme(name: str, choose: Callable[..., Number], values: tuple[object, ...]) -> Number:
    found = values[0] if len(values) == 1 and isinstance(values[0], (list, tuple)) else values
    numbers = [_number(value, name) for value in found]
    if not numbers:
        raise Undefined(f"{name}() of an empty list")
    if any(map(math.isnan, filter(_is_float, numbers))):
        raise Undefined(f"{name}() of what is not a number (NaN)")
    return choose(numbers)


def _absolute(value: object) -> Number:
    return abs(_number(value, "abs"))


def _round(value: object, digits: object = None) -> Number:
    number = _number(value, "round")
    if digits is None:
        return _bounded(lambda: round(number), number)
    places = _number(digits, "round")
    if not isinstance(places, int) or abs(places) > MOST_DIGITS:
        what = f"{_told(digits)} is no number of digits to round to"
        raise Undefined(what, expected=f"a whole number from -{MOST_DIGITS} to {MOST_DIGITS}")
    return _bounded(lambda: round(number, places), number)


def _floor(value: object) -> int:
    number = _number(value, "floor")
    return int(_bounded(lambda: math.floor(number), number))


def _ceil(value: object) -> int:
    number = _number(value, "ceil")
    return int(_bounded(lambda: math.ceil(number), number))


def _length(value: object) -> int:
    if isinstance(value, (str, list, tuple, dict, set, frozenset)):
        return len(value)
    raise Undefined(f"{_told(value)} has no length", expected="a list, a mapping or a text")


def _integer(value: object) -> int:
    if isinstance(value, str):
        if len(value) > _LONGEST_NUMBER or not _INTEGER.match(value):
            raise Undefined(f"{_told(value)} is no integer", expected="digits, with a sign or none")
        return int(_bounded(lambda: int(value)))
    number = int(value) if isinstance(value, bool) else _number(value, "int")
    return int(_bounded(lambda: int(number), number))


def _float(value: object) -> float:
    if not isinstance(value, str):
        number = int(value) if isinstance(value, bool) else _number(value, "float")
        return float(_bounded(lambda: float(number), number))
    try:
        found = float(value) if len(value) <= _LONGEST_NUMBER and value.isascii() and "_" not in value else math.nan
    except ValueError:
        found = math.nan
    if math.isnan(found):
        raise Undefined(f"{_told(value)} is no number")
    return found


def _text(value: object) -> str:
    try:
        return printed(value)
    except NotPrintable as error:
        raise Undefined(f"{error} is no text", expected="a number, a text or a truth value") from None


FUNCTIONS: Final[dict[str, tuple[int, int | None, Callable[..., Any]]]] = {
    "min": (1, None, _least),
    "max": (1, None, _greatest),
    "abs": (1, 1, _absolute),
    "round": (1, 2, _round),
    "floor": (1, 1, _floor),
    "ceil": (1, 1, _ceil),
    "len": (1, 1, _length),
    "int": (1, 1, _integer),
    "float": (1, 1, _float),
    "str": (1, 1, _text),
}
"""How few and how many values each takes; None for any number."""


# --- numbers --------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A value as a file would have it."""
    if isinstance(value, Enum):
        value = value.value
    return value.as_posix() if isinstance(value, PurePath) else value


def _is_float(value: object) -> bool:
    return isinstance(value, float)


def _type_of(value: object) -> str:
    match value:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() | tuple():
            return "list"
        case dict():
            return "mapping"
    return type(value).__name__


def _told(value: object) -> str:
    """A value as a problem names it."""
    value = _plain(value)
    match value:
        case None | bool() | float():
            return quoted(value)
        case int():
            return quoted(value) if value.bit_length() <= MOST_BITS else f"an integer of more than {MOST_BITS} bits"
        case str():
            return f"the text {quoted(value)}"
    return an(_type_of(value))


def _operand(symbol: str, value: object, other: object) -> Number:
    value = _plain(value)
    if isinstance(value, str) and symbol == "+":
        is_joined = isinstance(_plain(other), str)
        fix = "write them one behind the other: ${a}${b}" if is_joined else "write int(...) or float(...) around it"
        raise Undefined(f"{_told(value)} cannot be added", expected="a number", fix=fix)
    return _number(value, symbol)


def _number(value: object, of: str) -> Number:
    value = _plain(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if isinstance(value, int) and value.bit_length() > MOST_BITS:
            raise Undefined(_told(value), expected=f"a number for {of}")
        return value
    fix = "write int(...) or float(...) around it" if isinstance(value, (str, bool)) else ""
    raise Undefined(f"{_told(value)} is no number", expected=f"a number for {of}", fix=fix)


def _check_power(base: Number, exponent: Number) -> None:
    """Refuse what would take long to compute, before it is."""
    if abs(exponent) > LARGEST_EXPONENT:
        raise Undefined(f"the exponent {_told(exponent)} is beyond {LARGEST_EXPONENT}")
    if isinstance(base, int) and isinstance(exponent, int) and (base.bit_length() - 1) * exponent > MOST_BITS:
        raise _too_large()


def _bounded(compute: Callable[[], Any], *operands: Number) -> Number:
    """A result, if it is a number within the bounds."""
    try:
        result = compute()
    except ZeroDivisionError:
        raise Undefined("division by zero") from None
    except (OverflowError, ValueError):
        # What no float can hold; an infinity or NaN as an integer.
        finite = all(map(math.isfinite, filter(_is_float, operands)))
        raise Undefined("the result is larger than a float can be" if finite else "it is no finite number") from None
    if isinstance(result, complex):
        raise Undefined("the result is a complex number", fix="raise no negative number to a fraction")
    if isinstance(result, int):
        if result.bit_length() > MOST_BITS:
            raise _too_large()
        return result
    if math.isnan(result):
        raise Undefined("the result is not a number (NaN)")
    if math.isinf(result) and all(map(math.isfinite, filter(_is_float, operands))):
        raise Undefined("the result is larger than a float can be")
    return float(result)


def _too_large() -> Undefined:
    return Undefined(f"the result is an integer of more than {MOST_BITS} bits")
