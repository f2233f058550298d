from typing import Annotated, Any, Literal, Optional

import pytest
from annotated_types import Gt
from pydantic import JsonValue
from typing_extensions import TypeAliasType

from typedcfg.template.annotations import annotation_text, is_union, iter_types, resolve_alias

Width = TypeAliasType("Width", int)
Nested = TypeAliasType("Nested", Width)


class StatementAlias:
    """What `type X = ...` makes: an object with a value, of a class of its own."""

    __value__: Any
    __name__ = "Json"


def test_an_alias_stands_for_what_it_holds_in_the_end() -> None:
    assert resolve_alias(Nested) is int
    assert resolve_alias(int) is int


@pytest.mark.parametrize("union", [int | str, Optional[int]], ids=str)  # noqa: UP045  # both spellings are to work
def test_a_union_is_one_however_it_was_written(union: object) -> None:
    assert is_union(union)
    assert not is_union(list[int])


def test_everything_that_a_type_is_built_from_is_seen() -> None:
    found = list(iter_types(dict[str, Annotated[list[Nested], Gt(0)]]))

    assert {str, int, list[Nested]} <= set(found)


def test_a_literal_s_values_are_no_types() -> None:
    assert list(iter_types(Literal["a"])) == [Literal["a"]]


def test_an_alias_that_holds_itself_ends() -> None:
    alias: Any = StatementAlias()
    alias.__value__ = list[alias] | int

    assert int in list(iter_types(alias))
    assert list(iter_types(JsonValue))


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (None | int, "None | int"),
        (Width, "Width"),
        (Any, "Any"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (list[Annotated[int, Gt(0)]], "list[Annotated[int, Gt(gt=0)]]"),
    ],
    ids=str,
)
def test_a_type_is_written_as_one_would(annotation: object, text: str) -> None:
    assert annotation_text(annotation) == text
