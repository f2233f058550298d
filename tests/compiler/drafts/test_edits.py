"""Which edits are kept, and what they make of a path."""

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from typedcfg import ConfigTemplate
from typedcfg.compiler.drafts.edits import Edits, setting_from
from typedcfg.errors import ConfigError
from typedcfg.origin import Origin

seen: list[int] = []


class Loader(ConfigTemplate):
    workers: int = 2


class Counted(ConfigTemplate):
    width: Annotated[int, AfterValidator(lambda width: seen.append(width) or width)] = 1


class Params(ConfigTemplate):
    loader: Loader
    layers: list[Loader] = []
    rates: dict[str, int] = {}


class Network(ConfigTemplate):
    layers: list[Counted] = []
    groups: dict[str, Counted] = {}


def edits(**settings: Any) -> Edits:
    return Edits(Params.compile(presets=[settings]))


def test_a_later_edit_of_a_key_takes_the_place_of_earlier_ones_there_and_below() -> None:
    some = edits()

    for number in range(3):
        some.put(("loader", "workers"), number)
    some.put(("loader",), {"workers": 5})

    assert [change.path for change in some.changes] == [("loader",)]


def test_an_edit_before_an_item_was_taken_out_means_another_item() -> None:
    some = edits(layers=[{}, {}, {}])

    some.put(("layers", 1, "workers"), 5)
    some.take_back(("layers", 0))
    some.put(("layers", 1, "workers"), 7)

    assert some.config().plain()["layers"] == [{"workers": 5}, {"workers": 7}]


def test_edits_are_found_again_in_the_layer_that_they_made() -> None:
    some = edits(layers=[{}], rates={"a": 1, "b": 2})
    some.put(("layers", 0, "workers"), 5)
    some.put(("loader",), Loader(workers=1))
    some.take_back(("rates", "a"))

    again = Edits(some.config())

    assert [change[:2] for change in again.changes] == [change[:2] for change in some.changes]
    assert [str(change.origin) for change in again.changes] == [str(change.origin) for change in some.changes]
    assert again.config().plain() == {"loader": {"workers": 1}, "layers": [{"workers": 5}], "rates": {"b": 2}}


def test_an_edit_that_is_refused_leaves_no_trace() -> None:
    some = edits()
    before = some.config()

    with pytest.raises(ConfigError):
        some.put(("loader", "workers"), "many")

    assert some.changes == []
    assert some.config() is before


@pytest.mark.parametrize("path", [("rates", "b"), ("layers", 1), ("nope",), ("loader", "nope")])
def test_what_is_not_there_cannot_be_taken_back(path: Any) -> None:
    with pytest.raises(ConfigError, match=r"there is no key|unknown key"):
        edits(layers=[{}], rates={"a": 1}).take_back(path)


def test_values_that_hold_themselves_are_refused() -> None:
    values: list[Any] = []
    values.append(values)

    with pytest.raises(ConfigError, match="lie within one another"):
        setting_from(Params, ("layers",), values, Origin("here"))


def test_an_edit_looks_at_what_it_changes_alone() -> None:
    network = Network.compile(presets=[{"layers": [{"width": 2}, {"width": 3}], "groups": {"a": {"width": 4}}}])
    some = Edits(network)
    seen.clear()

    some.append(("layers",), [{"width": 5}])
    some.put(("groups", "b"), {"width": 6})

    assert seen == [5, 6]
    with pytest.raises(ConfigError, match=r"layers\[3\].width = 'x' is wrong"):
        some.append(("layers",), [{"width": "x"}])
