from typing import Annotated

import pytest

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.marks import AddedIn, Deprecated, Kind, Mark, NotInIdentity, RenamedFrom, Unit


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Unit("samples"), RenamedFrom("bs", "data.bs")] = 1
    workers: Annotated[int, NotInIdentity()] = 2
    old: Annotated[int, Deprecated("use new", since="0.3")] = 3
    fast: Annotated[bool, AddedIn(was=False)] = True
    bare: int = 4


def entry(name: str) -> Entry:
    return catalog_of(Loader).entries[name]


@pytest.mark.parametrize(
    "text",
    [
        "Unit('s')",
        "NotInIdentity()",
        "Deprecated('use b', since='0.3')",
        "RenamedFrom('a', 'b.c')",
        "AddedIn(was=False)",
        "Kind(renamed_from='adam')",
    ],
)
def test_a_mark_s_text_is_what_one_would_write(text: str) -> None:
    mark = eval(text)

    assert isinstance(mark, Mark)
    assert repr(mark) == text


@pytest.mark.parametrize("mark", [Unit, NotInIdentity, Deprecated, RenamedFrom, AddedIn, Kind])
def test_the_example_of_a_mark_is_one(mark: type[Mark]) -> None:
    assert isinstance(eval(mark.example), mark)


def test_marks_are_equal_by_what_they_say() -> None:
    assert Unit("s") == Unit("s")
    assert len({Unit("s"), Unit("s"), Unit("m")}) == 2
    assert Unit("s") != Unit("m")
    assert Unit("s") != "s"
    assert Kind(renamed_from="s") != Unit("s")


def test_a_field_says_what_it_is_marked_with() -> None:
    assert entry("batch_size").unit == "samples"
    assert entry("batch_size").old_names == ("bs", "data.bs")
    assert not entry("workers").is_in_identity
    assert entry("old").deprecation == Deprecated("use new", since="0.3")
    assert entry("fast").was == AddedIn(was=False)


def test_a_field_without_marks_says_so() -> None:
    bare = entry("bare")

    assert (bare.unit, bare.old_names, bare.deprecation, bare.was) == (None, (), None, None)
    assert bare.is_in_identity


def test_marks_are_inert_when_values_are_validated() -> None:
    assert Loader(batch_size=3).batch_size == 3
