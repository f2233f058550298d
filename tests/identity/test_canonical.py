import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, localcontext
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretBytes, SecretStr

from typedcfg.errors import UnsupportedValue
from typedcfg.identity.canonical import canonical_text
from typedcfg.identity.jcs import DEEPEST, jcs
from typedcfg.key_path import KeyPath, parse_key_path


class Colour(Enum):
    RED = "red"
    PAIR = (1, 2.0)


class Level(IntEnum):
    HIGH = 3


def text_of(value: object) -> str:
    """The canonical text of one value at the key `x`, without what is around it."""
    text = canonical_text([(("x",), value)])
    return text.removeprefix('{"x":').removesuffix("}") if text.startswith('{"x":') else text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.0, '{"$float":"1"}'),
        (0.5, "0.5"),
        (1e-7, "1e-7"),
        (1e300, '{"$float":"1e+300"}'),
        (0.0, '{"$float":"0"}'),
        (-0.0, '{"$float":"-0"}'),
        (float("nan"), '{"$float":"NaN"}'),
        (-float("nan"), '{"$float":"NaN"}'),
        (float("inf"), '{"$float":"Infinity"}'),
        (-float("inf"), '{"$float":"-Infinity"}'),
        (2**53 - 1, "9007199254740991"),
        (2**53, '{"$int":"9007199254740992"}'),
        (-(2**70), '{"$int":"-1180591620717411303424"}'),
        ("1", '"1"'),
        ("é", '"é"'),
        (b"\x00\xff", '{"$bytes":"AP8="}'),
        (1.5 - 0.0j, '{"$complex":["1.5","0"]}'),
        (complex(-0.0, float("inf")), '{"$complex":["-0","Infinity"]}'),
        (datetime(2026, 11, 21, 5, 24, 40), '{"$datetime":"2026-11-21T05:24:40"}'),  # noqa: DTZ001 - naive on purpose
        (datetime(2026, 11, 21, 5, 24, 40, 7, tzinfo=UTC), '{"$datetime":"2026-11-21T05:24:40.000007+00:00"}'),
        (date(2026, 11, 21), '{"$date":"2026-11-21"}'),
        (time(5, 24), '{"$time":"05:24:00"}'),
        (time(5, 24, tzinfo=timezone(timedelta(hours=-3))), '{"$time":"05:24:00-03:00"}'),
        (timedelta(days=1, seconds=1), '{"$timedelta":"PT86401S"}'),
        (timedelta(microseconds=-1_500_000), '{"$timedelta":"-PT1.5S"}'),
        (Decimal("1.10"), '{"$decimal":"1.10"}'),
        (UUID(int=1), '{"$uuid":"00000000-0000-0000-0000-000000000001"}'),
        (PurePosixPath("data/cifar10"), '"data/cifar10"'),
        (PureWindowsPath("data\\cifar10"), '"data/cifar10"'),
        (Colour.RED, '"red"'),
        (Level.HIGH, "3"),
        (np.float64(0.25), "0.25"),
        ([], "[]"),
        ((), "[]"),
        ({}, "{}"),
        (set(), '{"$set":[]}'),
        ({"b", "a"}, '{"$set":["a","b"]}'),
        (frozenset({1, 1.5, "1", None}), '{"$set":["1",1,1.5,null]}'),
        ({(1, 2.0), frozenset({1})}, '{"$set":[[1,{"$float":"2"}],{"$set":[1]}]}'),
    ],
)
def test_a_leaf_is_written_by_its_type(value: object, text: str) -> None:
    assert text_of(value) == text


def test_a_torch_dtype_is_written_by_its_name() -> None:
    import torch

    assert text_of([torch.float, torch.bfloat16]) == '{"x[0]":"float32","x[1]":"bfloat16"}'


def test_what_containers_hold_lies_at_key_paths_below() -> None:
    layers = [{"width": 64, "kernel": (3, 3)}, {"width": 128, "kernel": ()}]

    text = canonical_text([(("model", "layers"), layers), (("groups", "backbone.0"), {"lr": 0.1})])

    assert json.loads(text) == {
        'groups["backbone.0"].lr': 0.1,
        "model.layers[0].kernel[0]": 3,
        "model.layers[0].kernel[1]": 3,
        "model.layers[0].width": 64,
        "model.layers[1].kernel": [],
        "model.layers[1].width": 128,
    }


