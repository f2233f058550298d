import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from typedcfg.errors import Pending
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import Derived, View, derived, formula_text, section


def scaled(c: View[Any]) -> Any:
    return c.a * 2.0


class Doubling:
    def __call__(self, c: Any) -> Any:
        return c.a


SHORT = derived(lambda c: c.a / 128 * 0.01)
FIRST, SECOND = derived(lambda c: c.a + 1), derived(lambda c: c.a + 2)
LONG = derived(
    lambda c: (
        c.root.loader.batch_size  # a comment within is not part of it
        / 128
    )
)
WORDS = derived(lambda c: f"größe-{c.name}" if c.name else "keine")
NESTED = derived(lambda c: [x * 2 for x in c.items_])
CONSTANT = derived(lambda _: 3)


def formula(default: Any) -> str:
    return str(default.default.formula)


# --- the text of a formula ------------------------------------------------------------------------------------------


def test_a_formula_s_text_is_the_body_as_it_was_written() -> None:
    assert formula(SHORT) == "c.a / 128 * 0.01"


def test_two_formulas_on_one_line_are_told_apart() -> None:
    assert (formula(FIRST), formula(SECOND)) == ("c.a + 1", "c.a + 2")


def test_a_formula_over_several_lines_becomes_one() -> None:
    text = formula(LONG)

    assert text.startswith("c.root.loader.batch_size")
    assert text.endswith("/ 128")
    assert "\n" not in text


def test_a_formula_s_text_survives_letters_of_two_bytes() -> None:
    assert formula(WORDS) == 'f"größe-{c.name}" if c.name else "keine"'


def test_a_comprehension_in_a_formula_is_in_its_text() -> None:
    assert formula(NESTED) == "[x * 2 for x in c.items_]"


def test_a_constant_is_a_formula_too() -> None:
    assert formula(CONSTANT) == "3"


@pytest.mark.parametrize(
    ("function", "text"), [(scaled, "scaled(c)"), (Doubling(), "Doubling"), (partial(scaled), "partial")]
)
def test_a_formula_with_a_name_goes_by_it(function: Callable[..., object], text: str) -> None:
    assert formula_text(function) == text


def test_a_formula_without_source_says_where_it_was() -> None:
    function = eval(compile("lambda c: c.a", "<input>", "eval"))

    assert formula_text(function) == "<lambda> in <input>:1"


def test_a_formula_knows_its_place() -> None:
    origin = SHORT.default.origin

    assert Path(origin.source).name == Path(__file__).name
    assert origin.line == SHORT.default.function.__code__.co_firstlineno
    assert str(Derived(Doubling()).origin) == "formula Doubling"


def test_a_formula_is_one_thing_however_often_it_is_copied() -> None:
    held = Derived(scaled)

    assert copy.copy(held) is held
    assert copy.deepcopy(held) is held
    assert repr(held) == "derived(scaled(c))"


# --- in a template --------------------------------------------------------------------------------------------------


class Loader(ConfigTemplate):
    batch_size: int = 128
    workers: int = 2


class Schedule(ConfigTemplate):
    epochs: int = 10
    warmup: int = derived(lambda c: c.epochs // 10)


def test_a_formula_is_not_run_outside_of_compiling() -> None:
    class Params(ConfigTemplate):
        a: int = derived(lambda _: 1 / 0)

    with pytest.raises(Pending):
        _ = Params().a


def test_a_given_value_stands_instead_of_the_formula() -> None:
    assert Schedule(warmup=3).warmup == 3


def test_a_given_value_is_validated_as_any_other() -> None:
    with pytest.raises(ValueError, match="valid integer"):
        Schedule(warmup="many")


def test_compiling_runs_the_formula() -> None:
    assert Schedule(epochs=50).to_config().params.warmup == 5


def test_a_section_s_settings_are_a_default_over_its_own() -> None:
    class Params(ConfigTemplate):
        loader: Loader = section(Loader, batch_size=64)

    assert Params().loader == Loader(batch_size=64)
    assert Params(loader=Loader(workers=0)).loader == Loader(workers=0)


def test_a_section_is_built_only_when_somebody_needs_it() -> None:
    class Params(ConfigTemplate):
        loader: Loader = section(Loader, batch_size="wrong")

    with pytest.raises(ValueError, match="batch_size"):
        Params()
