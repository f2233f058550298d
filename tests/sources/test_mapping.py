from typedcfg.origin import Origin
from typedcfg.sources.base import Branch
from typedcfg.sources.mapping import MappingSource


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
