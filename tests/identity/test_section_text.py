from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg import AddedIn, ConfigTemplate, Kind, NotInIdentity, RenamedFrom, section
from typedcfg.errors import UnsupportedValue
from typedcfg.identity.canonical import Members, canonical_text, escaped
from typedcfg.identity.section_text import equality_text, identity_text
from typedcfg.key_path import KeyPath, render_key_path

Values = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 1e-5, 4.78e-6, 1e16, 3e20, 0.0001, 123456789012345.5]),
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.lists(st.one_of(st.integers(), st.floats()), max_size=3),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)


Paths = st.tuples(st.sampled_from(["a", "ab", "é"]), st.text('ab0"\\. \n$[é\ufb33\U0001f600', max_size=3))


class Loader(ConfigTemplate):
    batch_size: int = 128
    num_workers: Annotated[int, NotInIdentity()] = 2


class Params(ConfigTemplate):
    loader: Loader = section(Loader)
    strides: list[int] = [2, 4]


def test_what_bears_on_nothing_is_left_out() -> None:
    text = identity_text(Params())

    assert text == '{"loader.batch_size":128,"strides[0]":2,"strides[1]":4}'


def test_equality_asks_for_every_leaf() -> None:
    assert '"loader.num_workers":2' in equality_text(Params())


def test_sections_are_found_in_lists_of_lists() -> None:
    class Rows(ConfigTemplate):
        rows: list[list[Loader]] = [[Loader(), Loader(batch_size=1)], []]
        named: dict[str, list[Loader]] = {"a.b": [Loader()]}

    text = identity_text(Rows())

    assert text == (
        '{"named[\\"a.b\\"][0].batch_size":128,"rows[0][0].batch_size":128,"rows[0][1].batch_size":1,"rows[1]":[]}'
    )


def test_a_renamed_field_goes_by_its_first_name() -> None:
    class Renamed(ConfigTemplate):
        size: Annotated[int, RenamedFrom("batch_size", "bs")] = 128

    assert identity_text(Renamed()) == '{"batch_size":128}'


def test_a_field_moved_from_the_top_goes_by_its_old_path() -> None:
    class Data(ConfigTemplate):
        size: Annotated[int, RenamedFrom("loader.batch_size")] = 128

    class Moved(ConfigTemplate):
        data: Data = section(Data)

    assert identity_text(Moved()) == '{"loader.batch_size":128}'


def test_a_renamed_section_takes_its_leaves_along() -> None:
    class Moved(ConfigTemplate):
        reader: Annotated[Loader, RenamedFrom("loader")] = section(Loader)

    assert identity_text(Moved()) == '{"loader.batch_size":128}'


def test_a_renamed_kind_is_identified_as_before() -> None:
    class Sgd(ConfigTemplate):
        kind: Annotated[Literal["sgd"], Kind(renamed_from="SGD")] = "sgd"

    assert identity_text(Sgd()) == '{"kind":"SGD"}'


@pytest.mark.parametrize(("value", "text"), [(0.0, "{}"), (0.5, '{"dropout":0.5}')])
def test_a_field_that_came_later_shows_only_where_it_says_something_new(value: float, text: str) -> None:
    class Model(ConfigTemplate):
        dropout: Annotated[float, AddedIn(was=0.0)] = 0.0

    assert identity_text(Model(dropout=value)) == text


def test_two_values_of_one_name_are_refused() -> None:
    class Data(ConfigTemplate):
        size: Annotated[int, RenamedFrom("loader.batch_size")] = 1

    class Moved(ConfigTemplate):
        loader: Loader = section(Loader)
        data: Data = section(Data)

    with pytest.raises(UnsupportedValue, match=r"loader\.batch_size"):
        identity_text(Moved())


@given(st.dictionaries(Paths, Values, max_size=12))
def test_sections_are_written_as_their_leaves_are(values: dict[KeyPath, Any]) -> None:
    members = Members()

    for path, value in values.items():
        members.add(render_key_path(tuple(escaped(str(step)) for step in path)), [""], [value])

    assert members.text() == canonical_text(values.items())


def test_a_section_by_an_odd_name_is_written_as_its_leaves_are() -> None:
    class Groups(ConfigTemplate):
        groups: dict[str, Loader]

    names = ["backbone.0", "$odd", 'a"b', "a\\b", "\U0001f600", "\ufb33", ""]

    text = identity_text(Groups(groups={name: Loader() for name in names}))

    assert text == canonical_text((("groups", name, "batch_size"), 128) for name in names)


def test_text_that_nothing_can_carry_is_refused_with_its_place() -> None:
    class Named(ConfigTemplate):
        name: Any = "\ud800"

    class Above(ConfigTemplate):
        named: Named = section(Named)

    with pytest.raises(UnsupportedValue, match=r"named\.name"):
        identity_text(Above())
