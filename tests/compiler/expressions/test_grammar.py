"""What may stand inside `${...}`, and what may not, whoever writes it."""

import ast
import warnings

import pytest

from typedcfg.compiler.expressions.grammar import closing_brace, parse_expression
from typedcfg.compiler.expressions.references import Reference, Start
from typedcfg.compiler.expressions.tokens import MOST_BRACKETS, MOST_NODES
from typedcfg.compiler.expressions.tree import (
    Call,
    Choice,
    Comparison,
    Constant,
    Expression,
    Logic,
    Operation,
    Variable,
)
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath


def shape(expression: Expression) -> object:
    """A tree without columns, to compare with."""
    match expression:
        case Reference():
            return ".".join(map(str, expression.path))
        case Constant(value):
            return value
        case Variable(name, default):
            return ("env", name, default and shape(default))
        case Operation(symbol, operands) | Call(symbol, operands) | Logic(symbol, operands):
            return (symbol, *map(shape, operands))
        case Comparison(symbols, operands):
            return (*symbols, *map(shape, operands))
        case Choice(condition, then, otherwise):
            return ("if", shape(condition), shape(then), shape(otherwise))


def parsed(text: str) -> Expression:
    found = parse_expression(text, 3)
    assert not isinstance(found, Problem), str(found)
    return found


def refusal(text: str) -> str:
    found = parse_expression(text, 3)
    assert isinstance(found, Problem)
    return str(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + a * 2", ("+", 1, ("*", "a", 2))),
        ("(1 + a) * 2", ("*", ("+", 1, "a"), 2)),
        ("a.b - c // 3 % 4", ("-", "a.b", ("%", ("//", "c", 3), 4))),
        ("-a ** 2", ("-", ("**", "a", 2))),
        ("+a", ("+", "a")),
        ("0 < a <= b", ("<", "<=", 0, "a", "b")),
        ("not a and b or c", ("or", ("and", ("not", "a"), "b"), "c")),
        ("a if b else c if d else e", ("if", "b", "a", ("if", "d", "c", "e"))),
        ("min(a, 2, 3.5)", ("min", "a", 2, 3.5)),
        ('env("HOME", "/tmp")', ("env", "HOME", "/tmp")),
        ("env('HOME')", ("env", "HOME", None)),
        ("true", True),
        ("null", None),
        ("0x10 + 1_000 + .5 + 1e3", ("+", ("+", ("+", 16, 1000), 0.5), 1000.0)),
        (r'"a\n\x41\u00e9\\d"', "a\nAé\\d"),
        ("a\n  + 1", ("+", "a", 1)),
        ("layers[-1].width + 1", ("+", "layers.-1.width", 1)),
        ('here["my-key"] * 2', ("*", "my-key", 2)),
        ('["my-key"].lr * 2', ("*", "my-key.lr", 2)),
        ("min", "min"),
        ("params.lambda", "params.lambda"),
    ],
)
def test_an_expression_is_read_as_python_reads_it(text: str, expected: object) -> None:
    assert shape(parsed(text)) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [("ﬁt + 1", ("ﬁt",)), ("a.ﬁt + 1", ("a", "ﬁt")), ("größe . ﬁt+1", ("größe", "ﬁt")), ("ﬁt", ("ﬁt",))],  # a ligature
)
def test_keys_are_kept_as_they_are_written(text: str, path: KeyPath) -> None:
    found = parsed(text)
    reference = found.operands[0] if isinstance(found, Operation) else found

    assert isinstance(reference, Reference)
    assert reference.path == path


def test_columns_count_characters_and_not_bytes() -> None:
    found = parsed('"größe" == a')

    assert isinstance(found, Comparison)
    assert found.operands[1] == Reference(Start.TOP, 0, ("a",), 14)


