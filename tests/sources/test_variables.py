from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from annotated_types import MinLen
from typing_extensions import TypeAliasType

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Layer, Positions, Text
from typedcfg.sources.variables import Variable, variables_layer
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.marks import RenamedFrom

Strings = TypeAliasType("Strings", list[str])


class Layer_(ConfigTemplate):  # noqa: N801 - `Layer` is what sources yield
    width: int = 64


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"
    lr: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)


class Digits(ConfigTemplate):
    seed: int = 0
    title: str = ""
    T_max: int = 10
    size__px: int = 28
    batch_size: Annotated[int, RenamedFrom("bs", "data.loader.bs")] = 128
    optimizer: Sgd | Adam = Sgd()
    layers: list[Layer_]
    groups: dict[str, Layer_]
    strides: Annotated[list[int], MinLen(1)] | None
    tags: dict[str, Strings]
    pairs: tuple[tuple[int, int], ...] = ()


class Twins(ConfigTemplate):
    n: int = 1
    N: int = 2
    a: Layer_
    a__width: int = 3


def read(template: type[ConfigTemplate] = Digits, /, **variables: str) -> list[Layer]:
    named = [Variable(name, value, Origin(f"variable {name}")) for name, value in variables.items()]
    return list(variables_layer(template, "D__", named, name="environment", strength="environment"))


def refusal(template: type[ConfigTemplate] = Digits, /, **variables: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(template, **variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "tree"),
    [
        ("D__SEED", {"seed": "1"}),
        ("d__Seed", {"seed": "1"}),
        ("D__T_MAX", {"T_max": "1"}),
        ("D__SIZE__PX", {"size__px": "1"}),
        ("D__BS", {"bs": "1"}),
        ("D__DATA__LOADER__BS", {"data": {"loader": {"bs": "1"}}}),
        ("D__OPTIMIZER", {"optimizer": "1"}),
        ("D__OPTIMIZER__KIND", {"optimizer": {"kind": "1"}}),
        ("D__OPTIMIZER__LR", {"optimizer": {"lr": "1"}}),
        ("D__OPTIMIZER__BETAS__1", {"optimizer": {"betas": {1: "1"}}}),
        ("D__LAYERS__2__WIDTH", {"layers": {2: {"width": "1"}}}),
        ("D__LAYERS__02", {"layers": {2: "1"}}),
        ("D__GROUPS__Head__WIDTH", {"groups": {"Head": {"width": "1"}}}),
        ("D__GROUPS__0__WIDTH", {"groups": {"0": {"width": "1"}}}),
        ("D__STRIDES__0", {"strides": {0: "1"}}),
        ("D__PAIRS__0__1", {"pairs": {0: {1: "1"}}}),
        ("D__TAGS__Stage__0", {"tags": {"Stage": {0: "1"}}}),
    ],
)
def test_a_name_finds_its_key_whatever_its_case(name: str, tree: Mapping[str, object]) -> None:
    [layer] = read(**{name: "1"})

    assert layer.roots == (tree,)


def test_a_value_is_bare_text_at_its_variable() -> None:
    [layer] = read(D__OPTIMIZER__LR="0.1")
    optimizer = layer.roots[0]["optimizer"]

    assert isinstance(optimizer, Branch)
    assert isinstance(optimizer["lr"], Text)
    assert optimizer.origins == {"lr": Origin("variable D__OPTIMIZER__LR")}
    assert (layer.name, layer.strength) == ("environment", "environment")


def test_a_position_edits_one_item() -> None:
    [layer] = read(D__LAYERS__2__WIDTH="1")

    assert isinstance(layer.roots[0]["layers"], Positions)


def test_a_key_is_stronger_than_its_section_in_whatever_order() -> None:
    expected = ({"optimizer": "adam"}, {"optimizer": {"lr": "1"}})

    assert read(D__OPTIMIZER="adam", D__OPTIMIZER__LR="1")[0].roots == expected
    assert read(D__OPTIMIZER__LR="1", D__OPTIMIZER="adam")[0].roots == expected


def test_no_variable_is_no_layer() -> None:
    assert read() == []


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("D__SEDE", "D__SEED"),
        ("D__OPTIMISER__LR", "D__OPTIMIZER__LR"),
        ("D__OPTIMIZER__MOMENTUN", "D__OPTIMIZER__MOMENTUM"),
        ("D__LAYERS__WIDTH", "D__LAYERS__0__WIDTH"),
        ("D__OPTIMIZER_LR", "D__OPTIMIZER__LR"),
        ("D__SEED__X", "D__SEED"),
        ("D__", None),
        ("D__NOPE", None),
        ("D__X", None),
        ("D__SEED__", "D__SEED"),
        ("D__STRIDES__X", "D__STRIDES"),
        ("D__TITLE__0", "D__TITLE"),
        ("D__TAGS__Stage__0__0", None),
    ],
)
def test_a_name_that_means_no_key_is_refused_with_the_nearest(name: str, suggestion: str | None) -> None:
    message = refusal(**{name: "hunter2"})

    assert f"{name} sets no key of Digits" in message
    assert f"variable {name}" in message
    if suggestion is None:
        assert "did you mean" not in message
    else:
        assert f"did you mean  {suggestion}\n" in message
    assert "hunter2" not in message


def test_fields_that_differ_by_case_are_told_apart_by_case_alone() -> None:
    assert read(Twins, D__n="1", D__N="2")[0].roots == ({"N": "2"}, {"n": "1"})


def test_a_name_that_could_mean_two_keys_is_refused() -> None:
    message = refusal(Twins, D__A__WIDTH="1")

    assert "could mean a.width or a__width" in message


def test_two_names_for_one_key_are_refused() -> None:
    message = refusal(D__SEED="1", d__seed="2")

    assert "D__SEED and d__seed both set seed" in message


def test_all_problems_are_told_at_once() -> None:
    assert "3 problems" in refusal(D__SEDE="1", D__X="2", D__SEED="1", D__seed="2")


def test_a_position_of_five_thousand_digits_is_none() -> None:
    message = refusal(**{f"D__STRIDES__{'9' * 5000}": "1"})

    assert "sets no key of Digits" in message
    assert "at            variable D__STRIDES__9" in message
