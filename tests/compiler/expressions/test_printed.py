import math
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

import pytest
from pydantic import Secret, SecretBytes

from typedcfg.compiler.expressions.printed import NotPrintable, printed


class Mode(Enum):
    FAST = "fast"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (math.inf, "Infinity"),
        (False, "false"),
        (Mode.FAST, "fast"),
        (PurePosixPath("a/b"), "a/b"),
        (2**4095, str(2**4095)),
    ],
)
def test_values_print_as_in_json(value: object, text: str) -> None:
    assert printed(value) == text


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "null"),
        ({}, "a mapping"),
        (frozenset(), "a list"),
        (b"", "bytes"),
        (SecretBytes(b"x"), "bytes"),
        (Secret(1), "a secret, and no text"),
        (2**4096, "an integer of more than 4096 bits"),
    ],
)
def test_what_is_no_text_says_what_it_is(value: Any, what: str) -> None:
    with pytest.raises(NotPrintable) as caught:
        printed(value)

    assert str(caught.value) == what
