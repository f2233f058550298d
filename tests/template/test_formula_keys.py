from typing import Any

import pytest

from typedcfg.template.derived import Derived, View
from typedcfg.template.formula_keys import above, keys_read, with_keys


def named(c: View[Any]) -> object:
    return c.root.epochs


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (Derived(lambda c: c.root.loader.batch_size / 128), "loader.batch_size / 128"),
        (Derived(lambda c: c.lr * c.parent.scale), "net.layers[i].lr * net.scale"),
        (Derived(lambda c: c.parent.parent.epochs), "epochs"),
        (Derived(lambda view: max(view.a, 1)), "max(net.layers[i].a, 1)"),
        (Derived(lambda c: c.root.layers[0].width if c.on else 0), "layers[0].width if net.layers[i].on else 0"),
        (Derived(lambda c: c.root.name.upper() + "é" + c.root.end), 'name.upper() + "é" + end'),
        (Derived(lambda _: 3), "3"),
        (Derived(named), "named(c)"),
    ],
)
def test_a_formula_is_told_with_keys(formula: Derived, text: str) -> None:
    assert with_keys(formula, "net.layers[i].peak") == text


def test_a_formula_reads_each_key_once() -> None:
    formula = Derived(lambda c: c.root.a + c.root.a * c.b)

    assert keys_read(formula, "net.peak") == ("a", "net.b")


@pytest.mark.parametrize(("key", "section"), [("a", ""), ("a.b", "a"), ("a.b[i].c", "a.b[i]"), ("a.b[i]", "a")])
def test_above_a_key_is_its_section(key: str, section: str) -> None:
    assert above(key) == section
