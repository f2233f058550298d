"""What a formula sees of lists, mappings and sections around it; see test_values.py for what it may do with them."""

from typing import Any

import pytest

from typedcfg import ConfigError, ConfigTemplate, derived
from typedcfg.compiler.views import ListView, MapView


class Layer(ConfigTemplate):
    width: int = 1


def seen(function: Any) -> Any:
    class Inner(ConfigTemplate):
        found: Any = derived(function)

    class Root(ConfigTemplate):
        inner: Inner
        layers: list[Layer] = [Layer(), Layer(width=2)]
        named: dict[str, Layer] = {"a": Layer(width=5)}

    return Root.compile().params.inner.found


def test_a_list_is_a_sequence() -> None:
    assert seen(lambda c: isinstance(c.root.layers, ListView))
    assert seen(lambda c: [layer.width for layer in reversed(c.root.layers)]) == [2, 1]
    assert seen(lambda c: [layer.width for layer in c.root.layers[::-1]]) == [2, 1]


def test_a_mapping_is_one() -> None:
    assert seen(lambda c: isinstance(c.root.named, MapView))
    assert seen(lambda c: list(c.root.named)) == ["a"]
    assert seen(lambda c: c.root.named.get("b")) is None


def test_the_parent_of_an_item_is_the_section_that_holds_the_list() -> None:
    assert seen(lambda c: c.root.layers[0].parent.layers[1].width) == 2
    assert seen(lambda c: c.parent.inner.parent.named["a"].parent.layers[0].width) == 1


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda c: c.root.layers[5].width, "IndexError: range object index out of range"),
        (lambda c: c.root.named["b"].width, "KeyError: 'b'"),
    ],
)
def test_what_is_not_there_is_told_as_python_would(function: Any, error: str) -> None:
    with pytest.raises(ConfigError, match=f"inner.found cannot be derived: {error}"):
        seen(function)
