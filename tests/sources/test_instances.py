from typing import Any, Literal

from typedcfg import ConfigTemplate, section
from typedcfg.origin import Origin
from typedcfg.sources.base import Items
from typedcfg.sources.instances import branch_from_instance, explicit_settings
from typedcfg.template.derived import SectionDefault, derived


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    twice: float = derived(lambda c: c.lr * 2)


class Params(ConfigTemplate):
    layer: Layer = section(Layer)
    layers: list[Layer] = []
    pair: tuple[Layer, ...] = ()
    groups: dict[str, Layer] = {}
    optimizer: Sgd = section(Sgd)
    value: Any = None


def test_only_what_was_set_is_a_setting() -> None:
    assert explicit_settings(Params()) == {}
    assert explicit_settings(Params(layer=Layer(width=8))) == {"layer": {"width": 8}}


def test_a_variant_always_names_its_kind() -> None:
    assert explicit_settings(Sgd()) == {"kind": "sgd"}
    assert explicit_settings(Params(optimizer=Sgd(lr=3))) == {"optimizer": {"kind": "sgd", "lr": 3.0}}


def test_sections_are_found_in_lists_tuples_and_mappings() -> None:
    params = Params(layers=[Layer(width=1)], pair=(Layer(), Layer(act="x")), groups={"a": Layer(width=2)})

    assert explicit_settings(params) == {
        "layers": [{"width": 1}],
        "pair": [{}, {"act": "x"}],
        "groups": {"a": {"width": 2}},
    }


def test_a_tuple_of_values_stays_one() -> None:
    assert explicit_settings(Params(value=(1, 2))) == {"value": (1, 2)}


def test_texts_are_taken_literally() -> None:
    found = explicit_settings(Params(value=["${a}", {"b": "x ${c}"}], layer=Layer(act="$${d}")))

    assert found == {"value": ["$${a}", {"b": "x $${c}"}], "layer": {"act": "$$${d}"}}
    assert Params(value="$${a} ${b} $").to_config().params.value == "$${a} ${b} $"


def test_a_default_that_was_not_built_yet_is_settings_all_the_same() -> None:
    assert explicit_settings(SectionDefault(Sgd, {"lr": 3})) == {"kind": "sgd", "lr": 3}


def test_everything_stands_at_one_origin() -> None:
    branch = branch_from_instance(Params(layers=[Layer(width=1)]), Origin("preset"))

    layers = branch["layers"]
    assert isinstance(layers, Items)
    assert {*branch.origins.values(), *layers.origins} == {Origin("preset")}
