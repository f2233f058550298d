"""Which settings count for a key: those of the template, what is set, and what is taken back."""

from typing import Any

import pytest
from networks import AdamW, Layer, Sgd
from refusals import refusal

from typedcfg import ConfigTemplate, section


class Params(ConfigTemplate):
    optimizer: AdamW | Sgd = section(AdamW)
    maybe: AdamW | Sgd | None = None
    option: Layer | None = None
    first: Layer = section(Layer, width=16)
    layers: list[Layer] = [Layer(width=1), Layer(width=2)]
    pair: tuple[Layer, ...] = (Layer(width=1), Layer(width=2))
    groups: dict[str, Layer] = {"head": Layer(width=4)}
    tags: list[str] = ["a", "b"]
    rates: dict[str, float] = {"head": 0.5}
    count: int = 3


def values(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets]).params


def test_a_default_instance_is_kept_when_one_leaf_is_set() -> None:
    assert values("first.act=gelu").first == Layer(width=16, act="gelu")


def test_default_lists_of_sections_are_edited_by_position() -> None:
    assert values("layers[1].act=gelu").layers == [Layer(width=1), Layer(width=2, act="gelu")]
    assert values("layers[-1].width=9").layers == [Layer(width=1), Layer(width=9)]
    assert values("pair[0].width=9").pair == (Layer(width=9), Layer(width=2))


def test_default_lists_and_tuples_of_values_are_edited_by_position() -> None:
    assert values("tags[0]=x").tags == ["x", "b"]
    assert values("optimizer.betas[1]=0.5").optimizer.betas == (0.9, 0.5)


def test_lists_are_replaced_whole() -> None:
    assert values("tags=[x]").tags == ["x"]
    assert values(layers=[{"act": "gelu"}]).layers == [Layer(act="gelu")]


def test_free_mappings_merge_per_key() -> None:
    assert values("rates.neck=0.25").rates == {"head": 0.5, "neck": 0.25}
    assert values("rates={neck: 0.25}", "rates.tail=1").rates == {"head": 0.5, "neck": 0.25, "tail": 1}
    assert values("groups.head.act=gelu", "groups.neck.width=1").groups == {
        "head": Layer(width=4, act="gelu"),
        "neck": Layer(width=1),
    }


def test_an_optional_section_stays_none_until_a_key_below_is_set() -> None:
    assert values().option is None
    assert values("option.width=3").option == Layer(width=3)
    assert values("option={}").option == Layer()


@pytest.mark.parametrize(
    ("key", "presets"),
    [
        ("count", {"count": 7}),
        ("first", {"first": {"width": 7, "act": "gelu"}}),
        ("first.width", {"first": {"width": 7}}),
        ("optimizer", {"optimizer": {"kind": "sgd", "momentum": 1}}),
        ("optimizer.kind", {"optimizer": {"kind": "sgd"}}),
        ("option", {"option": {"width": 7}}),
        ("layers", {"layers": [{"width": 7}]}),
        ("tags", {"tags": ["z"]}),
        ("tags[0]", {}),
        ("rates", {"rates": {"neck": 7}}),
        ("rates.neck", {"rates": {"neck": 7}}),
        ("rates.head", {"rates": {"head": 7}}),
        ("groups.head", {"groups": {"head": {"width": 7}}}),
    ],
)
def test_a_reset_goes_back_to_the_default(key: str, presets: dict[str, Any]) -> None:
    assert values(f"~{key}", **presets) == values()


def test_a_key_that_is_not_declared_is_not_taken_back_where_its_section_is_not_there_either() -> None:
    for key in ("option.width", "maybe.momentum"):
        assert values(f"~{key}") == values()

    assert "unknown key 'option.widht'" in (told := refusal(Params, "~option.widht"))
    assert "did you mean  option.width" in told
    assert "unknown key 'maybe.nope'" in refusal(Params, "~maybe.nope")
    assert values("~option.width", "option.act=gelu").option == Layer(act="gelu")


def test_what_is_set_after_a_reset_stands() -> None:
    assert values("~first", "first.act=gelu", first={"width": 7}).first == Layer(width=16, act="gelu")
    assert values("first.act=gelu", "~first").first == Layer(width=16)


def test_an_item_without_a_default_of_its_own_goes_with_a_reset() -> None:
    assert values("~tags[2]", tags=["x", "y", "z"]).tags == ["x", "y"]
