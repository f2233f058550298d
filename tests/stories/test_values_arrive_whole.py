"""Values that a careless merge or a careless evaluation would lose."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from typedcfg import ConfigError, ConfigTemplate, derived


class Rates(ConfigTemplate):
    rates: dict[str, float] = {"a": 1.0}


class Free(ConfigTemplate):
    free: dict[str, Any] = {}
    anything: Any = None


def test_a_field_typed_as_a_sequence_keeps_its_items() -> None:
    class Model(ConfigTemplate):
        strides: Sequence[int] = (1,)
        names: Mapping[str, int] = {"a": 1}

    params = Model.compile(overrides=["strides=[1, 2]", "names={b: 3}"]).params

    assert (list(params.strides), dict(params.names)) == ([1, 2], {"a": 1, "b": 3})


def test_what_a_formula_yields_bit_by_bit_is_there_for_everyone() -> None:
    class Model(ConfigTemplate):
        tags: list[str] = ["1", "2"]
        numbers: list[int] = derived(lambda c: map(int, c.tags))
        total: int = derived(lambda c: sum(c.numbers))

    params = Model.compile().params

    assert (params.numbers, params.total) == ([1, 2], 3)


@pytest.mark.parametrize("overrides", [["rates={b: 2}"], ["rates.b=2"], {"rates": {"b": 2}}])
def test_an_inline_mapping_merges_however_it_is_written(overrides: Any) -> None:
    assert Rates.compile(overrides=overrides).params.rates == {"a": 1.0, "b": 2.0}


def test_an_instance_is_what_it_holds() -> None:
    section = Rates(rates={"b": 2})

    assert section.to_config().params.rates == section.rates == {"b": 2.0}
    assert Rates.compile(presets=[section]).params == section


def test_a_file_merges_with_what_an_instance_holds() -> None:
    config = Rates.compile(presets=[Rates(rates={"b": 2})], overrides=["rates.c=3"])

    assert config.params.rates == {"b": 2.0, "c": 3.0}


@pytest.mark.parametrize("override", ["~free.a.b", "~anything.a", "~free.a"])
def test_taking_back_what_nobody_set_changes_nothing(override: str) -> None:
    assert Free.compile(overrides=[override]) == Free.compile()


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ConfigError, match="do not hold themselves"):
        Free.compile(overrides={"anything": endless})
