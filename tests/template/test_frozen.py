import copy
import json
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import Frozen
from typedcfg.template.frozen import FrozenDict, FrozenList, FrozenSet, freeze, thaw


class Pair(NamedTuple):
    first: list[int]
    second: int


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)

LIST_CHANGES: list[Callable[[Any], object]] = [
    lambda v: v.append(1),
    lambda v: v.extend([1]),
    lambda v: v.insert(0, 1),
    lambda v: v.pop(),
    lambda v: v.remove(1),
    lambda v: v.clear(),
    lambda v: v.sort(),
    lambda v: v.reverse(),
    lambda v: v.__setitem__(0, 1),
    lambda v: v.__delitem__(0),
    lambda v: v.__iadd__([1]),
    lambda v: v.__imul__(2),
    lambda v: v.__setitem__(slice(0, 1), [1]),
]
DICT_CHANGES: list[Callable[[Any], object]] = [
    lambda v: v.__setitem__("a", 1),
    lambda v: v.__delitem__("a"),
    lambda v: v.update(a=1),
    lambda v: v.setdefault("a", 1),
    lambda v: v.pop("a"),
    lambda v: v.popitem(),
    lambda v: v.clear(),
    lambda v: v.__ior__({"a": 1}),
]
SET_CHANGES: list[Callable[[Any], object]] = [
    lambda v: v.add(1),
    lambda v: v.discard(1),
    lambda v: v.remove(1),
    lambda v: v.pop(),
    lambda v: v.clear(),
    lambda v: v.update({1}),
    lambda v: v.difference_update({1}),
    lambda v: v.intersection_update({1}),
    lambda v: v.symmetric_difference_update({1}),
    lambda v: v.__ior__({1}),
    lambda v: v.__iand__({1}),
    lambda v: v.__isub__({1}),
    lambda v: v.__ixor__({1}),
]


def kinds_in(value: Any) -> Any:
    """The types of a value's containers, in its own form."""
    if isinstance(value, dict):
        return dict, {key: kinds_in(item) for key, item in value.items()} if type(value) is dict else None
    if isinstance(value, (list, tuple)):
        return type(value), [kinds_in(item) for item in value]
    return type(value)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        *(([1, 2], change) for change in LIST_CHANGES),
        *(({"a": 0}, change) for change in DICT_CHANGES),
        *(({1, 2}, change) for change in SET_CHANGES),
    ],
)
def test_no_method_changes_what_is_frozen(value: Any, change: Callable[[Any], object]) -> None:
    frozen = freeze(value)

    with pytest.raises(Frozen):
        change(frozen)
    assert frozen == value


@pytest.mark.parametrize(
    ("kind", "plain"), [(FrozenList, list), (FrozenDict, dict), (FrozenSet, set)], ids=["list", "dict", "set"]
)
def test_every_method_that_could_change_a_container_is_refused(kind: type, plain: type) -> None:
    # What Python adds to a container in a later version must be looked at here.
    harmless = {"copy", "get", "items", "keys", "values", "count", "index", "fromkeys"}
    harmless |= {"difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"}

    public = {name for name in dir(plain) if not name.startswith("_")}

    assert {name for name in public - harmless if getattr(kind, name) is getattr(plain, name)} == set()


def test_what_cannot_change_says_what_to_do() -> None:
    with pytest.raises(Frozen) as caught:
        freeze([1]).append(2)

    assert "this list belongs to a frozen configuration and cannot change" in str(caught.value)
    assert "config.plain()" in str(caught.value)


@given(VALUES)
def test_what_is_frozen_equals_what_it_was_made_of(value: Any) -> None:
    assert freeze(value) == value


@given(VALUES)
def test_thawing_undoes_freezing(value: Any) -> None:
    thawed = thaw(freeze(value))

    assert thawed == value
    assert kinds_in(thawed) == kinds_in(value)


@given(VALUES)
def test_what_is_frozen_is_hashable_and_survives_pickle(value: Any) -> None:
    frozen = freeze(value)

    again = pickle.loads(pickle.dumps(frozen))

    assert again == frozen
    assert type(again) is type(frozen)
    assert hash(again) == hash(frozen)


def test_containers_are_frozen_however_deep() -> None:
    frozen = freeze({"a": [{"b": ({1}, [2])}]})

    inner = frozen["a"][0]["b"]

    assert [type(part) for part in inner] == [FrozenSet, FrozenList]
    assert type(inner) is tuple


def test_what_is_frozen_is_still_a_list_a_dict_and_a_set() -> None:
    frozen = freeze({"list": [1], "set": {1}})

    assert isinstance(frozen, dict)
    assert isinstance(frozen["list"], list)
    assert isinstance(frozen["set"], set)
    assert [*frozen["list"], 2] == [1, 2]
    assert frozen | {"more": 1} == {"list": [1], "set": {1}, "more": 1}


def test_what_is_frozen_goes_to_json() -> None:
    frozen = freeze({"a": [1, {"b": None}]})

    assert json.dumps(frozen) == '{"a": [1, {"b": null}]}'
    assert orjson.loads(orjson.dumps(frozen)) == frozen


def test_a_copy_is_the_thing_itself() -> None:
    frozen = freeze({"a": [1], "b": {2}})

    for held in (frozen, frozen["a"], frozen["b"]):
        assert copy.copy(held) is held
        assert copy.deepcopy(held) is held


def test_a_container_of_something_unhashable_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(freeze([bytearray(b"a")]))


def test_freezing_twice_is_freezing_once() -> None:
    frozen = freeze([1, [2]])

    assert freeze(frozen) is frozen


def test_a_named_tuple_stays_one() -> None:
    frozen = freeze(Pair([1], 2))

    assert type(frozen) is Pair
    assert type(frozen.first) is FrozenList
    assert thaw(frozen) == Pair([1], 2)
    assert type(thaw(frozen).first) is list


def test_an_ordered_dict_keeps_its_order() -> None:
    assert list(freeze(OrderedDict([("b", 1), ("a", 2)]))) == ["b", "a"]


@pytest.mark.parametrize("value", [1, 1.5, "a", None, b"a", frozenset({1}), (1, 2)])
def test_what_cannot_change_anyway_is_left_alone(value: object) -> None:
    assert freeze(value) == value
    assert type(freeze(value)) is type(value)
