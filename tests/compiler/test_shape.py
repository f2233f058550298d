"""Which keys there are, and what stands for each before any value is computed."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from networks import Params
from refusals import refusal

from typedcfg import ConfigTemplate, Deprecated
from typedcfg.errors import DeprecatedName


def values(*overrides: str, **presets: Any) -> Any:
    return Params.compile(overrides=overrides, presets=[presets]).params


def test_a_value_has_no_keys_below_it() -> None:
    assert refusal(Params, "loader.batch_size.x=3") == (
        "loader.batch_size = {x: 3} is wrong\n  at            overrides[0]\n  expected      integer"
    )


def test_free_mappings_merge_at_every_depth() -> None:
    merged = values("rates.deep.b=2", "rates.c=3", rates={"deep": {"a": 1}})

    assert merged.rates == {"deep": {"a": 1, "b": 2}, "c": 3}


def test_values_within_lists_within_mappings_are_resolved() -> None:
    found = values(rates={"deep": [{"x": "${loader.batch_size}"}, "bs-${loader.batch_size}"]})

    assert found.rates == {"deep": [{"x": 128}, "bs-128"]}


def test_a_deprecated_field_warns_where_it_is_set_and_nowhere_else() -> None:
    class Old(ConfigTemplate):
        lr: Annotated[float, Deprecated("use optimizer.lr", since="0.3")] = 0.1

    assert Old.compile().params.lr == 0.1
    with pytest.warns(DeprecatedName, match=r"^overrides\[0\]: lr is deprecated since 0.3: use optimizer.lr$"):
        Old.compile(overrides=["lr=1"])


def test_reading_changes_no_layer(write: Callable[..., None]) -> None:
    from copy import deepcopy

    from typedcfg.compiler.compile import compile_sources
    from typedcfg.sources.files import FileSource
    from typedcfg.sources.overrides import override_source

    write(base="model: {layers: [{width: '${loader.batch_size}'}]}\nrates: &r {a: 1, b: '${here.a}'}")
    layers = [
        *FileSource(["base.yaml"]).read(),
        *override_source(["optimizer=sgd", "optimizer.momentum=1", "rates.c=3", "model.layers[0].width=4"]).read(),
    ]
    before = deepcopy(layers)

    class Given:
        def read(self) -> Any:
            return layers

    config = compile_sources(Params, [Given()])
    assert config.explain() != ""

    assert layers == before
    assert [root.origins for layer in layers for root in layer.roots] == [
        root.origins for layer in before for root in layer.roots
    ]
