"""What expressions compute, and what they refuse to."""

import math
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.compiler.expressions.arithmetic import Undefined, calculate, call, compare, sign, truth

OPERATORS = ["+", "-", "*", "/", "//", "%", "**"]


class Size(Enum):
    SMALL = 4
    NAMED = "named"


def refusal(symbol: str, left: object, right: object) -> str:
    with pytest.raises(Undefined) as caught:
        calculate(symbol, left, right)
    return caught.value.what


@pytest.mark.parametrize(
    ("symbol", "left", "right", "result"),
    [
        ("+", 1, 2, 3),
        ("-", 1, 0.5, 0.5),
        ("*", 3, 4, 12),
        ("/", 6, 3, 2.0),
        ("//", -7, 2, -4),
        ("%", -7, 3, 2),
        ("**", 2, -1, 0.5),
        ("+", Size.SMALL, 1, 5),
        ("*", math.inf, 2, math.inf),
    ],
)
def test_numbers_are_computed_as_in_python(symbol: str, left: object, right: object, result: object) -> None:
    found = calculate(symbol, left, right)

    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("symbol", "left", "right", "what"),
    [
        ("/", 1, 0, "division by zero"),
        ("%", 1.0, 0, "division by zero"),
        ("**", 0, -1, "division by zero"),
        ("**", -1, 0.5, "the result is a complex number"),
        ("**", 2, 65, "the exponent 65 is beyond 64"),
        ("**", 2, math.inf, "the exponent inf is beyond 64"),
        ("**", 2**65, 64, "the result is an integer of more than 4096 bits"),
        ("*", 2**4000, 2**100, "the result is an integer of more than 4096 bits"),
        ("/", 2**4000, 3, "the result is larger than a float can be"),
        ("*", 1e308, 10, "the result is larger than a float can be"),
        ("**", 1e300, 2, "the result is larger than a float can be"),
        ("-", math.inf, math.inf, "the result is not a number (NaN)"),
        ("+", math.nan, 1, "the result is not a number (NaN)"),
        ("//", math.inf, 2, "the result is not a number (NaN)"),
        ("*", "ab", 3, "the text 'ab' is no number"),
        ("*", [1], 3, "a list is no number"),
        ("+", "a", "b", "the text 'a' cannot be added"),
        ("+", True, 1, "true is no number"),
        ("+", None, 1, "null is no number"),
        ("+", Decimal(1), 1, "a Decimal is no number"),
        ("+", 2**5000, 1, "an integer of more than 4096 bits"),
        ("+", Size.NAMED, 1, "the text 'named' cannot be added"),
    ],
)
def test_what_has_no_result_is_told_by_name(symbol: str, left: object, right: object, what: str) -> None:
    assert refusal(symbol, left, right) == what


def test_texts_are_put_together_by_writing_them_together() -> None:
    with pytest.raises(Undefined) as caught:
        calculate("+", "a", Path("b"))

    assert caught.value.fix == "write them one behind the other: ${a}${b}"


@given(
    symbol=st.sampled_from(OPERATORS),
    left=st.integers(-(2**5000), 2**5000) | st.floats(),
    right=st.integers(-(2**5000), 2**5000) | st.floats(),
)
def test_every_result_is_a_number_within_the_bounds(symbol: str, left: float, right: float) -> None:
    try:
        found = calculate(symbol, left, right)
    except Undefined:
        return

    assert type(found) in (int, float)
    assert isinstance(found, float) or found.bit_length() <= 4096
    assert not math.isnan(found)


@pytest.mark.parametrize(
    ("symbol", "left", "right", "holds"),
    [
        ("==", 1, 1.0, True),
        ("==", 1, True, False),
        ("!=", 1, "1", True),
        ("==", None, None, True),
        ("!=", [1], None, True),
        ("==", Size.NAMED, "named", True),
        ("==", Path("a") / "b", "a/b", True),
        ("<", 1, 1.5, True),
        (">=", "b", "a", True),
        ("==", math.nan, math.nan, False),
    ],
)
def test_values_are_compared_within_their_type(symbol: str, left: object, right: object, *, holds: bool) -> None:
    assert compare(symbol, left, right) is holds


