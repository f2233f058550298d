"""What Python values mean as settings: sections where values belong, texts, tuples, the wrong section."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from typedcfg import Config, ConfigTemplate, Draft, derived, literal, section
from typedcfg.compiler.drafts.assigned import AssignedSource
from typedcfg.errors import ConfigError


class Layer(ConfigTemplate):
    width: int = 32
    tags: list[str] = ["a", "b"]


class Sched(ConfigTemplate):
    epochs: int = 10
    warm: int = derived(lambda c: c.epochs // 10)


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"


class Params(ConfigTemplate):
    seed: int = 1
    layers: list[Layer] = [Layer(), Layer(width=64)]
    sched: Sched = section(Sched)
    opt: Adam | Sgd = section(Adam)
    free: dict[str, Any] = {}
    any: Any = None
    pair: tuple[int, ...] = ()


Put = Callable[[str, Any], Config[Params]]


def draft_put(key: str, value: Any) -> Config[Params]:
    draft = Params.compile().unlock()
    draft[key] = value
    return draft.lock()


WAYS: list[Put] = [
    draft_put,
    lambda key, value: Params.compile(overrides={key: value}),
    lambda key, value: Params.compile(presets=[{key: value}]),
    lambda key, value: Params.compile().merge({key: value}),
]
by_every_way = pytest.mark.parametrize("put", WAYS, ids=["draft", "override", "preset", "merged"])


@by_every_way
def test_a_section_among_free_values_is_all_of_its_values(put: Put) -> None:
    whole = {"width": 64, "tags": ["a", "b"]}
    compiled = Params.compile()

    assert put("free", {"s": Layer(width=64)}).params.free == {"s": whole}
    assert put("free", {"s": compiled["layers[1]"]}).params.free == {"s": whole}
    assert put("any", [compiled.layers[1]]).params.any == [whole]
    assert put("any", Sched(epochs=70).to_config()).params.any == {"epochs": 70, "warm": 7}


@by_every_way
def test_a_section_with_open_formulas_is_refused_among_free_values(put: Put) -> None:
    with pytest.raises(ConfigError, match=r"free\.s takes values, and Sched\(\.\.\.\) has none for warm yet") as caught:
        put("free", {"s": Sched(epochs=70)})

    assert caught.value.problems[0].fix == "put Sched(...).to_config() there"
    assert caught.value.problems[0].where


def test_instances_and_defaults_hold_whole_sections_in_free_values() -> None:
    class Preset(ConfigTemplate):
        free: dict[str, Any] = {"s": Layer(width=64)}

    whole = {"width": 64, "tags": ["a", "b"]}

    assert Params(free={"s": Layer(width=64)}).to_config().params.free == {"s": whole}
    assert Preset.compile(overrides=["free.t=1"]).params.free == {"s": whole, "t": 1}


@by_every_way
def test_texts_mean_what_they_mean_in_a_file_unless_they_are_literal(put: Put) -> None:
    assert put("any", "${seed}").params.any == 1
    assert put("any", ["x", {"y": "${seed}"}]).params.any == ["x", {"y": 1}]
    assert put("any", literal("${seed}")).params.any == "${seed}"


@by_every_way
def test_what_a_configuration_or_draft_holds_is_a_value(put: Put) -> None:
    config = Params.compile(overrides={"free": {"n": ["$${seed}"]}})

    assert put("free", config.free) == config
    assert put("any", config.free["n"]).params.any == ["${seed}"]
    assert put("any", Config.from_dict({"n": "${seed}"})).params.any == {"n": "${seed}"}
    assert put("any", config).params.any["free"] == {"n": ["${seed}"]}
    assert draft_put("any", Draft(n="${seed}")).params.any == {"n": "${seed}"}


def test_all_values_come_back_as_literals() -> None:
    config = Params.compile(overrides={"free": {"n": "$${seed}"}, "any": ["$${x}", {"$y": 1}]})

    assert config.merge(literal(config.plain())) == config
    assert Params.compile(overrides=literal(config.plain())) == config
    assert Params.compile(presets=[literal(config.plain())]) == config


@by_every_way
def test_a_tuple_that_holds_what_is_open_is_as_good_as_a_list(put: Put) -> None:
    layers = Params.compile().layers

    assert put("pair", (1, "${seed}")).params.pair == (1, 1)
    assert put("layers", (layers[1], {"width": "${seed}"})).params.layers == [Layer(width=64), Layer(width=1)]
    assert put("any", (1, "x")).params.any == (1, "x")


@by_every_way
@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("sched", Adam(), r"sched = Adam\(...\) is no Sched"),
        ("sched", Layer(), r"sched = Layer\(...\) is no Sched"),
        ("sched", Params.compile().opt, r"sched = Adam\(...\) is no Sched"),
        ("opt", Sched(), r"opt = Sched\(...\) is no Adam or Sgd"),
        ("layers", [{}, Adam()], r"layers\[1\] = Adam\(...\) is no Layer"),
        ("layers", Layer(), r"layers = Layer\(...\) is one section, and several belong there"),
    ],
)
def test_a_section_where_another_belongs_is_refused(put: Put, key: str, value: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        put(key, value)


@by_every_way
def test_a_section_of_a_kindred_template_may_stand_there(put: Put) -> None:
    class Wide(Layer):
        pass

    assert put("layers", [Wide(width=7)]).params.layers == [Layer(width=7)]


@by_every_way
@pytest.mark.parametrize("make", [lambda x: [x], lambda x: {"a": x}, lambda x: ([x],)])
def test_values_that_hold_themselves_are_refused(put: Put, make: Callable[[Any], Any]) -> None:
    values: list[Any] = []
    values.append(make(values))

    with pytest.raises(ConfigError, match="lie within one another"):
        put("any", values)


def test_a_preset_of_a_section_stands_where_the_section_is() -> None:
    [layer] = AssignedSource(Params, "mine", {"free": Layer()}, ("any",)).read()

    assert layer.roots == ({"free": {"width": 32, "tags": ["a", "b"]}},)
    assert (layer.name, layer.strength) == ("mine", "presets")
