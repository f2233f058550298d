"""Printed: values as they stand within a text."""

import json
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from pydantic import Secret, SecretBytes

MOST_BITS: Final = 4096
"""Of an integer in an expression or text."""


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
        case int() if value.bit_length() > MOST_BITS:
            raise NotPrintable(f"an integer of more than {MOST_BITS} bits")
        case PurePath():
            return value.as_posix()
    return str(value)
