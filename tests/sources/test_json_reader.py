import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Items
from typedcfg.sources.json_reader import read_json
from typedcfg.sources.yaml_reader import read_yaml

Leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
Values = st.recursive(Leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner))
Trees = st.dictionaries(st.text(max_size=5), Values, max_size=5)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_json(text, "f.json")
    return str(caught.value)


def types_in(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: types_in(entry) for key, entry in value.items()}
    return [types_in(item) for item in value] if isinstance(value, list) else type(value)


@given(Trees, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_what_json_writes_is_read_back(tree: dict[str, object], indent: int | str | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    found = read_json(json.dumps(tree, indent=indent, ensure_ascii=ascii_only), "f.json")

    assert found == tree
    assert types_in(found) == types_in(tree)


def test_positions_are_those_of_the_same_text_as_yaml() -> None:
    text = '{"a": {"b": [1, {"c": []}, "x"],\n  "größe" : {} , "d": null},\n "e": [[], [2]]}'

    assert places_in(read_json(text, "f")) == places_in(read_yaml(text, "f"))


def places_in(value: object) -> object:
    if isinstance(value, Branch):
        return value.origin, value.origins, [places_in(entry) for entry in value.values()]
    return (value.origin, value.origins, [places_in(item) for item in value]) if isinstance(value, Items) else None


def test_an_entry_stands_where_its_key_does() -> None:
    tree = read_json('{\n  "a": {\n    "b": 1}}', "f.json")

    assert isinstance(tree["a"], Branch)
    assert tree["a"].origins == {"b": Origin("f.json", 3, 5)}


def test_numbers_that_json_cannot_say_are_read_as_python_writes_them() -> None:
    assert str(read_json('{"a": [NaN, Infinity, -Infinity]}', "f.json")["a"]) == "[nan, inf, -inf]"


def test_escapes_and_large_integers_are_exact() -> None:
    tree = read_json(r'{"\ud83d\ude00": "a\/\"\\\u00e9\n", "n": 123456789012345678901234567890}', "f.json")

    assert tree == {"😀": 'a/"\\é\n', "n": 123456789012345678901234567890}


def test_only_what_holds_a_reference_or_a_dollar_key_is_unsettled() -> None:
    tree = read_json(r'{"a": {"b": ["\u0024{root.c}"]}, "c": {"\u0024x": 1}, "d": {"e": "$"}}', "f.json")

    flags = [branch.unsettled for branch in tree.values() if isinstance(branch, Branch)]
    assert tree.unsettled
    assert flags == [True, True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["the file is empty, which JSON has no document for", "f.json:1:1", "{} where there is nothing"]),
        ('{"a": 1,\n "b" 2}', ["invalid JSON", "f.json:2:6"]),
        ('{"a": 1,}', ["invalid JSON", "f.json:1:"]),
        ("{'a': 1}", ["invalid JSON", "f.json:1:2"]),
        ('{"a": "\x01"}', ["control character", "f.json:1:8"]),
        ('{"a": 01}', ["invalid JSON"]),
        ("[1]", ["the top level is a list", "f.json:1:1"]),
        ("12", ["the top level is 12"]),
        ('{"a": {"b": 1,\n "\\u0062": 2}}', ["key 'b' stands twice", "f.json:2:2", "f.json:1:8 (the first)"]),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", ["nested deeper than 200 levels", "f.json:1:206"]),
        ('{"a": ' + "[" * 200_000, ["nested deeper than 200 levels"]),
        ('{"a": ' + "9" * 5000 + "}", ["invalid JSON", "f.json"]),
        ('{"a": 1,\n "b": 1e999}', ["1e999 is beyond what a float holds", "f.json:2:2"]),
        ('{"a": [1,\n 1e999], "b": 1e998}', ["1e999 is beyond", "f.json:2:2", "1e998 is beyond", "f.json:2:10"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, words: list[str]) -> None:
    message = refusal(text)

    assert [word for word in words if word not in message] == []


def test_all_keys_that_stand_twice_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_json('{"a": 1, "a": {"b": [{"c": 1, "c": 2}]}}', "f.json")

    assert len(caught.value.problems) == 2
