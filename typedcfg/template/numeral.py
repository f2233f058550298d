"""Numbers that were written with more digits than a float holds."""

from decimal import Decimal
from math import isinf
from typing import Final, Self

_MOST_EXACT: Final = 16
"""Characters, the point among them: a float keeps any fifteen digits."""


class TooLarge(ValueError):
    """A number is beyond what a float holds, which would read it as infinity."""


class Numeral(float):
    """The nearest float to everyone but a field of `Decimal`, which takes a float by its text.

    It lives in trees of settings only: a finished configuration holds a `Decimal` or a plain float.
    """

    __slots__ = ("text",)
    text: str
    """The number as it was written."""

    def __new__(cls, text: str) -> Self:
        """Read a text that `float` reads."""
        numeral = super().__new__(cls, text)
        numeral.text = text
        return numeral

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.text,)


def number(text: str) -> float:
    """The number that a text with a point or an exponent says.

    Raises:
        TooLarge: It is beyond what a float holds.

    Example:
        >>> number("0.1"), str(number("0.12345678901234567890"))
        (0.1, '0.12345678901234567890')
    """
    value = float(text)
    if (len(text) <= _MOST_EXACT and "e" not in text and "E" not in text) or repr(value) == text:
        return value
    if isinf(value):
        raise TooLarge(
            f"{text} is beyond what a float holds; a field that takes a Decimal, and no other, reads it in quotes"
        )
    return value if Decimal(text) == Decimal(repr(value)) else Numeral(text)
