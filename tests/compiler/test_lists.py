import pytest
from pydantic_core import SchemaValidator, core_schema

from typedcfg.compiler.lists import arrange, meanings
from typedcfg.compiler.merge import Contribution
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Edit, Items, Layer, Positions, Removed, Text


def items(*values: object) -> Items:
    made = Items(origin=Origin("items"))
    for value in values:
        made.put(value, Origin("items"))
    return made


def edits(**values: object) -> Positions:
    """Edits by position: `p0` the first, `m1` the last."""
    made = Positions(Origin("edits"))
    for name, value in values.items():
        position = int(name[1:]) * (-1 if name[0] == "m" else 1)
        made[position] = value
        made.origins[position] = Origin("edits")
    return made


def said(value: object, *, strength: str = "files") -> Contribution:
    return Contribution(Layer("one", strength, ()), value, Origin("one"))


def arranged(*values: object) -> list[list[object]]:
    found = arrange(map(said, values), meanings=meanings)
    return [[contribution.value for contribution in item] for item in found.items]


def missed(*values: object) -> list[object]:
    found = arrange(map(said, values), meanings=meanings)
    return [one.item for one in found.missed]


def test_a_later_list_replaces_the_whole() -> None:
    assert arranged(items(1, 2), items(3)) == [[3]]


def test_an_edit_to_a_position_is_said_for_that_item() -> None:
    assert arranged(items(1, 2), edits(p1=5)) == [[1], [2, 5]]


def test_a_position_from_the_end_means_the_same_item() -> None:
    assert arranged(items(1, 2), edits(m1=5)) == [[1], [2, 5]]


def test_items_are_appended_behind_the_others() -> None:
    assert arranged(items(1), Appended(items(2, 3))) == [[1], [2], [3]]


def test_a_position_counts_in_the_list_as_it_is_by_then() -> None:
    assert arranged(items(1, 2), Appended(items(3)), edits(p2=5)) == [[1], [2], [3, 5]]
    assert arranged(items(1, 2, 3), edits(p0=Edit.RESET), edits(p1=5)) == [[2], [3, 5]]


def test_positions_of_one_edit_count_in_one_list() -> None:
    assert arranged(items(1, 2, 3), edits(p0=Edit.RESET, p2=5)) == [[2], [3, 5]]


def test_every_equal_item_is_removed() -> None:
    assert arranged(items(1, 2, 1), Removed(items(1))) == [[2]]


def test_an_edited_item_is_no_longer_what_it_was() -> None:
    assert missed(items(1), edits(p0=2), Removed(items(1))) == [1]


def test_a_reset_leaves_what_the_default_says() -> None:
    default = said((1, 2), strength=DEFAULTS)

    found = arrange([default, said(edits(p0=5)), said(edits(p0=Edit.RESET))], meanings=meanings)

    assert [[c.value for c in item] for item in found.items] == [[1], [2]]


def test_an_edit_that_misses_is_told() -> None:
    assert missed(items(1), edits(p1=2), edits(m2=3), Removed(items(9))) == [1, -2, 9]


def test_a_bare_text_may_mean_itself_or_what_a_file_means_by_it() -> None:
    assert meanings(Text("1")) == ["1", 1]
    assert meanings(Text("[")) == ["["]
    assert meanings("1") == ["1"]


@pytest.mark.parametrize("wanted", [True, 1.0, "1", 2])
def test_without_a_type_items_are_compared_as_they_were_written(wanted: object) -> None:
    assert arranged(items(1), Removed(items(1))) == []
    assert missed(items(1), Removed(items(wanted))) == [wanted]


def test_with_a_type_items_are_compared_as_it_reads_them() -> None:
    floats = SchemaValidator(core_schema.float_schema())

    assert meanings(1, floats) == meanings("1", floats) == [1.0]
    assert meanings("x", floats) == []


def test_each_item_is_looked_at_once_however_many_are_removed() -> None:
    looked_at: list[object] = []

    def note(item: object) -> list[object]:
        looked_at.append(item)
        return [item]

    arrange(map(said, (items("a", "b", "c"), Removed(items("c", "d")), Removed(items("e")))), meanings=note)

    assert sorted(map(str, looked_at)) == ["a", "b", "c", "d", "e"]
