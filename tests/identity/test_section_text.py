from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg import AddedIn, ConfigTemplate, Kind, NotInIdentity, RenamedFrom
from typedcfg.errors import UnsupportedValue
from typedcfg.identity.canonical import canonical_text, canonical_text_of
from typedcfg.identity.section_text import equality_text, identity_text
from typedcfg.key_path import parse_key_path

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


class Loader(ConfigTemplate):
    batch_size: int = 128
    num_workers: Annotated[int, NotInIdentity()] = 2


class Params(ConfigTemplate):
    loader: Loader
    strides: list[int] = [2, 4]


def test_what_bears_on_nothing_is_left_out() -> None:
    text = identity_text(Params())

    assert text == '{"loader.batch_size":128,"strides[0]":2,"strides[1]":4}'


def test_equality_asks_for_every_leaf() -> None:
    assert '"loader.num_workers":2' in equality_text(Params())


def test_a_renamed_field_goes_by_its_first_name() -> None:
    class Renamed(ConfigTemplate):
        size: Annotated[int, RenamedFrom("batch_size", "bs")] = 128

    assert identity_text(Renamed()) == '{"batch_size":128}'


def test_a_field_moved_from_the_top_goes_by_its_old_path() -> None:
    class Data(ConfigTemplate):
        size: Annotated[int, RenamedFrom("loader.batch_size")] = 128

    class Moved(ConfigTemplate):
        data: Data

    assert identity_text(Moved()) == '{"loader.batch_size":128}'


def test_a_renamed_section_takes_its_leaves_along() -> None:
    class Moved(ConfigTemplate):
        reader: Annotated[Loader, RenamedFrom("loader")]

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
        loader: Loader
        data: Data

    with pytest.raises(UnsupportedValue, match=r"loader\.batch_size"):
        identity_text(Moved())


@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}(\.[a-z]{1,3}|\[[0-9]\])?", fullmatch=True), Values, max_size=12))
def test_the_quick_way_writes_the_same_text(values: dict[str, Any]) -> None:
    padding = {f"padding.p{i}": i for i in range(600)}
    leaves = [(parse_key_path(key), value) for key, value in (values | padding).items()]

    try:
        expected = canonical_text(leaves)
    except UnsupportedValue:
        with pytest.raises(UnsupportedValue):
            canonical_text_of(values | padding)
    else:
        assert canonical_text_of(values | padding) == expected
