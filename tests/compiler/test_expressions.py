import pytest

from typedcfg.compiler.expressions import (
    Interpolation,
    Reference,
    Start,
    absolute,
    read_interpolation,
    whole_reference,
)
from typedcfg.errors import Problem
from typedcfg.key_path import KeyPath


def parts(text: str) -> tuple[str | KeyPath, ...]:
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
        ("plain", ("plain",)),
        ("", ("",)),
        ("$", ("$",)),
        ("a $ {b}", ("a $ {b}",)),
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


@pytest.mark.parametrize("inner", ["", "a..b", "a b", "1 + ", "a[", ".a"])
def test_what_is_no_path_is_refused_with_the_column(inner: str) -> None:
    assert "is no path to a value: unexpected text at column" in problem(f"${{{inner}}}")


@pytest.mark.parametrize(
    ("text", "start", "ups", "path"),
    [
        ("${a}", Start.ROOT, 0, ("a",)),
        ("${root.a}", Start.ROOT, 0, ("a",)),
        ("${here.a}", Start.HERE, 0, ("a",)),
        ("${parent.a}", Start.PARENT, 1, ("a",)),
        ("${parent.parent.a}", Start.PARENT, 2, ("a",)),
        ('${here["my-key"]}', Start.HERE, 0, ("my-key",)),
        ("${roots.a}", Start.ROOT, 0, ("roots", "a")),
    ],
)
def test_words_say_where_a_path_begins(text: str, start: Start, ups: int, path: KeyPath) -> None:
    read = read_interpolation(text)

    assert isinstance(read, Interpolation)
    assert read.whole is not None
    assert read.whole[:3] == (start, ups, path)


SECTIONS: tuple[KeyPath, ...] = ((), ("model",), ("model", "layers", 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a.b}", ("a", "b")),
        ("${here.a}", ("model", "layers", 1, "a")),
        ("${parent.a}", ("model", "a")),
        ("${parent.parent.a}", ("a",)),
        ("${parent.parent.parent.a}", None),
    ],
)
def test_a_reference_means_one_path_from_the_top(text: str, expected: KeyPath | None) -> None:
    read = read_interpolation(text)

    assert isinstance(read, Interpolation)
    assert read.whole is not None
    assert absolute(read.whole, SECTIONS, ("model", "layers", 1)) == expected


def test_only_one_reference_and_nothing_else_is_whole() -> None:
    for text in ("x${a}", "${a}${b}", "$${a}"):
        read = read_interpolation(text)
        assert isinstance(read, Interpolation)
        assert read.whole is None


def test_a_section_is_named_by_one_reference_alone() -> None:
    assert whole_reference("${a.b}", ("x",)) == ("a", "b")
    assert isinstance(whole_reference("x ${a.b}", ("x",)), Problem)
    assert isinstance(whole_reference("${parent.a}", ("x",)), Problem)