@pytest.mark.parametrize(
    "attack",
    [
        "().__class__",
        "''.__class__.__mro__",
        "(1).real",
        "a.b()",
        "a[0]()",
        "__import__('os')",
        "eval('1')",
        "print(1)",
        "min.__call__(1)",
        "lambda: 1",
        "[x for x in a]",
        "(x for x in a)",
        "{1: 2}",
        "{x for x in a}",
        "(a := 1)",
        "f'{a}'",
        "f''",
        "r'a'",
        "b'a'",
        "'a' 'b'",
        "'''a'''",
        "min(*a)",
        "min(a, key=b)",
        "a, b",
        "[a]",
        "(yield)",
        "await a",
        "a[1:2]",
        "a[b]",
        "a[True]",
        "a['b', 1]",
        "...",
        "1j",
        "a @ b",
        "a & b",
        "~a",
        "a << 100000",
        "a is b",
        "1 in a",
        "a; b",
        "a # b",
        "a \\\n b",
        "env(a)",
        "env()",
        "env('A', 'b', 'c')",
        "env('')",
        "env('A=B')",
        "a\x00",
        "1if a else 2",
        "1.if a else 2",
        r"'\d'",
        r"'\ud800'",
        r"'\N{BULLET}'",
        "'\ud800'",
        "1e999",
        "012",
        "true.a",
        "None.a",
        "",
        "a +",
        "(a",
        "a)",
        "a..b",
        "import os",
    ],
)
def test_nothing_else_of_python_is_understood(attack: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")

        assert "is no expression: " in refusal(attack)

    assert not warned


def test_what_is_just_short_enough_is_read() -> None:
    assert isinstance(parsed("+".join("1" * (MOST_NODES // 2))), Operation)
    assert parsed("(" * MOST_BRACKETS + "1" + ")" * MOST_BRACKETS) == Constant(1)
    assert parsed(hex(2**4096 - 1)) == Constant(2**4096 - 1)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("True", "true"), ("None", "null"), ("a == False", "false"), ("mini(1)", "min"), ("envs('A')", "env")],
)
def test_what_is_spelt_otherwise_is_suggested(text: str, suggestion: str) -> None:
    assert f"did you mean  {suggestion}" in refusal(text)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("groups.2d.lr", 'put a key that is no identifier in quotes: ${groups["2d"].lr}'),
        ("groups.0.lr", 'put a position in brackets: ${groups[0].lr}, and a key in quotes: ${groups["0"].lr}'),
        ("oc.env:HOME", 'a variable is read by env("NAME", "default")'),
        ("a && b", "write: a and b"),
        ("a ? b : c", "write: a if condition else b"),
        ("a is null", "write: a == null"),
        ("a in b", "write: a == 1 or a == 2"),
        (".epochs", "write ${here.epochs}: here. is beside"),
        ("..seed", "write ${parent.seed}: here. is beside, parent. is one section up"),
        ("...data.seed", "write ${parent.parent.data.seed}: here. is beside"),
        ("f'{a}'", "write ${...} into the text around it"),
    ],
)
def test_habits_from_elsewhere_are_told_what_to_write(text: str, fix: str) -> None:
    assert f"fix           {fix}" in refusal(text)


@pytest.mark.parametrize(
    ("text", "column"), [("a + + ", 8), ("1 + (2", 7), ("a $ b", 5), ('a["\\q"]', 6), ("  1 +* 2", 8), ("ä + ö ö", 9)]
)
def test_a_mistake_is_told_with_its_column(text: str, column: int) -> None:
    assert f"at column {column}\n" in refusal(text)


@pytest.mark.parametrize(
    ("text", "end"),
    [("a}", 1), ('"}"}', 3), ('"\\"}"}', 5), ("{}}", 2), ("'", -1), ("", -1), ('a["}', -1), ("'\\\\'}", 4)],
)
def test_an_expression_ends_at_the_first_brace_outside_of_quotes(text: str, end: int) -> None:
    assert closing_brace(text, 0) == end


def test_a_parser_that_gives_up_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ast, "parse", give_up)

    assert "too much lies within one another" in refusal("a + 1")


@pytest.mark.parametrize("position", ["-0", "01", "1_0", "0x0", "0b1", "9" * 19, "9" * 5000, "- 1"])
def test_a_position_is_written_as_in_every_key_path(position: str) -> None:
    for text in (f"tags[{position}]", f"by.a[{position}]", f"tags[{position}] + 1"):
        problem = parse_expression(text, 1)

        assert isinstance(problem, Problem)
        assert "is no expression" in problem.what


def test_a_position_is_taught_where_a_number_is_none() -> None:
    problem = parse_expression("tags[-0]", 3)

    assert isinstance(problem, Problem)
    assert problem.what == "${tags[-0]} is no expression: -0 is no position at column 8"
    assert problem.fix == "count from the start, [0] is the first, or from the end, [-1] is the last"


@pytest.mark.parametrize("key", ["a\tb", "a\u00a0b", "a  b"])
def test_white_space_in_quotes_is_kept(key: str) -> None:
    found = parsed(f'free["{key}"] + "{key}"')

    assert isinstance(found, Operation)
    assert found.operands == (Reference(Start.TOP, 0, ("free", key), 3), Constant(key))


def test_a_quoted_key_that_no_key_path_has_is_an_expression_still() -> None:
    assert parsed('free["a\tb"]') == Reference(Start.TOP, 0, ("free", "a\tb"), 3)
