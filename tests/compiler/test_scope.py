"""Where references lead from where they stand, and what is said of those that lead nowhere."""

from typing import Any

import pytest
from refusals import refusal

from typedcfg import ConfigError, ConfigTemplate


class Layer(ConfigTemplate):
    width: int = 1
    lr: float = 0.5


class Params(ConfigTemplate):
    first: Layer
    name: str = "wide"
    any: Any = None
    lr: float = 0.1
    layers: list[Layer] = [Layer(), Layer(width=2)]
    rates: dict[str, float] = {}
    option: Layer | None = None


def compiled(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets])


def test_paths_begin_at_the_top_beside_or_above() -> None:
    layers = [{"width": 5, "lr": "${here.width}"}, {"width": "${parent.lr}", "lr": "${root.lr}"}]

    found = compiled(layers=layers, lr=2).params.layers

    assert found == [Layer(width=5, lr=5), Layer(width=2, lr=2)]


def test_beside_within_a_free_mapping_means_the_same_mapping() -> None:
    assert compiled(rates={"a": 1, "b": "${here.a}", "my-key": "${here.b}"}).params.rates == {
        "a": 1,
        "b": 1,
        "my-key": 1,
    }


def test_a_reference_through_an_absent_section_leads_nowhere() -> None:
    assert "the reference to option.lr leads nowhere" in refusal(Params, "lr=${option.lr}")


def test_a_value_cannot_be_a_section() -> None:
    assert "lr refers to first, which is no value but a section" in refusal(Params, "lr=${first}")


def test_a_reference_cannot_climb_above_the_top() -> None:
    assert "layers[0].lr has a reference that climbs above" in refusal(Params, "layers[0].lr=${parent.parent.lr}")


@pytest.mark.parametrize("expression", ["${option.width}", "${option.width + 1}", "of ${option.width}"])
def test_a_reference_through_a_section_that_is_not_there_says_so(expression: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Params.compile(overrides={"any": expression})

    [problem] = caught.value.problems
    assert problem.what == "the reference to option.width leads nowhere: option is null"


def test_a_text_has_no_items_to_refer_to() -> None:
    assert "the reference to name[0] leads nowhere" in refusal(Params, "any=${name[0]}")


def test_a_reference_within_a_text_that_leads_nowhere_is_pointed_at() -> None:
    assert "column 5 of 'a ${b} c'" in refusal(Params, "name=a ${b} c")
