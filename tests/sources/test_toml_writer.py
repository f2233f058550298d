import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.sources.toml_writer import write_toml

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="$"), max_size=8)
SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_a_tree_comes_back_in_its_order(tree: dict[str, Any]) -> None:
    assert repr(tomllib.loads(write_toml(tree))) == repr(tree)


def test_tables_follow_values_and_dotted_keys_stand_before_them() -> None:
    tree = {
        "groups": {"a.b": {"lr": 1}, "c": {}},
        "lr": 1e-05,
        "layers": [{"width": 1, "sizes": {"x": [True]}}],
        "model": {"head": {"width": 2}},
        "data": {"name": "\x7f\n", "$own": "${a}", "deep": {"x": {"nan": float("nan")}}},
    }

    assert write_toml(tree, header="one\ntwo").splitlines() == [
        "# one",
        "# two",
        'groups."a.b".lr = 1',
        "groups.c = {}",
        "lr = 1e-05",
        "layers = [{width = 1, sizes = {x = [true]}}]",
        "",
        "[model.head]",
        "width = 2",
        "",
        "[data]",
        r'name = "\u007f\n"',
        '"$$own" = "$${a}"',
        "",
        "[data.deep.x]",
        "nan = nan",
    ]


@pytest.mark.parametrize("tree", [{"a": None}, {"a": [None]}, {"a": {"b": b""}}])
def test_what_toml_has_no_word_for_is_refused(tree: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="has no TOML"):
        write_toml(tree)
