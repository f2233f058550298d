from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from typedcfg.sources.instructions import take_apart
from typedcfg.sources.json_reader import read_json
from typedcfg.sources.json_writer import write_json

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(TEXTS.filter(lambda key: "${" not in key), VALUES, max_size=3))
def test_a_tree_comes_back_but_for_its_references(tree: dict[str, Any]) -> None:
    document, problems = take_apart(read_json(write_json(tree), "run.json"))

    assert not problems
    assert repr(unescaped(document.own)) == repr(tree)


def unescaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$${", "${")
    if isinstance(value, dict):
        return {key: unescaped(item) for key, item in value.items()}
    return [unescaped(item) for item in value] if isinstance(value, list) else value


def test_an_entry_stands_on_a_line_and_text_is_not_escaped_further() -> None:
    assert write_json({"a": {"name": "größer"}, "b": float("-inf")}) == (
        '{\n  "a": {\n    "name": "größer"\n  },\n  "b": -Infinity\n}\n'
    )
