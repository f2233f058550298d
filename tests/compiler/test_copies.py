"""Sections and lists that are copies of others: what they bring, and what may not be copied."""

from collections.abc import Callable
from typing import Any

import pytest
from networks import AdamW, Layer, Sgd
from refusals import refusal

from typedcfg import ConfigError, ConfigTemplate, derived, section


class Params(ConfigTemplate):
    optimizer: AdamW | Sgd = section(AdamW)
    maybe: AdamW | Sgd | None = None
    option: Layer | None = None
    first: Layer = section(Layer, width=16)
    second: Layer
    layers: list[Layer] = [Layer(width=1), Layer(width=2)]
    others: list[Layer] = []
    groups: dict[str, Layer] = {"head": Layer(width=4)}
    tags: list[str] = ["a", "b"]
    more: list[str] = []


def values(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets]).params


def test_a_reference_copies_a_section_with_what_is_set_beside() -> None:
    copied = values("second=${first}", "second.act=gelu", "first.width=3")

    assert (copied.first, copied.second) == (Layer(width=3), Layer(width=3, act="gelu"))


def test_a_copy_takes_the_place_of_what_was_there() -> None:
    assert values("first=${second}").first == Layer()
    assert values("second=${first}", second={"act": "gelu"}).second == Layer(width=16)


def test_a_copied_variant_brings_its_kind() -> None:
    assert values("maybe=${optimizer}", "maybe.lr=3", "optimizer=sgd").maybe == Sgd(lr=3)


def test_a_reference_copies_a_list_with_what_is_set_beside() -> None:
    assert values("others=${layers}", "others[1].width=9").others == [Layer(width=1), Layer(width=9)]
    assert values("more=${tags}", "more[0]=x").more == ["x", "b"]


def test_items_are_copied_by_position_and_name() -> None:
    assert values("second=${layers[1]}").second == Layer(width=2)
    assert values("groups.tail=${groups.head}").groups["tail"] == Layer(width=4)
    assert values("groups.tail=${here.head}").groups["tail"] == Layer(width=4)


def test_copies_may_be_chained_and_a_reset_takes_them_away() -> None:
    chain = ["second=${option}", "option=${groups.head}", "groups.head=${layers[1]}", "groups.head.act=gelu"]

    assert values(*chain).second == Layer(width=2, act="gelu")
    assert values(*chain, "~second").second == Layer()


def test_a_copied_formula_is_evaluated_where_it_stands_now() -> None:
    class Half(ConfigTemplate):
        full: int = 2
        half: int = derived(lambda c: c.full // 2)

    class Root(ConfigTemplate):
        a: Half
        b: Half

    config = Root.compile(overrides=["b=${a}", "a.full=8", "b.full=20"])

    assert (config.a.half, config.b.half) == (4, 10)


@pytest.mark.parametrize(
    ("overrides", "chain"),
    [
        (["first=${first}"], "first -> first"),
        (["first=${second}", "second=${first}"], "first -> second -> first"),
        (["first=${second}", "second=${option}", "option=${first}"], "option -> first -> second -> option"),
        (["layers[0]=${layers}"], "layers[0] -> layers"),
        (["first=${first.width}"], "first -> first.width"),
    ],
)
def test_a_circle_of_copies_is_named_once_with_its_places(overrides: list[str], chain: str) -> None:
    text = refusal(Params, *overrides)

    assert text.startswith(f"references go round in a circle: {chain}\n")
    assert all(f"overrides[{i}]" in text for i in range(len(overrides)))
    assert "problems in" not in text


def test_a_copy_that_holds_itself_is_refused() -> None:
    class Tree(ConfigTemplate):
        inner: "Tree | None" = None
        depth: int = 0

    class Root(ConfigTemplate):
        a: Tree
        b: Tree

    with pytest.raises(ConfigError, match=r"a\.inner\.inner lies in what \$\{b\} brings"):
        Root.compile(overrides=["a.inner=${b}", "b=${a}"])


def test_a_section_is_no_copy_of_another_template() -> None:
    assert refusal(Params, "second=${optimizer}") == (
        "second cannot be ${optimizer}: optimizer is of AdamW\n"
        "  at            overrides[0]\n"
        "  expected      a section of Layer"
    )


def test_a_computed_list_has_no_parts_to_set_beside() -> None:
    class Root(ConfigTemplate):
        sizes: list[int] = derived(lambda _: [1, 2])
        twin: list[int] = []

    assert Root.compile(overrides=["twin=${sizes}"])["twin"] == [1, 2]
    with pytest.raises(ConfigError, match="twin is a reference to sizes, which is computed"):
        Root.compile(overrides=["twin=${sizes}", "twin[0]=5"])


def test_a_copy_of_what_is_required_and_not_set_is_no_problem_of_its_own() -> None:
    class Root(ConfigTemplate):
        needed: AdamW | Sgd
        twin: AdamW | Sgd

    with pytest.raises(ConfigError) as caught:
        Root.compile(overrides=["twin=${needed}"])

    assert [p.what for p in caught.value.problems] == ["needed is required"]


def test_a_chain_of_copies_has_a_bound() -> None:
    groups = {f"g{i}": "${groups.g" + str(i + 1) + "}" for i in range(200)}

    assert "is a copy of a copy of a copy" in refusal(Params, groups={**groups, "g200": {}})


def test_a_long_chain_of_copies_that_looks_back_has_none(write: Callable[..., None]) -> None:
    lines = [f"  g{i}: {'{width: 5}' if i == 0 else '${groups.g' + str(i - 1) + '}'}" for i in range(2000)]
    write(base="groups:\n" + "\n".join(lines))

    assert Params.compile("base.yaml").params.groups["g1999"].width == 5