def test_a_container_may_be_taken_apart_by_the_caller_or_here() -> None:
    whole = canonical_text([(("groups",), {"$odd": [1, 2]})])
    apart = canonical_text([(("groups", "$odd", 0), 1), (("groups", "$odd", 1), 2)])

    assert whole == apart == '{"groups[\\"$$odd\\"][0]":1,"groups[\\"$$odd\\"][1]":2}'


def test_a_tuple_counts_as_a_list() -> None:
    assert text_of((1, (2, 3))) == text_of([1, [2, 3]])


def test_an_enum_counts_as_its_value_even_where_that_is_a_container() -> None:
    assert text_of(Colour.PAIR) == text_of([1, 2.0])


def test_keys_that_are_no_text_are_written_as_their_canonical_text() -> None:
    keyed = {2: "int", True: "bool", None: "none", 1.5: "float", Colour.RED: "enum", PurePosixPath("a/b"): "path"}

    assert canonical_text([((), keyed)]) == canonical_text(
        [((), {"2": "int", "true": "bool", "null": "none", "1.5": "float", "red": "enum", "a/b": "path"})]
    )


@pytest.mark.parametrize("mapping", [{1: "a", "1": "b"}, {Colour.RED: "a", "red": "b"}, {None: "a", "null": "b"}])
def test_two_keys_that_are_written_alike_are_refused(mapping: dict[object, str]) -> None:
    with pytest.raises(UnsupportedValue, match="two keys are both written") as caught:
        canonical_text([(("groups",), mapping)])

    assert caught.value.problems[0].where == "groups"


class FrozenMapping(dict[str, object]):
    def __hash__(self) -> int:  # type: ignore[override] # dict says None; a set holds only what is hashable
        return hash(frozenset(self.items()))


def test_a_mapping_in_a_set_cannot_pass_for_a_tag() -> None:
    assert text_of({FrozenMapping({"$float": "1"})}) == '{"$set":[{"$$float":"1"}]}'
    assert text_of({1.0}) == '{"$set":[{"$float":"1"}]}'


def test_two_values_at_one_key_path_are_refused() -> None:
    with pytest.raises(UnsupportedValue, match=r"two values have the key path 'a\.b'"):
        canonical_text([(("a", "b"), 1), (("a",), {"b": 1})])


class Model(BaseModel):
    width: int = 1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "object"),
        (Model(), "Model"),
        (np.int64(1), "numpy.int64"),
        (np.float32(1), "numpy.float32"),
        (range(3), "range"),
        (int, "type"),
        (SecretStr("hunter2"), "pydantic.types.SecretStr"),
        (SecretBytes(b"hunter2"), "pydantic.types.SecretBytes"),
    ],
)
def test_an_unknown_type_is_refused_by_name_and_place(value: object, name: str) -> None:
    with pytest.raises(UnsupportedValue, match=rf"a value of type .*\b{name} has no canonical text") as caught:
        canonical_text([(("model",), {"parts": [value]})])

    assert caught.value.problems[0].where == "model.parts[0]"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["\ud800", Path(os.fsdecode(b"\xff")), {"\udc80": 1}, {"a\udfff"}])
def test_text_that_utf_8_cannot_carry_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(UnsupportedValue, match="lone surrogate") as caught:
        canonical_text([(("a",), [value])])

    assert caught.value.problems[0].where == "a[0]"


def nested(wrap: Callable[[object], object]) -> object:
    value: object = 1
    for _ in range(DEEPEST + 1):
        value = wrap(value)
    return value


@pytest.mark.parametrize(
    "wrap", [lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: frozenset({inner})], ids=str
)
def test_containers_nested_without_end_are_refused(wrap: Callable[[object], object]) -> None:
    with pytest.raises(UnsupportedValue, match="containers within one another"):
        canonical_text([(("a",), nested(wrap))])


def test_the_text_does_not_depend_on_settings_of_the_process() -> None:
    program = (
        "from decimal import *; from typedcfg.identity.canonical import canonical_text as text;"
        "getcontext().prec, getcontext().capitals = 1, 0;"
        "print(text([(('x',), [{'b', 'a', 'c', 1, (2, 'd')}, 7**9999, Decimal('1.25E+40'), {'b': 1, 'a': 2}])]))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | settings, capture_output=True, check=True
        ).stdout
        for settings in (
            {"PYTHONHASHSEED": "1"},
            {"PYTHONHASHSEED": "2", "PYTHONINTMAXSTRDIGITS": "640"},
            {"PYTHONHASHSEED": "3", "TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8"},
        )
    }

    assert len(texts) == 1
    assert b'{"$decimal":"1.25E+40"}' in texts.pop()


