import math
from collections.abc import Mapping
from datetime import date
from enum import Enum, IntEnum
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.key_path import KeyPath
from typedcfg.sources.files import FileSource
from typedcfg.sources.yaml_reader import read_yaml
from typedcfg.sources.yaml_writer import write_yaml

Texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(
    "yno0123456789.:eE+-_x#&*!?{}[], '\"\\\n\t$~=<", max_size=8
)
Leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | Texts
Values = st.recursive(Leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(Texts, inner, max_size=4))
Trees = st.dictionaries(Texts, Values, max_size=5)


def unescaped(value: object) -> object:
    """What was read, as the later stages see it: `$` keys and `$${` lose one `$`."""
    if isinstance(value, Mapping):
        return {key.removeprefix("$") if key[:2] == "$$" else key: unescaped(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    return value.replace("$${", "${") if isinstance(value, str) else value


def typed(value: object) -> object:
    """The value with the type of every leaf, so that 1, 1.0 and True differ."""
    if isinstance(value, Mapping):
        return {key: typed(entry) for key, entry in value.items()}
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), value)


@given(Trees)
def test_what_is_written_is_read_back(tree: dict[str, object]) -> None:
    assert typed(unescaped(read_yaml(write_yaml(tree), "f.yaml"))) == typed(tree)


@given(Trees)
def test_readers_of_yaml_1_1_agree(tree: dict[str, object]) -> None:
    assert typed(unescaped(yaml.safe_load(write_yaml(tree)))) == typed(tree)


@given(Trees, st.text(max_size=20))
def test_comments_change_no_value(tree: dict[str, object], comment: str) -> None:
    everywhere = dict.fromkeys([(), *paths_in(tree, ())], comment)

    assert read_yaml(write_yaml(tree, comments=everywhere), "f") == read_yaml(write_yaml(tree), "f")


def paths_in(value: object, path: KeyPath) -> list[KeyPath]:
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    return [deeper for key, entry in entries for deeper in ((*path, key), *paths_in(entry, (*path, key)))]


@pytest.mark.parametrize(
    "text",
    [
        *("on", "No", "y", "null", "~", "", " x", "x ", "a: b", "a:", "# c", "a #c", "- a", "-", "?", "*a", "&a", "!a"),
        *("1e-3", "0o7", "012", "12:30", "1_000", "2020-01-01", ".5", "=", "<<", "---", "%a", "@a", "`a", "a, b", "[a"),
        *("a\nb", "\t", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", '"', "\\", "é", "😀"),
    ],
)
def test_text_that_could_be_something_else_is_quoted(text: str) -> None:
    written = write_yaml({"a": text, text: 1})

    assert written.startswith('a: "')
    assert read_yaml(written, "f.yaml") == yaml.safe_load(written) == {"a": text, text: 1}


@pytest.mark.parametrize("text", ["adamw", "runs/base.yaml", "a b c", "warm-up", "v1.2", "x@y", "_x"])
def test_ordinary_text_is_bare(text: str) -> None:
    assert write_yaml({"a": text}) == f"a: {text}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.0"), (1e-05, "1.0e-05"), (1e22, "1.0e+22"), (-0.0, "-0.0"), (math.inf, ".inf"), (-math.inf, "-.inf")],
)
def test_floats_stay_floats(value: float, text: str) -> None:
    assert write_yaml({"a": value}) == f"a: {text}\n"


def test_not_a_number_is_written() -> None:
    assert write_yaml({"a": math.nan}) == "a: .nan\n"


def test_sections_are_blocks_and_short_lists_are_not() -> None:
    tree = {"a": {"b": {}, "c": []}, "d": [1, "x", None], "e": [{"f": 1, "g": [True]}, [2, [3]]], "h": (1, 2)}

    assert write_yaml(tree) == (
        "a:\n  b: {}\n  c: []\nd: [1, x, null]\ne:\n  - f: 1\n    g: [true]\n  - - 2\n    - [3]\nh: [1, 2]\n"
    )


def test_long_lists_are_blocks() -> None:
    written = write_yaml({"a": list(range(100, 140))})

    assert written.startswith("a:\n  - 100\n  - 101\n")


def test_an_empty_tree_is_an_empty_mapping() -> None:
    assert write_yaml({}) == "{}\n"


def test_comments_of_neighbours_begin_in_one_column() -> None:
    tree = {"lr": 0.02, "momentum": 0.9, "name": "x" * 60, "plain": 1, "seed": 2}
    comments: dict[KeyPath, str] = {
        ("lr",): "derived:\nbatch / 128",
        ("momentum",): "base.yaml:3:1",
        ("name",): "argument 1",
        ("seed",): "here",
        (): "two\nlines",
    }

    assert write_yaml(tree, comments=comments).splitlines() == [
        "# two",
        "# lines",
        "lr: 0.02       # derived: batch / 128",
        "momentum: 0.9  # base.yaml:3:1",
        f"name: {'x' * 60}  # argument 1",
        "plain: 1",
        "seed: 2  # here",
    ]


def test_sections_and_items_may_have_comments() -> None:
    tree = {"a": {"b": 1}, "c": [1, {"d": 2}]}
    comments: dict[KeyPath, str] = {("a",): "A", ("c", 0): "C0", ("c", 1): "C1"}

    assert write_yaml(tree, comments=comments) == ("a:  # A\n  b: 1\nc:\n  - 1  # C0\n  # C1\n  - d: 2\n")


def test_references_and_dollar_keys_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(write_yaml({"a": {"$ref": 1, "$$x": 2, "${y}": 3}, "b": "${root.a} $5"}))

    [layer] = FileSource([path]).read()

    assert layer.roots == ({"a": {"$ref": 1, "$$x": 2, "${y}": 3}, "b": "$${root.a} $5"},)


def test_long_keys_are_read_back() -> None:
    tree = {"k" * 3000: {"x" * 2000: 1}, "z": 2}

    assert read_yaml(write_yaml(tree), "f.yaml") == tree


def test_enumerations_are_written_by_value() -> None:
    class Name(str, Enum):  # noqa: UP042 - a StrEnum prints itself by value, this one does not
        FAST = "fast"

    class Size(IntEnum):
        BIG = 3

    assert write_yaml({"a": Name.FAST, "b": Size.BIG}) == "a: fast\nb: 3\n"


@pytest.mark.parametrize("value", [date(2026, 1, 31), {1, 2}, b"x", object()])
def test_a_value_that_would_need_a_tag_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no YAML"):
        write_yaml({"a": [value]})


def test_a_key_is_text() -> None:
    with pytest.raises(TypeError, match="a key is text, not 1"):
        write_yaml({"a": {1: 2}})


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="half of a surrogate pair at column 2"):
        write_yaml({"a": "x\ud83d"})
