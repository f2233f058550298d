import pytest

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch
from typedcfg.sources.mapping import MappingSource
from typedcfg.template.base import ConfigTemplate


class Loader(ConfigTemplate):
    batch_size: int = 128
    shuffle: bool = True


def test_a_mapping_is_one_layer_of_one_tree() -> None:
    values = {"model": {"widths": [64, {"bias": True}]}}

    [layer] = MappingSource("wide", values).read()

    assert (layer.name, layer.strength, layer.roots) == ("wide", "presets", (values,))


def test_every_entry_stands_at_the_source() -> None:
    [layer] = MappingSource("wide", {"model": {"width": 64}}, strength="overrides").read()
    model = layer.roots[0]["model"]

    assert isinstance(model, Branch)
    assert model.origins == {"width": Origin("wide")}
    assert layer.strength == "overrides"


def test_what_is_read_shares_nothing_with_what_was_given() -> None:
    values: dict[str, object] = {"model": {"widths": [64]}}
    source = MappingSource("wide", values)

    first, second = (source.read()[0].roots[0] for _ in range(2))
    first["model"] = None

    assert second == values == {"model": {"widths": [64]}}


def test_of_a_section_only_what_was_set_is_a_setting() -> None:
    [first] = MappingSource("wide", Loader(batch_size=64)).read()
    [second] = MappingSource("wide", {"train": Loader(), "tests": [Loader(shuffle=False)], "x": "${root.y}"}).read()

    assert first.roots == ({"batch_size": 64},)
    assert second.roots == ({"train": {}, "tests": [{"shuffle": False}], "x": "${root.y}"},)


def test_a_mapping_that_holds_itself_is_refused_by_the_name_of_its_source() -> None:
    values: dict[str, object] = {}
    values["again"] = [values]

    with pytest.raises(ConfigError) as caught:
        MappingSource("wide", values).read()

    assert caught.value.problems[0].where == "wide"
