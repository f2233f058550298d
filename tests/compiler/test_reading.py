"""What is read of a configuration while its values are being found."""

from typing import Annotated, Any

import pytest

from typedcfg import ConfigTemplate, NotInIdentity
from typedcfg.compiler.descent import Descent
from typedcfg.compiler.reading import Needs, Nowhere, Reading
from typedcfg.compiler.shape import shape
from typedcfg.compiler.spots import SectionSpot
from typedcfg.key_path import KeyPath
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, branch_from


class Part(ConfigTemplate):
    width: float = 1


class Root(ConfigTemplate):
    parts: list[Part] = []
    scratch: Annotated[Part, NotInIdentity()]
    rates: dict[str, Any] = {}
    lr: float = 0.1


def reading(**values: object) -> Reading:
    origin = Origin("base.yaml")
    descent = Descent(Root, [Layer("base.yaml", "files", (branch_from(values, origin),))])
    return Reading(descent, shape(descent))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("lr",), 0.1),
        (("parts", -1, "width"), 3.0),
        (("rates", "a", 0), 5),
    ],
)
def test_a_value_is_read_as_its_field_has_it(path: KeyPath, value: object) -> None:
    found = reading(parts=[{"width": 2}, {"width": 3}], rates={"a": [5]}).value_at(path)

    assert (found, type(found)) == (value, type(value))


def test_a_section_is_entered_once() -> None:
    one = reading(parts=[{}])

    spot = one.value_at(("parts", 0))

    assert isinstance(spot, SectionSpot)
    assert one.value_at(("parts", 0)) is spot
    assert one.value_at(()) is one.root()


def test_what_was_read_says_whether_it_bears_on_the_outcome() -> None:
    one = reading(parts=[{}])

    for path in (("parts", 0, "width"), ("scratch", "width")):
        one.value_at(path)

    assert {path: read.bears for path, read in one.inputs.items()} == {
        ("parts", 0, "width"): True,
        ("scratch", "width"): False,
    }


def test_what_is_not_known_yet_is_asked_for() -> None:
    one = reading(lr="${rates.a}", rates={"a": "${scratch.width}"})

    for path in (("lr",), ("rates", "a"), ("rates",)):
        with pytest.raises(Needs) as caught:
            one.value_at(path)
        assert {slot.path[0] for slot in caught.value.slots} == {path[0]}


@pytest.mark.parametrize("path", [("nope",), ("parts", 7), ("rates", "a", "b"), ("lr", 0)])
def test_a_path_to_nothing_is_told(path: KeyPath) -> None:
    with pytest.raises(Nowhere):
        reading(rates={"a": 1}).value_at(path)
