"""A contract that nothing could break would promise nothing: each test is broken once."""

from collections.abc import Callable, Iterable

import pytest

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Items, Layer, Source, Text, branch_from
from typedcfg.testing import SourceContract

HERE = Origin("here")


class Reading:
    """A source that gives what a function makes."""

    def __init__(self, make: Callable[[], Iterable[Layer]]) -> None:
        self.read = make


class Contract(SourceContract):
    def __init__(self, make: Callable[[], Iterable[Layer]]) -> None:
        self.make = make

    def make_source(self) -> Source:
        return Reading(self.make)

    def make_broken_source(self) -> Source:
        return Reading(self.make)


def layer(strength: str = "files", **values: object) -> Layer:
    return Layer("mine", strength, (branch_from(values, HERE),))


def without_place() -> list[Layer]:
    root = Branch(HERE)
    root["lr"] = 0.1
    return [Layer("mine", "files", (root,))]


def with_empty_place() -> list[Layer]:
    items = Items([1], origin=HERE)
    items.origins = [Origin("")]
    root = Branch(HERE)
    root.put("widths", items, HERE)
    return [Layer("mine", "files", (root,))]


def with_plain_mapping() -> list[Layer]:
    root = Branch(HERE)
    root.put("tags", {"a": "b"}, HERE)
    return [Layer("mine", "files", (root,))]


def unmarked() -> list[Layer]:
    root = Branch(HERE)
    root.put("lr", Text("0.1"), HERE)
    root.unsettled = False
    return [Layer("mine", "files", (root,))]


ONCE = iter([[layer(lr=0.1)], [layer(lr=0.2)], [layer(lr=0.3)]])


def without_where() -> list[Layer]:
    raise ConfigError(Problem("nothing works"))


@pytest.mark.parametrize(
    ("test", "make", "told"),
    [
        ("test_a_source_gives_layers_with_something_in_them", list, "gives no layer"),
        ("test_a_source_gives_layers_with_something_in_them", lambda: [layer()], "sets nothing"),
        ("test_every_strength_has_a_rank", lambda: [layer("vault", lr=1)], "of strength 'vault'"),
        ("test_every_strength_has_a_rank", lambda: [layer("defaults", lr=1)], "of strength 'defaults'"),
        ("test_layers_come_weakest_first", lambda: [layer("overrides", a=1), layer("files", a=1)], "weakest first"),
        ("test_every_setting_has_its_place", without_place, "has places for"),
        ("test_every_setting_has_its_place", with_empty_place, "without a place"),
        ("test_what_holds_mappings_and_lists_is_made_of_ours", with_plain_mapping, "a plain dict"),
        ("test_what_is_not_settled_says_so", unmarked, "not marked"),
        ("test_reading_twice_gives_the_same", lambda: next(ONCE), "something else"),
        ("test_what_is_wrong_is_told_with_its_place", lambda: [layer(lr=1)], "can be read"),
        ("test_what_is_wrong_is_told_with_its_place", without_where, "without a place"),
    ],
)
def test_a_source_that_breaks_its_promise_is_told(test: str, make: Callable[[], Iterable[Layer]], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        getattr(Contract(make), test)()


def test_a_source_without_anything_to_mend_skips_that_test() -> None:
    with pytest.raises(pytest.skip.Exception, match="returns None"):
        SourceContract.test_what_is_wrong_is_told_with_its_place(NothingToMend())


class NothingToMend(SourceContract):
    def make_source(self) -> Source:
        return Reading(lambda: [layer(lr=0.1)])


def test_a_contract_without_a_source_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="make_source"):
        SourceContract().test_layers_come_weakest_first()
