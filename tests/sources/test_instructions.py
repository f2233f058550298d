import pytest

from typedcfg.sources.base import Branch, Edit, Items, Positions
from typedcfg.sources.instructions import Document, Mount, take_apart
from typedcfg.sources.yaml_reader import read_yaml


def apart(text: str) -> Document:
    document, problems = take_apart(read_yaml(text, "f.yaml"))
    assert not problems
    return document


def refusal(text: str) -> str:
    _, problems = take_apart(read_yaml(text, "f.yaml"))
    return "\n".join(map(str, problems))


def test_what_does_nothing_comes_back_as_it_is() -> None:
    tree = read_yaml("a: {b: [1, {c: '${x}'}]}", "f.yaml")

    document, _ = take_apart(tree)

    assert document.own is tree
    assert not document.steps


def test_a_mapping_that_only_replaces_is_marked_as_whole() -> None:
    document = apart("a: {$replace: true, x: 1}\nb: [{$replace: true}]")

    assert not document.steps
    assert document.own == {"a": {"x": 1}, "b": [{}]}
    assert isinstance(document.own["a"], Branch)
    assert document.own["a"].replaces


def test_what_replaces_is_said_before_a_part_below_it() -> None:
    document = apart("a: {$replace: true, b: {$extends: p.yaml}}")

    replace, mount = document.steps
    assert isinstance(replace, Branch)
    assert isinstance(replace["a"], Branch)
    assert replace["a"].replaces
    assert isinstance(mount, Mount)
    assert isinstance(document.own["a"], Branch)
    assert not document.own["a"].replaces


def test_delete_names_paths_from_its_own_mapping() -> None:
    document = apart("a: {$delete: [x, y.z], x: {w: 1}}")

    assert document.steps == ({"a": {"x": Edit.RESET}}, {"a": {"y": {"z": Edit.RESET}}})
    assert document.own == {"a": {"x": {"w": 1}}}


def test_one_key_to_delete_needs_no_list() -> None:
    assert apart("$delete: x").steps == ({"x": Edit.RESET},)


def test_the_order_is_fixed_however_it_was_written() -> None:
    document = apart("a: {x: 1, $extends: p.yaml, $delete: y, $replace: true}")

    replace, delete, mount = document.steps
    assert isinstance(replace, Branch)
    assert isinstance(replace["a"], Branch)
    assert replace["a"].replaces
    assert delete == {"a": {"y": Edit.RESET}}
    assert isinstance(mount, Mount)
    assert [path for path, _ in mount.files] == ["p.yaml"]


def test_a_kind_beside_a_part_is_said_before_the_part() -> None:
    document = apart("a: {kind: sgd, $extends: p.yaml}")

    assert document.steps[0] == {"a": {"kind": "sgd"}}


def test_what_is_said_further_down_says_the_kinds_around_it() -> None:
    document = apart("a: {kind: sgd, b: {$delete: x}}")

    assert document.steps == ({"a": {"kind": "sgd", "b": {"x": Edit.RESET}}},)


def test_items_that_do_something_are_edits_to_a_list_of_the_same_length() -> None:
    document = apart("a: [{x: 1}, {$extends: p.yaml, y: 2}]")

    hollow, mount = document.steps
    assert isinstance(hollow, Branch)
    assert isinstance(hollow["a"], Items)
    assert hollow == {"a": [{"x": 1}, {}]}
    assert isinstance(mount, Mount)
    assert mount.point.path == ("a", 1)
    assert isinstance(document.own["a"], Positions)
    assert document.own == {"a": {1: {"y": 2}}}


def test_a_key_of_ones_own_loses_one_dollar_wherever_it_stands() -> None:
    document = apart("a: {$$b: 1, c: [{$$d: 2}]}")

    assert document.own == {"a": {"$b": 1, "c": [{"$d": 2}]}}
    assert not document.own.unsettled


def test_what_an_alias_names_twice_loses_one_dollar_only() -> None:
    assert apart("a: &a {$$$b: 1}\nc: *a").own == {"a": {"$$b": 1}, "c": {"$$b": 1}}


def test_a_saved_file_may_replace_what_is_to_be_all_there_is() -> None:
    assert apart("$version: 2\na: {$replace: true, b: 1}").version == 2


def test_of_a_file_of_a_version_that_is_none_only_that_is_wrong() -> None:
    document, [problem] = take_apart(read_yaml("$version: x\na: 1\nb: {$replace: true}", "f.yaml"))

    assert problem.what == "$version is 'x'"
    assert document == Document(Branch(document.own.origin))


def test_a_replacement_that_is_false_is_none() -> None:
    assert not apart("$replace: false\na: 1").own.replaces


def test_a_saved_file_says_its_version() -> None:
    document = apart("$version: 2\na: 1")

    assert document.version == 2
    assert document.own == {"a": 1}


def test_the_schema_for_an_editor_says_nothing() -> None:
    assert apart("$schema: digits.schema.json\na: 1") == Document(read_yaml("a: 1", "f.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {$replace: yes}", "$replace is 'yes'\n  at            f.yaml:1:5\n  expected      true"),
        ("$delete: [1]", "$delete names 1"),
        ("$delete: '[0]'", "$delete names '[0]'"),
        ("$extends: {a: 1}", "$extends names {'a': 1}"),
        ("$extends: '${a}'", "$extends names '${a}'"),
        ("a: {$version: 1}", "$version inside a section"),
        ("a: {$schema: s.json}", "$schema inside a section"),
        ("$version: true", "$version is true"),
        ("$version: 1\na: {$delete: b}", "$version says that a configuration was saved"),
        ("a: {$extend: p}", "did you mean  $extends"),
        ("a: {$merge: p}", "is written '$$merge'"),
    ],
)
def test_a_wrong_instruction_is_told_with_what_was_expected(text: str, message: str) -> None:
    assert message in refusal(text)
