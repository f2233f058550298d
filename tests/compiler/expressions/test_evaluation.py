from typing import Any

import pytest

from typedcfg.compiler.expressions.arithmetic import Undefined
from typedcfg.compiler.expressions.evaluation import evaluate
from typedcfg.compiler.expressions.grammar import parse_expression
from typedcfg.compiler.expressions.references import Reference
from typedcfg.errors import Problem


class Values:
    """A scope of plain values, which remembers what was read."""

    def __init__(self, **values: Any) -> None:
        self.values = values
        self.read: list[str] = []

    def value(self, reference: Reference) -> Any:
        self.read.append(str(reference.path[0]))
        return self.values[str(reference.path[0])]

    measured = value

    def variable(self, name: str) -> str | None:
        return {"SET": "1", "BYTES": "\udcff"}.get(name)


def value_of(text: str, scope: Values | None = None) -> Any:
    expression = parse_expression(text, 1)
    assert not isinstance(expression, Problem)
    return evaluate(expression, scope or Values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("256 / 128 * 0.01", 0.02),
        ("-2 ** 2", -4),
        ("2 ** 3 ** 2", 512),
        ("1 < 2 <= 2 < 3", True),
        ("1 < 2 > 3", False),
        ("not 1 == 2", True),
        ("true and false or true", True),
        ("'a' if 1 > 2 else null", None),
        ("round(0.1 * 15) + len('abc')", 5),
        ("int(env('SET')) + 1", 2),
        ("env('UNSET', 'x')", "x"),
    ],
)
def test_an_expression_comes_to_what_python_says(text: str, value: object) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a if yes else b", ["yes", "a"]),
        ("a if no else b", ["no", "b"]),
        ("no and yes", ["no"]),
        ("yes or no", ["yes"]),
        ("2 < a < b", ["a"]),
        ("len(a2) + a", ["a2", "a"]),
    ],
)
def test_what_is_not_needed_is_not_read(text: str, read: list[str]) -> None:
    scope = Values(yes=True, no=False, a=1, b=2, a2=[1])

    value_of(text, scope)

    assert scope.read == read


@pytest.mark.parametrize(
    ("text", "what", "column"),
    [
        ("1 + 2 / 0", "division by zero", 5),
        ("a + 1", "the text 'x' cannot be added", 1),
        ("1 if 2 else 3", "2 is no truth value", 1),
        ("true or true and 1", None, 0),
        ("1 == 1 and 2", "2 is no truth value", 1),
        ("3 * abs('x')", "the text 'x' is no number", 5),
        ("env('UNSET')", "the variable UNSET is not set", 1),
        ("env('UNSET', 128)", "the default of the variable UNSET is no text", 1),
        ("env('BYTES')", "the variable BYTES holds what is no UTF-8", 1),
    ],
)
def test_what_has_no_value_is_told_with_its_column(text: str, what: str | None, column: int) -> None:
    if what is None:
        assert value_of(text) is True
        return
    with pytest.raises(Undefined) as caught:
        value_of(text, Values(a="x"))

    assert (caught.value.what, caught.value.column) == (what, column)