def test_an_integer_of_any_length_is_written_whole() -> None:
    with localcontext(prec=3):
        written = text_of(10**5000 + 1)

    assert written == '{"$int":"1' + "0" * 4999 + '1"}'


# --- what the text promises for any configuration -------------------------------------------------------------------

Text = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["$", "$float", "$$", "true", "1", "a.b"])
Hashable = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**53 - 2, 2**53 + 2)
    | st.floats()
    | st.integers(-3, 3).map(float)
    | Text
    | st.binary(max_size=4)
    | st.complex_numbers()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=2))))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
)
Leaf = Hashable | st.frozensets(Hashable.filter(lambda item: item == item), max_size=3)  # noqa: PLR0124 - NaN
Value = st.recursive(
    Leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(Text, inner, max_size=3), max_leaves=8
)
KeyPaths = st.lists(Text | st.integers(0, 3), max_size=3).map(lambda steps: ("top", *steps))


def typed(value: Any) -> object:
    """A stand-in that is equal only where type and content are: 1, 1.0 and True are three, NaN is itself."""
    if isinstance(value, float):
        return ("float", value.hex())
    if isinstance(value, complex):
        return ("complex", value.real.hex(), value.imag.hex())
    if isinstance(value, list | tuple):
        return ("list", tuple(map(typed, value)))
    if isinstance(value, Mapping):
        return ("mapping", frozenset((typed(key), typed(item)) for key, item in value.items()))
    if isinstance(value, frozenset):
        return ("set", frozenset(map(typed, value)))
    if isinstance(value, datetime | time):
        value = value.replace(fold=0)  # no text has it, and Python compares without it
    return (type(value), repr(value))


def read_back(json_value: Any) -> object:
    """The value of a leaf, from nothing but its text: what exists only if no two values share one."""
    if isinstance(json_value, list):
        return list(map(read_back, json_value))
    if not isinstance(json_value, dict) or not json_value:
        return json_value
    ((tag, content),) = json_value.items()
    return READERS[tag](content)


def _seconds(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    return sign * timedelta(microseconds=int(Decimal(text.strip("-PTS")) * 1_000_000))


READERS: Mapping[str, Callable[[Any], object]] = {
    "$float": float,
    "$int": int,
    "$bytes": b64decode,
    "$complex": lambda parts: complex(*map(float, parts)),
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$timedelta": _seconds,
    "$decimal": Decimal,
    "$uuid": UUID,
    "$set": lambda items: frozenset(map(read_back, items)),
}


def unescaped(path: KeyPath) -> KeyPath:
    return tuple(step[1:] if isinstance(step, str) and step.startswith("$") else step for step in path)


@given(st.dictionaries(KeyPaths, Leaf, max_size=4))
def test_every_leaf_can_be_read_back_from_the_text_so_no_two_share_one(leaves: dict[KeyPath, object]) -> None:
    read = {
        unescaped(parse_key_path(key)): read_back(leaf)
        for key, leaf in json.loads(canonical_text(leaves.items())).items()
    }

    assert {path: typed(value) for path, value in read.items()} == {
        path: typed(value) for path, value in leaves.items()
    }


@given(Value, Value)
def test_two_values_have_one_text_only_if_they_are_the_same(one: object, other: object) -> None:
    assert (text_of(one) == text_of(other)) == (typed(one) == typed(other))


@given(st.dictionaries(Text, Value, max_size=5), st.randoms())
def test_no_order_matters(values: dict[str, object], chance: Any) -> None:
    leaves = [((key,), value) for key, value in values.items()]
    text = canonical_text(leaves)

    chance.shuffle(leaves)

    assert canonical_text(leaves) == text
    assert canonical_text([((), dict(reversed(values.items())))]) == (text if values else '{"":{}}')


@given(st.dictionaries(Text, Value, max_size=5))
def test_the_text_is_canonical_json(values: dict[str, object]) -> None:
    text = canonical_text([((), values)])

    assert jcs(json.loads(text)) == text
