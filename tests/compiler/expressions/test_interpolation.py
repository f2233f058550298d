import pytest

from typedcfg.compiler.expressions.interpolation import Interpolation, read_interpolation, whole_reference
from typedcfg.compiler.expressions.references import Reference
from typedcfg.compiler.expressions.tree import Choice, Operation
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath


def parts(text: str) -> tuple[object, ...]:
    read = read_interpolation(text)
    assert isinstance(read, Interpolation)
    return tuple(part.path if isinstance(part, Reference) else part for part in read.parts)


def problem(text: str) -> str:
    read = read_interpolation(text)
    assert isinstance(read, Problem)
    return str(read)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a.b}", (("a", "b"),)),
        ("${ a.b }", (("a", "b"),)),
        ("bs-${a}-x${b}", ("bs-", ("a",), "-x", ("b",))),
        ("${layers[2].width}", (("layers", 2, "width"),)),
        ('${groups["a.b"].lr}', (("groups", "a.b", "lr"),)),
        ("${groups['}'].lr}", (("groups", "}", "lr"),)),
        ('${["my-key"].lr}', (("my-key", "lr"),)),
        ("plain", ("plain",)),
        ("", ("",)),
        ("$", ("$",)),
        ("a $ {b}", ("a $ {b}",)),
        ("${a}}", (("a",), "}")),
    ],
)
def test_a_text_is_read_as_texts_and_references(text: str, expected: tuple[str | KeyPath, ...]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$${a}", ("${a}",)),
        ("x$${a}${b}", ("x${a}", ("b",))),
        ("${a}$${b}", (("a",), "${b}")),
        ("$$$${a}", ("$$${a}",)),
    ],
)
def test_a_doubled_dollar_is_a_literal_one(text: str, expected: tuple[str | KeyPath, ...]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize("text", ["${a", "x ${a", '${a["}', "${a}${"])
def test_an_unclosed_reference_is_refused(text: str) -> None:
    assert "and does not close it" in problem(text)
    assert "write $${ for a literal ${" in problem(text)


def test_expressions_stand_alone_or_within_a_text() -> None:
    read = read_interpolation("x${a + 1}-${b if c else d}")

    assert isinstance(read, Interpolation)
    assert [type(part) for part in read.parts] == [str, Operation, str, Choice]
    assert read.whole is None


def test_columns_count_from_the_beginning_of_the_text() -> None:
    assert "at column 15" in problem("größe ${1 + 2 @ 3}")


def test_only_one_expression_and_nothing_else_is_whole() -> None:
    for text in ("x${a}", "${a}${b}", "$${a}"):
        read = read_interpolation(text)
        assert isinstance(read, Interpolation)
        assert read.whole is None


def test_a_section_is_named_by_one_reference_alone() -> None:
    assert whole_reference("${a.b}", ("x",)) == ("a", "b")
    assert whole_reference("${a.b}", ("x",), ("part",)) == ("part", "a", "b")
    assert isinstance(whole_reference("x ${a.b}", ("x",)), Problem)
    assert isinstance(whole_reference("${parent.a}", ("x",)), Problem)


def test_a_section_is_named_by_no_expression() -> None:
    refused = whole_reference("${a if b else c}", ("x",))

    assert isinstance(refused, Problem)
    assert refused.what == "'${a if b else c}' is an expression, and a section is expected"
