import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Items
from typedcfg.sources.yaml_reader import read_yaml


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "f.yaml")
    return str(caught.value)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        read_yaml(text, "f.yaml")
    except ConfigError as error:
        return error.problems
    return ()


def test_quoted_and_literal_scalars_are_text() -> None:
    tree = read_yaml("a: '1'\nb: \"true\"\nc: |\n  12\nd: >-\n  null\n", "f.yaml")

    assert tree == {"a": "1", "b": "true", "c": "12\n", "d": "null"}


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read_yaml("1: a\n1.0: b\non: c\n~: d\n'': e\n", "f.yaml") == {
        "1": "a",
        "1.0": "b",
        "on": "c",
        "~": "d",
        "": "e",
    }


def test_an_entry_stands_where_its_key_does_and_an_item_where_it_does_itself() -> None:
    tree = read_yaml("a: 1\nlayers:\n  - {width: 64}\n  - 8\n", "f.yaml")
    layers = tree["layers"]

    assert isinstance(layers, Items)
    assert isinstance(layers[0], Branch)
    assert [str(origin) for origin in (tree.origins["layers"], *layers.origins, layers[0].origins["width"])] == [
        "f.yaml:2:1",
        "f.yaml:3:5",
        "f.yaml:4:5",
        "f.yaml:3:6",
    ]
    assert (str(tree.origin), str(layers.origin)) == ("f.yaml:1:1", "f.yaml:3:3")


def test_columns_count_characters() -> None:
    tree = read_yaml('{"größe": 1, b: 2}', "f.yaml")

    assert tree.origins["b"] == Origin("f.yaml", 1, 14)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n...\n", "\ufeff"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    tree = read_yaml(text, "f.yaml")

    assert tree == {}
    assert tree.origin == Origin("f.yaml", 1, 1)


def test_only_what_holds_a_reference_is_unsettled() -> None:
    tree = read_yaml("a: {b: ['${root.c}']}\nc: {d: 1}\ne: x${here.y}\n", "f.yaml")

    assert isinstance(tree["a"], Branch)
    assert isinstance(tree["c"], Branch)
    assert (tree.unsettled, tree["a"].unsettled, tree["c"].unsettled) == (True, True, False)
    assert not read_yaml("a: $5\nb: {c: [1]}", "f.yaml").unsettled


def test_a_dollar_key_leaves_its_mapping_unsettled() -> None:
    tree = read_yaml("a: {b: {$extends: x.yaml}}\n", "f.yaml")

    assert tree.unsettled


def test_an_alias_shares_what_its_anchor_names() -> None:
    tree = read_yaml("a: &part {b: '${here.c}'}\nd: [*part]\ne: &n 12\nf: *n\n", "f.yaml")
    items = tree["d"]

    assert isinstance(items, Items)
    assert items[0] is tree["a"]
    assert items.unsettled
    assert tree["f"] == 12
    assert tree.origins["f"] == Origin("f.yaml", 4, 1)


def test_a_later_anchor_of_one_name_wins_from_there_on() -> None:
    assert read_yaml("a: &x 1\nb: &x 2\nc: *x\n", "f.yaml")["c"] == 2


def test_an_alias_without_an_anchor_is_refused_with_the_nearest() -> None:
    message = refusal("a: &optimizer {lr: 1}\nb: *optimiser\n")

    assert "no anchor &optimiser" in message
    assert "f.yaml:2:4" in message
    assert "*optimizer" in message


def test_an_alias_inside_what_it_names_is_refused() -> None:
    assert "the alias *x stands inside what it names" in refusal("a: &x [1, {b: *x}]\n")


def test_aliases_of_aliases_are_bounded_in_milliseconds() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    start = time.perf_counter()

    message = refusal(bomb)

    assert "aliases expand to more than 100000 entries" in message
    assert time.perf_counter() - start < 1


def test_depth_is_bounded_however_it_is_reached() -> None:
    nested = refusal("a: " + "[" * 100_000)
    chained = refusal("a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300)))

    assert "nested deeper than 200 levels" in nested
    assert "nested deeper than 200 levels" in chained


def test_two_hundred_levels_are_read() -> None:
    value: object = read_yaml("{a: " * 200 + "1" + "}" * 200, "f.yaml")

    for _ in range(200):
        assert isinstance(value, Branch)
        value = value["a"]
    assert value == 1


def test_a_key_that_stands_twice_names_both_places() -> None:
    message = refusal("a: 1\nb: {c: 1, 'c': 2}\n")

    assert "key 'c' stands twice in one mapping" in message
    assert "f.yaml:2:11" in message
    assert "f.yaml:2:5 (the first)" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x {b: 1}\nc: {<<: *x}\n", ["merge key <<", "f.yaml:2:5", "$extends"]),
        ("a: !!python/object/apply:os.system [ls]\n", ["tag !!python/object/apply:os.system", "f.yaml:1:4"]),
        ("a: !!str 1\n", ["tag !!str", "quote the value"]),
        ("a: !local {b: 1}\n", ["tag !local"]),
        ("a: ! 1\n", ["tag !"]),
        ("!!str a: 1\n", ["tag !!str"]),
        ("? [a, {b: c}]\n: 1\n", ["a list or mapping as a key", "f.yaml:1:3"]),
        ("a: &x 1\n*x : 2\n", ["an alias as a key", "f.yaml:2:1"]),
        ("a: 1\n---\nb: 2\n", ["a second document", "f.yaml:2:1"]),
        ("- 1\n", ["the top level is a list", "f.yaml:1:1", "a mapping"]),
        ("just text\n", ["the top level is 'just text'"]),
        ("a:3\n", ["the top level is 'a:3'", "f.yaml:1:1", "write a space after the colon: a: ..."]),
        ("%YAML 1.1\n---\na: on\n", ["YAML 1.1", "YAML 1.2"]),
        (f"a: {'9' * 5000}\n", ["an integer of 5000 digits", "f.yaml:1:4"]),
        (f"a: [{'9' * 5000}]\n", ["an integer of 5000 digits", "f.yaml:1:5"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, words: list[str]) -> None:
    message = refusal(text)

    assert [word for word in words if word not in message] == []


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml("a: !!str 1\nb: {c: 1, c: 2}\n? [x]\n: 1\nd: {<<: 1}\ne: [\n", "f.yaml")

    assert len(caught.value.problems) == 5


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert read_yaml("'<<': 1\n", "f.yaml") == {"<<": 1}
    assert "merge key" in refusal("a: {'<<': 1}\nb: {<<: 1}\n")


def test_json_is_yaml() -> None:
    assert read_yaml('{"a":{"b":[1,2.5,null,true,"x"]},"c":{}}', "f.yaml") == {
        "a": {"b": [1, 2.5, None, True, "x"]},
        "c": {},
    }


def test_the_parser_in_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: {b: [1, '2', on]}\nc: &x .5\nd: *x\n"
    expected = read_yaml(text, "f.yaml")

    monkeypatch.delattr(yaml, "CSafeLoader")
    found = read_yaml(text, "f.yaml")

    assert found == expected
    assert found.origins == expected.origins


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_is_a_tree_or_a_refusal(text: str) -> None:
    assert all(problem.where.startswith("f.yaml:") for problem in problems_of(text))


@given(st.text("[]{}&*!|>-:?, \n\"'#%@`ab1~\t$<", max_size=30))
def test_any_yaml_like_text_is_a_tree_or_a_refusal(text: str) -> None:
    assert all(problem.where.startswith("f.yaml:") for problem in problems_of(text))
