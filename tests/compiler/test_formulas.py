"""Formulas: what they see, in which order they are worked out, and what is told of those that fail."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import SecretStr
from refusals import refusal

from typedcfg import ConfigTemplate, NotInIdentity, derived, section


class Layer(ConfigTemplate):
    width: int = 1


class Loader(ConfigTemplate):
    batch_size: int = 128


class Warm(ConfigTemplate):
    kind: Literal["warm"] = "warm"
    steps: int = derived(lambda c: c.root.total // 10)


class Flat(ConfigTemplate):
    kind: Literal["flat"] = "flat"


class Item(ConfigTemplate):
    width: int = derived(lambda c: c.parent.base * 2)
    double: int = derived(lambda c: c.width * 2)


class Formulas(ConfigTemplate):
    total: int = derived(lambda c: c.epochs * c.per_epoch)
    epochs: int = 10
    per_epoch: int = derived(lambda c: c.size // 4)
    size: int = 400
    base: int = 3
    schedule: Warm | Flat = section(Warm)
    items_: list[Item] = [Item(), Item(width=1)]
    named: dict[str, Item] = {"x": Item()}


def test_formulas_find_their_own_order() -> None:
    found = Formulas.compile().params

    assert (found.per_epoch, found.total, found.schedule) == (100, 1000, Warm(steps=100))


def test_formulas_work_in_variants_lists_and_mappings() -> None:
    found = Formulas.compile(overrides=["base=5", "items_[1].width=7"]).params

    assert [(item.width, item.double) for item in found.items_] == [(10, 20), (7, 14)]
    assert found.named["x"].double == 20


def test_an_explicit_value_stands_over_a_formula() -> None:
    assert Formulas.compile(overrides=["per_epoch=1"]).params.total == 10


def test_a_reset_brings_the_formula_back() -> None:
    assert Formulas.compile(overrides=["~per_epoch"], presets=[{"per_epoch": 1}]).params.per_epoch == 100


def test_formulas_and_references_read_each_other() -> None:
    assert Formulas.compile(overrides=["epochs=${schedule.steps}", "schedule.steps=${base}"]).params.total == 300


def test_a_formula_sees_lists_mappings_and_sections_that_are_not_there() -> None:
    class Root(ConfigTemplate):
        layers: list[Layer] = [Layer(), Layer(width=2)]
        named: dict[str, Layer] = {"a": Layer(width=5)}
        option: Layer | None = None
        found: Any = derived(
            lambda c: [
                [layer.width for layer in c.layers],
                len(c.layers),
                c.layers[-1].width,
                [layer.width for layer in c.layers[:1]],
                {name: layer.width for name, layer in c.named.items()},
                "a" in c.named,
                c.option is None,
            ]
        )

    assert Root.compile()["found"] == [[1, 2], 2, 2, [1], {"a": 5}, True, True]


def test_a_formula_sees_validated_values() -> None:
    class Root(ConfigTemplate):
        path: Path = Path("a/b")
        stem: str = derived(lambda c: c.path.name)

    assert Root.compile(overrides=["path=x/y.txt"])["stem"] == "y.txt"


def test_a_formula_that_fails_is_told_with_what_it_read() -> None:
    class Root(ConfigTemplate):
        a: int = 0
        b: float = derived(lambda c: 1 / c.a)

    text = refusal(Root)

    assert text.startswith("b cannot be derived: ZeroDivisionError: division by zero\n")
    assert "the formula is 1 / c.a" in text
    assert "it read a = 0" in text
    assert "test_formulas.py:" in text


def test_a_result_goes_through_the_validation_of_its_field() -> None:
    class Root(ConfigTemplate):
        a: int = 0
        b: Annotated[int, NotInIdentity()] = derived(lambda c: f"{c.a} apples")
        c: float = derived(lambda c: c.a)

    text = refusal(Root)

    assert "b is derived as '0 apples': Input should be a valid integer" in text
    assert "it read a = 0" in text
    assert type(Root.compile(overrides=["b=1"]).params.c) is float


def test_an_invalid_input_is_reported_alone() -> None:
    class Root(ConfigTemplate):
        a: int = 1
        b: int = derived(lambda c: c.a + 1)
        c: int = derived(lambda c: c.b + 1)

    text = refusal(Root, "a=x")

    assert text.startswith("a = 'x' is wrong")
    assert "problems in" not in text


def test_a_formula_does_not_swallow_waiting() -> None:
    def cautious(c: Any) -> int:
        try:
            return int(c.b)
        except Exception:  # noqa: BLE001  # as a careful user writes it
            return -1

    class Root(ConfigTemplate):
        a: int = derived(cautious)
        b: int = derived(lambda c: c.c)
        c: int = 5

    assert Root.compile().params.a == 5
    assert "a" not in refusal(Root, "c=x").partition("\n")[0]


def test_a_formula_that_reads_a_broken_section_is_not_run_into_it() -> None:
    class Root(ConfigTemplate):
        layer: Layer
        a: int = derived(lambda c: c.layer.width)

    text = refusal(Root, "layer=3")

    assert text.startswith("layer = 3 is no section")
    assert "problems in" not in text


@pytest.mark.parametrize("result", ["c.layer", "[c.layer]", "{'x': (c.root,)}", "Layer()"])
def test_a_formula_returns_no_section(result: str) -> None:
    formula = eval(f"lambda c: {result}", {"Layer": Layer})

    class Root(ConfigTemplate):
        layer: Layer
        a: Any = derived(formula)

    assert "a is derived as a section" in refusal(Root)


def test_a_formula_returns_no_formula() -> None:
    class Root(ConfigTemplate):
        a: Any = derived(lambda c: derived(lambda d: c.root or d.root))

    assert "a is derived as another formula, and a formula gives a value" in refusal(Root)


def test_a_formula_asks_for_keys_that_exist() -> None:
    class Root(ConfigTemplate):
        loader: Loader
        a: int = derived(lambda c: c.loader.batch_sice)

    text = refusal(Root)

    assert "a cannot be derived: there is no key loader.batch_sice" in text
    assert "the formula is c.loader.batch_sice" in text
    assert "did you mean  loader.batch_size" in text


def test_a_formula_is_told_of_the_words_beside_the_keys() -> None:
    class Root(ConfigTemplate):
        n: int = 1
        a: int = derived(lambda c: c.rot.n)

    text = refusal(Root)

    assert "did you mean  root" in text
    assert "root or parent, or a key of " in text


def test_a_formula_cannot_climb_above_the_top() -> None:
    class Root(ConfigTemplate):
        a: int = derived(lambda c: c.parent.x)

    text = refusal(Root)

    assert "a cannot be derived: " in text
    assert "Root is the whole configuration here, and has no parent" in text


def test_a_formula_that_fails_on_a_secret_does_not_tell_it() -> None:
    class Root(ConfigTemplate):
        token: SecretStr = SecretStr("hunter2")
        number: SecretStr = derived(lambda c: int(c.token.get_secret_value()))
        clear: str = derived(lambda c: c.token.get_secret_value())
        wrong: int = derived(lambda c: c.token.get_secret_value())

    text = refusal(Root)

    assert "hunter2" not in text
    assert "number cannot be derived: ValueError\n" in text
    assert "clear is computed from token, which is a secret" in text
    assert "wrong is computed from token, which is a secret" in text