@pytest.mark.parametrize(
    ("left", "right", "what"),
    [
        (1, "1", "1 and the text '1' have no order"),
        (True, False, "true and false have no order"),
        (None, 1, "null and 1 have no order"),
        ([1], [2], "a list and a list have no order"),
        (date(2026, 1, 1), date(2026, 1, 2), "a date and a date have no order"),
        (math.nan, 1, "what is not a number (NaN) has no order"),
    ],
)
def test_what_has_no_order_is_told(left: object, right: object, what: str) -> None:
    with pytest.raises(Undefined) as caught:
        compare("<", left, right)

    assert caught.value.what == what


@pytest.mark.parametrize("value", [1, 0, "", "true", None, []])
def test_nothing_but_true_and_false_is_a_condition(value: object) -> None:
    with pytest.raises(Undefined, match="is no truth value"):
        truth(value, "a condition")


def test_a_sign_stands_before_numbers_alone() -> None:
    assert (sign("-", 3), sign("+", 0.5)) == (-3, 0.5)
    with pytest.raises(Undefined, match="true is no number"):
        sign("-", True)  # the mistake itself


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("min", [3, 1.5], 1.5),
        ("max", [[3, 4]], 4),
        ("abs", [-3], 3),
        ("round", [2.5], 2),
        ("round", [3.5], 4),
        ("round", [1.25, 1], 1.2),
        ("round", [1250, -2], 1200),
        ("floor", [-1.5], -2),
        ("ceil", [1.2], 2),
        ("len", ["größe"], 5),
        ("len", [(1, 2)], 2),
        ("len", [{"a": 1}], 1),
        ("int", ["-12"], -12),
        ("int", [2.9], 2),
        ("int", [True], 1),
        ("float", ["1e-3"], 0.001),
        ("float", [3], 3.0),
        ("float", ["inf"], math.inf),
        ("str", [1e-5], "1e-05"),
        ("str", [True], "true"),
        ("str", [Path("a") / "b"], "a/b"),
    ],
)
def test_functions_do_what_python_does(name: str, arguments: list[Any], result: object) -> None:
    found = call(name, arguments)

    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("name", "arguments", "what"),
    [
        ("min", [], "min() takes 1 or more values, not 0"),
        ("round", [1, 2, 3], "round() takes 1 or 2 values, not 3"),
        ("abs", [1, 2], "abs() takes 1 values, not 2"),
        ("min", [[]], "min() of an empty list"),
        ("max", ["a", "b"], "the text 'a' is no number"),
        ("max", [1, math.nan], "max() of what is not a number (NaN)"),
        ("round", [1, 10**10], "10000000000 is no number of digits to round to"),
        ("round", [1, 1.5], "1.5 is no number of digits to round to"),
        ("round", [math.nan], "it is no finite number"),
        ("floor", [math.inf], "it is no finite number"),
        ("round", [1.7e308, 65], "65 is no number of digits to round to"),
        ("len", [3], "3 has no length"),
        ("int", ["1.5"], "the text '1.5' is no integer"),
        ("int", ["٣"], "the text '٣' is no integer"),
        ("int", ["1_0"], "the text '1_0' is no integer"),
        ("int", [None], "null is no number"),
        ("float", ["nan"], "the text 'nan' is no number"),
        ("float", ["x"], "the text 'x' is no number"),
        ("float", [2**4000], "the result is larger than a float can be"),
        ("str", [None], "null is no text"),
        ("str", [[1]], "a list is no text"),
    ],
)
def test_functions_refuse_what_they_cannot_do(name: str, arguments: list[Any], what: str) -> None:
    with pytest.raises(Undefined) as caught:
        call(name, arguments)

    assert caught.value.what == what


def test_a_text_of_ten_thousand_digits_is_no_number() -> None:
    for name in ("int", "float"):
        with pytest.raises(Undefined, match="is no"):
            call(name, ["9" * 10_000])
