"""Which expressions are refused before anything parses them."""

import pytest

from typedcfg.compiler.expressions.grammar import parse_expression
from typedcfg.compiler.expressions.tokens import LONGEST, MOST_BRACKETS, MOST_NODES
from typedcfg.errors import Problem


def refusal(text: str) -> str:
    found = parse_expression(text, 3)
    assert isinstance(found, Problem)
    return str(found)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 3000 + "1",
        "not " * 3000 + "true",
        "(" * 3000 + "1" + ")" * 3000,
        "(" * (MOST_BRACKETS + 1) + "1" + ")" * (MOST_BRACKETS + 1),
        "+".join("1" * (MOST_NODES // 2 + 1)),
        "a if b else " * 500 + "c",
        "2" + "**2" * 500,
        "a" + "[0]" * 5000 + " + 1",
        "9" * 5000,
        "0x" + "f" * 1200,
        "1" * LONGEST + "0",
        "min(" * 60,
        "'" + "a" * LONGEST + "'",
        "1 " * 4000,
    ],
)
def test_what_is_long_or_deep_is_refused(text: str) -> None:
    assert len(refusal(text)) < 500


@pytest.mark.parametrize(("character", "escape"), [("\r", r"\x0d"), ("\0", r"\x00")])
def test_what_would_end_a_line_is_written_as_an_escape(character: str, escape: str) -> None:
    problem = parse_expression(f'"a{character}b"', 1)

    assert isinstance(problem, Problem)
    assert "a control character stands in quotes at column 3" in problem.what
    assert problem.fix == f"write it as an escape: {escape}"
