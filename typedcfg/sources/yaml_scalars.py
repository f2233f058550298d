"""What an unquoted scalar means in YAML 1.2, core schema."""

import re
from typing import Final

from typedcfg.template.numeral import number

# CPython refuses to read decimal integers beyond 4300 digits; expressions are bounded at 4096 bits, which is this.
_MOST_DIGITS: Final = 1233

WORDS: Final[dict[str, object]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
"""Unquoted words that are no text."""

_NUMBER: Final = re.compile(
    r"""
    (?P<decimal> [-+]? [0-9]+ )
    | (?P<prefixed> 0o [0-7]+ | 0x [0-9a-fA-F]+ )
    | (?P<float> [-+]? (?: \.[0-9]+ | [0-9]+ (?: \.[0-9]* )? ) (?: [eE] [-+]? [0-9]+ )? )
    """,
    re.VERBOSE,
)
_NUMBER_STARTS: Final = frozenset("0123456789+-.")


def resolve_plain(text: str) -> object:
    """What an unquoted scalar means in the core schema of YAML 1.2.

    Raises:
        ValueError: The text is an integer too long to read, or a float too large.

    Example:
        >>> resolve_plain("012"), resolve_plain("1e-3"), resolve_plain("on")
        (12, 0.001, 'on')

    Source:
        YAML 1.2.2, section 10.3.2, tag resolution.
    """
    if text in WORDS:
        return WORDS[text]
    if text[0] not in _NUMBER_STARTS or not (match := _NUMBER.fullmatch(text)):
        return text
    kind = match.lastgroup
    if kind == "float":
        return number(text)
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits is beyond the {_MOST_DIGITS} that are read")
    return int(text, 10 if kind == "decimal" else 0)
