"""Edits to lists and mappings on a command line, from the override to the value."""

from pathlib import Path

import pytest

from typedcfg import ConfigError, ConfigTemplate, derived


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Params(ConfigTemplate):
    tags: list[str] = ["base"]
    strides: list[int] = [2, 4]
    folders: set[Path] = {Path("a")}
    layers: list[Layer] = [Layer(width=1), Layer(width=2)]
    groups: dict[str, Layer] = {"head": Layer(width=3)}
    rates: dict[str, float] = {"a": 0.5}
    count: int = 1
    needed: list[str] | None = None
    doubled: list[int] = derived(lambda c: [2 * stride for stride in c.strides])


def values(*overrides: str, **preset: object) -> Params:
    return Params.compile(presets=[preset], overrides=overrides).params


def refusal(*overrides: str, **preset: object) -> str:
    with pytest.raises(ConfigError) as caught:
        values(*overrides, **preset)
    return str(caught.value)


def test_one_item_is_appended() -> None:
    assert values("tags+=x").tags == ["base", "x"]


def test_text_in_brackets_is_several_items() -> None:
    assert values("strides+=[8, 16]", "strides+=32").strides == [2, 4, 8, 16, 32]


def test_a_section_is_appended() -> None:
    assert values("layers+={width: 5}", "layers[-1].act=gelu").layers[2] == Layer(width=5, act="gelu")


def test_appending_builds_on_a_weaker_layer() -> None:
    assert values("tags+=x", tags=["a"]).tags == ["a", "x"]


def test_items_are_removed_as_their_type_reads_them() -> None:
    assert values("strides-=4").strides == [2]
    assert values("tags-=[base]").tags == []
    assert values("folders+=b", "folders-=a").folders == {Path("b")}


def test_a_formula_sees_the_edited_list() -> None:
    assert values("strides+=8").doubled == [4, 8, 16]


def test_keys_are_removed_from_a_mapping_even_if_the_default_has_them() -> None:
    assert values("rates-=a", "rates.b=1").rates == {"b": 1.0}
    assert values("groups-=head").groups == {}


def test_an_item_goes_with_a_reset_unless_it_is_the_default_s() -> None:
    assert values("~tags[0]", tags=["a", "b"]).tags == ["b"]
    assert values("tags[0]=x", "~tags[0]").tags == ["base"]


def test_a_mapping_is_replaced_whole() -> None:
    assert values("rates={$replace: true, b: 1}").rates == {"b": 1.0}
    assert values("groups={$replace: true, tail: {width: 9}}").groups == {"tail": Layer(width=9)}


def test_an_inline_mapping_may_take_keys_back() -> None:
    assert values("rates={$delete: b, c: 2}", rates={"b": 1}).rates == {"a": 0.5, "c": 2.0}


def test_every_edit_that_cannot_be_made_is_told() -> None:
    message = refusal("count+=1", "needed+=x", "doubled+=1", "tags-=nope", "rates-=nope", "layers={$extends: p.yaml}")

    assert "count is no list" in message
    assert "there is no list at needed to edit" in message
    assert "doubled is computed" in message
    assert "'nope' cannot be removed: tags holds no such item" in message
    assert "rates.nope cannot be removed: there is no such key" in message
    assert "$extends names a file in a value that is no file's" in message


def test_explain_tells_each_edit() -> None:
    told = Params.compile(overrides=["tags+=x", "tags-=base"]).explain("tags")

    assert "+= [x]" in told
    assert "-= [base]" in told


@pytest.mark.parametrize("more", [[], ["layers[0].act=x"]])
@pytest.mark.parametrize("edit", ["layers[0]-=width", "groups.head-=width", "groups.head-="])
def test_a_section_is_no_list_whatever_else_is_said_of_it(edit: str, more: list[str]) -> None:
    assert "cannot be edited as a list" in refusal(edit, *more, "groups.head.act=y")
